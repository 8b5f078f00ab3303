"""Our decoder gives the codes that audiocraft gives, of weights that both draw by one recipe."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generation.musicgen.decoding.decode import ClipInput, DecodeLoop, Draw
from generation.musicgen.decoding.decoder import Decoder
from generation.musicgen.shape import DecoderShape
from generation.musicgen.weights.audiocraft_names import lm_from_audiocraft
from tests.oracles import random_weights

pytestmark = pytest.mark.torch

REPOSITORY = Path(__file__).parents[4]
PYTHON = REPOSITORY / ".venv-audiocraft" / "bin" / "python"
REFERENCE: dict[str, Any] = json.loads(
    (REPOSITORY / "tests" / "oracles" / "audiocraft_codes.json").read_text()
)


def name_of(case: dict[str, Any]) -> str:
    kind = "continued" if case["prefix_frames"] else "new"
    return f"{case['n_codebooks']}-codebooks-{len(case['codes'])}-clips-{kind}"


def silently(share: float) -> None:
    """Progress that nobody watches."""


@cache
def decoder_of(n_codebooks: int) -> Decoder:
    shape = DecoderShape(
        hidden_size=random_weights.HIDDEN_SIZE,
        n_layers=random_weights.LAYERS,
        n_heads=random_weights.HEADS,
        ffn_dim=random_weights.FFN_DIM,
        n_codebooks=n_codebooks,
        audio_channels=n_codebooks // 4,
        codebook_size=random_weights.CODEBOOK_SIZE,
        text_dim=random_weights.TEXT_DIM,
        frame_rate_hz=50,
        max_positions=2048,
    )
    decoder = Decoder(shape)
    weights = random_weights.lm_weights(n_codebooks)
    decoder.load(lm_from_audiocraft({name: torch.from_numpy(tensor) for name, tensor in weights.items()}))
    return decoder


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Of so little work, a second thread would only get in the way of the other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=name_of)
def test_greedy_codes_equal_those_of_audiocraft(case: dict[str, Any]) -> None:
    expected = np.array(case["codes"])
    n_clips, n_codebooks, n_frames = expected.shape
    prefixes = random_weights.prefix_codes(n_clips, n_codebooks, case["prefix_frames"])
    clips = [
        ClipInput(
            seed=0,
            text=torch.from_numpy(states),
            prefix=torch.from_numpy(prefix) if case["prefix_frames"] else None,
        )
        for states, prefix in zip(random_weights.text_states(n_clips), prefixes, strict=True)
    ]

    loop = DecodeLoop(decoder_of(n_codebooks))
    draw = Draw(guidance_scale=REFERENCE["guidance_scale"], greedy=True)
    decoded = loop.decode(clips, n_frames, draw, silently)

    assert decoded.codes.tolist() == expected.tolist()


def test_the_reference_is_far_from_any_tie() -> None:
    # Greedy choices of two programs may differ only where rounding, about 1e-5 here, could decide.
    assert min(case["smallest_margin"] for case in REFERENCE["cases"]) > 1e-3


@pytest.mark.audiocraft
def test_the_committed_reference_is_what_audiocraft_says() -> None:
    if not PYTHON.exists():
        pytest.skip("make the environment .venv-audiocraft (tests/oracles/requirements-audiocraft.txt)")

    said = subprocess.run(
        [PYTHON, "-m", "tests.oracles.audiocraft_codes"], capture_output=True, check=True, cwd=REPOSITORY
    )

    answer = json.loads(said.stdout)
    codes = [(name_of(case), case["codes"]) for case in answer["cases"]]
    assert codes == [(name_of(case), case["codes"]) for case in REFERENCE["cases"]]
