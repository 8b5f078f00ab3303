"""The engines of others, behind the same interface: the same weights give the same music."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import MusicgenForConditionalGeneration

from generation.clips.option_values import AdapterOption
from generation.engine import Placement
from generation.musicgen.references.reference_audiocraft import load_audiocraft_model
from generation.musicgen.references.reference_hf import load_transformers_model
from generation.musicgen.weights.layout import quiet_transformers
from study.errors import IsopathError, OutOfRange, UnknownName
from tests.generation.musicgen.references.reference_cases import (
    FRAMES,
    SOUND_TOLERANCE,
    any_codes,
    asked,
    codes_of,
    options_of,
    our_likeliest,
    random_adapter,
    silently,
)

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Of so little work, a second thread would only get in the way of the other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=["mono", "stereo"])
def folder(request: pytest.FixtureRequest, tiny_folder: Path, tiny_stereo_folder: Path) -> Path:
    return tiny_folder if request.param == "mono" else tiny_stereo_folder


def test_the_likeliest_codes_are_those_of_our_engine(folder: Path) -> None:
    options = options_of(folder, top_k=1)
    requests = [asked("calm piano", 1), asked("energetic rock with loud drums", 2), asked("", 3)]

    theirs = codes_of(load_transformers_model(options, Placement()), *requests)

    assert theirs == our_likeliest(options, *requests)


def test_the_likeliest_continuation_is_that_of_our_engine(folder: Path) -> None:
    options = options_of(folder, top_k=1, guidance_scale=2.0)
    request = asked("calm piano", 1, any_codes(folder, 9))

    theirs = codes_of(load_transformers_model(options, Placement()), request)

    assert theirs == our_likeliest(options, request)


def test_sound_is_what_generate_gives_for_the_same_seed(folder: Path) -> None:
    model = load_transformers_model(options_of(folder, temperature=0.9, top_k=40), Placement())

    clip = model.generate([asked("calm piano", 2**62 + 5)], silently)[0]
    sound = model.sound([clip.codes])[0]

    assert np.abs(sound - generated(folder, "calm piano", 2**62 + 5)).max() < SOUND_TOLERANCE


def generated(folder: Path, prompt: str, seed: int) -> NDArray[np.float32]:
    """Transformers' model as its manual uses it."""
    from transformers import AutoTokenizer

    with quiet_transformers(), torch.random.fork_rng():
        plain = MusicgenForConditionalGeneration.from_pretrained(folder)
        torch.manual_seed(seed)
        words = AutoTokenizer.from_pretrained(folder)([prompt], return_tensors="pt")
        sound = plain.generate(**words, max_new_tokens=FRAMES + 3, temperature=0.9, top_k=40)[0]
    channels: NDArray[np.float32] = sound.numpy()
    return np.broadcast_to(channels, (2, channels.shape[1])).T


def test_a_clip_depends_on_its_own_seed_only(tiny_folder: Path) -> None:
    model = load_transformers_model(options_of(tiny_folder), Placement())
    first, second = asked("calm piano", 11), asked("sad strings", 12)
    torch.manual_seed(0)
    expected_next = torch.rand(3, generator=torch.Generator().manual_seed(0))

    together = codes_of(model, first, second)
    alone = codes_of(model, second)

    assert together[1] == alone[0]
    assert together[0] != codes_of(model, asked("calm piano", 13))[0]
    assert torch.equal(torch.rand(3), expected_next)


def test_a_continuation_keeps_its_prefix(folder: Path) -> None:
    model = load_transformers_model(options_of(folder), Placement())
    prefix = any_codes(folder, 10)

    clip = model.generate([asked("calm piano", 4, prefix)], silently)[0]

    assert clip.codes.dtype == np.int16
    assert clip.codes.shape == (len(prefix), FRAMES)
    assert clip.codes[:, :10].tolist() == prefix.tolist()


def test_progress_rises_to_the_end_over_all_clips(tiny_folder: Path) -> None:
    model = load_transformers_model(options_of(tiny_folder), Placement())
    shares: list[float] = []

    model.generate([asked("calm piano", 1), asked("calm piano", 2)], shares.append)

    assert len(shares) == 2 * (FRAMES + 3)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_adapters_go_in(tiny_folder: Path, tmp_path: Path) -> None:
    adapter = random_adapter(tiny_folder, tmp_path / "random")
    adapted = options_of(tiny_folder, top_k=1, adapters=(AdapterOption(str(adapter), 0.5),))
    request = asked("calm piano", 1)
    base = load_transformers_model(options_of(tiny_folder, top_k=1), Placement())
    model = load_transformers_model(adapted, Placement())

    theirs = codes_of(model, request)

    assert theirs == our_likeliest(adapted, request)
    assert theirs != codes_of(base, request)
    assert len(model.card.models) > len(base.card.models)


def test_the_card_tells_weights_licence_and_libraries(tiny_folder: Path) -> None:
    card = load_transformers_model(options_of(tiny_folder), Placement()).card

    assert card.licences == dict.fromkeys(card.models, "cc0-1.0")
    assert len(card.models["isopath/random-tiny/model.safetensors"]) == 64
    assert card.rendering["libraries"]["torch"] == torch.__version__
    assert card.rendering["dtype"] == "float32"


def test_a_prompt_longer_than_t5_reads_is_refused(tiny_folder: Path) -> None:
    model = load_transformers_model(options_of(tiny_folder), Placement())

    with pytest.raises(OutOfRange, match="602 tokens, T5 reads 512"):
        model.generate([asked("calm " * 600, 1)], silently)


@pytest.mark.parametrize("load", [load_transformers_model, load_audiocraft_model])
@pytest.mark.parametrize(
    ("others", "refusal", "words"),
    [
        ({"conditioning": ("prompt", "tokens")}, UnknownName, "knows words only, not 'tokens'"),
        ({"conditioning": ("steering",)}, UnknownName, "knows words only, not 'steering'"),
        ({"affect_guidance_scale": 2.0}, OutOfRange, "guides affect tokens"),
    ],
)
def test_what_only_our_engine_can_is_refused_by_name(
    tiny_folder: Path, load: Any, others: dict[str, Any], refusal: type[IsopathError], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        load(options_of(tiny_folder, **others), Placement())


def test_guidance_that_transformers_would_ignore_is_refused(tiny_folder: Path) -> None:
    with pytest.raises(OutOfRange, match=r"0\.5 is below 1"):
        load_transformers_model(options_of(tiny_folder, guidance_scale=0.5), Placement())
