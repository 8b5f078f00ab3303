"""Make clips with the engine ``audiocraft``, where audiocraft is, and write down what came out.

    .venv-audiocraft/bin/python -m tests.oracles.audiocraft_clips ORDERS.json FOLDER

ORDERS is a list; an order holds ``options`` (as in a protocol) and ``requests``, a list of
``prompt``, ``seed``, ``n_frames`` and ``prefix`` (or null). FOLDER gets ``0.npz`` and so on,
one for each order, with ``codes`` and ``sound`` of the requests as one batch, ``alone``, the
codes of the last request by itself, and ``card`` as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.oracles.audiocraft_stubs import stand_in


def main() -> None:
    """Fill the orders."""
    stand_in()
    import torch

    torch.set_num_threads(1)
    for number, order in enumerate(json.loads(Path(sys.argv[1]).read_text())):
        fill(order, Path(sys.argv[2]) / f"{number}.npz")


def fill(order: dict[str, Any], file: Path) -> None:
    """Make one order's clips and write them."""
    from generation.clips.clip import ClipRequest
    from generation.clips.options import ClipOptions
    from generation.engine import Placement
    from generation.musicgen.references.reference_audiocraft import load_audiocraft_model
    from study.affect import Affect
    from study.canonical import plain

    model = load_audiocraft_model(ClipOptions.from_json(order["options"]), Placement())
    requests = [
        ClipRequest(
            affect=Affect(0.0, 0.0),
            prompt=request["prompt"],
            seed=request["seed"],
            n_frames=request["n_frames"],
            prefix=None if request["prefix"] is None else np.array(request["prefix"], np.int16),
        )
        for request in order["requests"]
    ]
    codes = [clip.codes for clip in model.generate(requests, ignore)]
    np.savez(
        file,
        codes=np.stack(codes),
        sound=np.stack(model.sound(codes)),
        alone=model.generate(requests[-1:], ignore)[0].codes,
        card=np.array(json.dumps(plain(model.card))),
    )


def ignore(share: float) -> None:
    """Progress that nobody watches."""


if __name__ == "__main__":
    main()
