"""The engines of others, behind the same interface: the same weights give the same music."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model
from transformers import MusicgenForConditionalGeneration

from generation.clips.clip import ClipModel, ClipRequest, Codes
from generation.clips.options import AdapterOption, ClipOptions
from generation.engine import Placement
from generation.musicgen.adapters import merged
from generation.musicgen.checkpoint import load_checkpoint
from generation.musicgen.decode import ClipInput, DecodeLoop, Draw
from generation.musicgen.decoder import Decoder
from generation.musicgen.layout import quiet_transformers
from generation.musicgen.reference_audiocraft import load_audiocraft_model
from generation.musicgen.reference_hf import load_transformers_model
from generation.musicgen.text import TextEncoder
from study.affect import Affect
from study.errors import IsopathError, ModelError, OutOfRange, UnknownName

pytestmark = pytest.mark.torch

REPOSITORY = Path(__file__).parents[3]
PYTHON = REPOSITORY / ".venv-audiocraft" / "bin" / "python"
FRAMES = 24
SOUND_TOLERANCE = 1e-5
"""Measured: 0, both against transformers' own pipeline and against audiocraft's codec."""

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


@pytest.fixture(params=["mono", "stereo"])
def folder(request: pytest.FixtureRequest, tiny_folder: Path, tiny_stereo_folder: Path) -> Path:
    return tiny_folder if request.param == "mono" else tiny_stereo_folder


@pytest.fixture(scope="module")
def adapter_folder(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA whose weights are random, so that it changes what it is merged into."""
    written = tmp_path_factory.mktemp("adapters") / "random"
    targets = ["q_proj", "v_proj", "fc1"]
    lora = LoraConfig(r=4, lora_alpha=32, target_modules=targets, init_lora_weights=False)
    with quiet_transformers(), torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(3)
        adapted = get_peft_model(MusicgenForConditionalGeneration.from_pretrained(tiny_folder), lora)
        adapted.peft_config["default"].base_model_name_or_path = "isopath/random-tiny"
        adapted.save_pretrained(str(written))
    return written


def options_of(folder: Path, **others: Any) -> ClipOptions:
    return replace(ClipOptions(model=str(folder)), **others)


def asked(prompt: str, seed: int, prefix: Codes | None = None) -> ClipRequest:
    return ClipRequest(Affect(0.2, -0.4), prompt, seed, FRAMES, prefix)


def silently(share: float) -> None:
    """Progress that nobody watches."""


def codes_of(model: ClipModel, *requests: ClipRequest) -> list[list[list[int]]]:
    return [clip.codes.tolist() for clip in model.generate(requests, silently)]


def our_likeliest(options: ClipOptions, *requests: ClipRequest) -> list[list[list[int]]]:
    """What our own decoder finds likeliest, in one batch."""
    checkpoint = load_checkpoint(options.model)
    text = TextEncoder(checkpoint.text_encoder(), checkpoint.tokenizer(), torch.device("cpu"))
    decoder = Decoder(checkpoint.shape)
    decoder.load(merged(checkpoint, options.adapters).tensors)
    clips = [
        ClipInput(
            seed=request.seed,
            text=text.states(request.prompt),
            prefix=None if request.prefix is None else torch.from_numpy(request.prefix).long(),
        )
        for request in requests
    ]
    draw = Draw(guidance_scale=options.guidance_scale, greedy=True)
    codes: list[list[list[int]]] = DecodeLoop(decoder).decode(clips, FRAMES, draw, silently).codes.tolist()
    return codes


def any_codes(folder: Path, n_frames: int) -> Codes:
    n_codebooks = json.loads((folder / "config.json").read_text())["decoder"]["num_codebooks"]
    return np.random.default_rng(8).integers(0, 2048, (n_codebooks, n_frames)).astype(np.int16)


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


def test_adapters_go_in(tiny_folder: Path, adapter_folder: Path) -> None:
    adapted = options_of(tiny_folder, top_k=1, adapters=(AdapterOption(str(adapter_folder), 0.5),))
    request = asked("calm piano", 1)
    base = load_transformers_model(options_of(tiny_folder, top_k=1), Placement())
    model = load_transformers_model(adapted, Placement())

    theirs = codes_of(model, request)

    assert theirs == our_likeliest(adapted, request)
    assert theirs != codes_of(base, request)
    assert len(model.card.models) > len(base.card.models)


def test_the_card_tells_weights_licence_and_libraries(tiny_folder: Path) -> None:
    card = load_transformers_model(options_of(tiny_folder), Placement()).card

    assert card.licences == {"isopath/random-tiny": "cc0-1.0"}
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


@pytest.fixture(scope="module")
def orders(tiny_folder: Path, tiny_stereo_folder: Path, adapter_folder: Path) -> dict[str, Order]:
    drawn = [asked("calm piano", 2**62 + 5), asked("sad strings", 6)]
    adapter = {"path": str(adapter_folder), "weight": 0.5}
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
@pytest.mark.xdist_group("audiocraft")
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
@pytest.mark.xdist_group("audiocraft")
def test_audiocraft_continues_with_adapters_as_our_engine_does(
    orders: dict[str, Order], filled: dict[str, Filled]
) -> None:
    options, requests = orders["likeliest"]

    clips = filled["likeliest"]

    assert clips["codes"].tolist() == our_likeliest(ClipOptions.from_json(options), *requests)
    assert json.loads(str(clips["card"]))["rendering"]["libraries"]["audiocraft"] == "1.3.0"
