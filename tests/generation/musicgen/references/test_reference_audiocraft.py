"""audiocraft behind our interface: it draws what transformers draws, and says what it cannot do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generation.clips.clip import ClipRequest
from generation.clips.options import ClipOptions
from generation.engine import Placement
from generation.musicgen.references.reference_audiocraft import load_audiocraft_model
from generation.musicgen.references.reference_hf import load_transformers_model
from study.errors import ModelError, OutOfRange
from tests.generation.musicgen.references.reference_cases import (
    SOUND_TOLERANCE,
    any_codes,
    asked,
    codes_of,
    options_of,
    our_likeliest,
    random_adapter,
)

pytestmark = pytest.mark.torch

REPOSITORY = Path(__file__).parents[4]
PYTHON = REPOSITORY / ".venv-audiocraft" / "bin" / "python"

Order = tuple[dict[str, Any], list[ClipRequest]]
"""Options as in a protocol, and what is asked of them."""

Filled = dict[str, NDArray[Any]]
"""What came of an order: codes, sound, card."""


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Of so little work, a second thread would only get in the way of the other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_precision_that_audiocraft_does_not_run_in_is_refused(tiny_folder: Path) -> None:
    with pytest.raises(OutOfRange, match="not in bfloat16"):
        load_audiocraft_model(options_of(tiny_folder, dtype="bfloat16"), Placement())


def test_where_audiocraft_is_missing_the_install_lines_are_told(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "audiocraft", None)

    with pytest.raises(ModelError, match="audiocraft is not installed") as refusal:
        load_audiocraft_model(options_of(tiny_folder), Placement())

    assert "pip install --no-deps audiocraft==1.3.0" in str(refusal.value)


def test_an_audiocraft_that_cannot_start_is_told_apart(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "audiocraft").mkdir()
    (tmp_path / "audiocraft" / "__init__.py").write_text("import xformers_as_never_published\n")
    monkeypatch.delitem(sys.modules, "audiocraft", raising=False)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ModelError, match=r"cannot start .*xformers_as_never_published"):
        load_audiocraft_model(options_of(tiny_folder), Placement())


@pytest.fixture(scope="module")
def orders(
    tiny_folder: Path, tiny_stereo_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Order]:
    drawn = [asked("calm piano", 2**62 + 5), asked("sad strings", 6)]
    adapter = {
        "path": str(random_adapter(tiny_folder, tmp_path_factory.mktemp("adapters") / "random")),
        "weight": 0.5,
    }
    return {
        "mono": ({"model": str(tiny_folder), "top_k": 40, "temperature": 0.9}, drawn),
        "stereo": ({"model": str(tiny_stereo_folder), "top_k": 40, "temperature": 0.9}, drawn),
        "likeliest": (
            {"model": str(tiny_folder), "top_k": 1, "adapters": [adapter]},
            [asked("calm piano", 1, any_codes(tiny_folder, 9))],
        ),
    }


@pytest.fixture(scope="module")
def filled(orders: dict[str, Order], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Filled]:
    """The orders, filled by audiocraft in its own environment."""
    if not PYTHON.exists():
        pytest.skip("make the environment .venv-audiocraft (tests/oracles/requirements-audiocraft.txt)")
    folder = tmp_path_factory.mktemp("orders")
    written = [
        {
            "options": options,
            "requests": [
                {
                    "prompt": request.prompt,
                    "seed": request.seed,
                    "n_frames": request.n_frames,
                    "prefix": None if request.prefix is None else request.prefix.tolist(),
                }
                for request in requests
            ],
        }
        for options, requests in orders.values()
    ]
    (folder / "orders.json").write_text(json.dumps(written))
    command = [str(PYTHON), "-m", "tests.oracles.audiocraft_clips", str(folder / "orders.json"), str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=REPOSITORY)
    clips = {}
    for number, name in enumerate(orders):
        with np.load(folder / f"{number}.npz") as arrays:
            clips[name] = dict(arrays)
    return clips


@pytest.mark.audiocraft
@pytest.mark.parametrize("name", ["mono", "stereo"])
def test_audiocraft_draws_what_transformers_draws(
    name: str, orders: dict[str, Order], filled: dict[str, Filled]
) -> None:
    # Both draw with torch's own multinomial, in the same order, from the same seed.
    options, requests = orders[name]
    peer = load_transformers_model(ClipOptions.from_json(options), Placement())

    clips = filled[name]

    assert clips["codes"].tolist() == codes_of(peer, *requests)
    assert clips["alone"].tolist() == clips["codes"][1].tolist()
    assert np.abs(clips["sound"] - np.stack(peer.sound(list(clips["codes"])))).max() < SOUND_TOLERANCE


@pytest.mark.audiocraft
def test_audiocraft_continues_with_adapters_as_our_engine_does(
    orders: dict[str, Order], filled: dict[str, Filled]
) -> None:
    options, requests = orders["likeliest"]

    clips = filled["likeliest"]

    assert clips["codes"].tolist() == our_likeliest(ClipOptions.from_json(options), *requests)
    assert json.loads(str(clips["card"]))["rendering"]["libraries"]["audiocraft"] == "1.3.0"
