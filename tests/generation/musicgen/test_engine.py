"""MusicGen as an engine: whole sessions from a folder of weights, on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.clip import ClipRequest
from generation.clips.options import ClipOptions
from generation.engine import AffectJudge, Placement, SessionAudio
from generation.musicgen.clip_model import load_musicgen
from generation.musicgen.trained.affect_tokens import AffectTokens
from generation.musicgen.trained.steering import Steering
from generation.musicgen.trained.trained_file import Training
from generation.musicgen.weights.checkpoint import load_checkpoint
from generation.registry import load_engine
from generation.render import render_sessions
from generation.session_folder import read_session
from study.affect import Affect
from study.errors import DeviceError, IsopathError, ModelError
from study.path import PathKind, PathSpec, make_path
from study.protocol import EngineSpec
from study.session import SessionPlan

pytestmark = pytest.mark.torch

DISTRESS, CALM = Affect(-0.6, 0.5), Affect(0.6, -0.4)


class LoudnessJudge:
    """Hears arousal as level: enough to prefer one clip to another."""

    name = "loudness"

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        return 0.0, float(np.tanh(samples.std() * 10) * 2 - 1)


def plan_of(folder: Path, duration_s: float, number: int = 1, **options: Any) -> SessionPlan:
    path = make_path(PathSpec(PathKind.ISO, 2, duration_s / 2), DISTRESS, CALM, number)
    spec = EngineSpec("musicgen", {"model": str(folder), **options})
    return SessionPlan(f"sub-{number}", "ses-01", "arm", path, DISTRESS, CALM, 30.0, number, -23.0, spec)


def quiet(share: float) -> None:
    """Report nothing."""


def sessions(
    plans: Sequence[SessionPlan],
    judge: AffectJudge | None = None,
    placement: Placement | None = None,
) -> list[SessionAudio]:
    engine = load_engine(plans[0].engine, placement or Placement())
    return list(engine.generate(plans, quiet, judge))


def refusal(plan: SessionPlan, kind: type[IsopathError], placement: Placement | None = None) -> str:
    with pytest.raises(kind) as caught:
        sessions([plan], placement=placement)
    return str(caught.value)


def codes_of(audio: SessionAudio) -> list[str]:
    return [take.codes_sha256 for take in audio.takes]


def test_a_session_has_its_length_its_rate_and_its_provenance(tiny_folder: Path, tmp_path: Path) -> None:
    plan = plan_of(tiny_folder, 34.0)
    shares: list[float] = []

    engine = load_engine(plan.engine, Placement())
    (manifest,) = render_sessions([plan], engine, tmp_path, shares.append)

    assert manifest.duration_s == 34.0
    assert manifest.sample_rate_hz == SAMPLE_RATE_HZ
    assert manifest.loudness_lufs == pytest.approx(-23.0, abs=0.1)
    assert manifest.true_peak_dbtp is not None
    assert manifest.true_peak_dbtp <= -1.0
    assert [take.is_heard for take in manifest.takes] == [True, True]
    assert len(manifest.seams) == 1
    assert manifest.engine == {"name": "musicgen", "version": "1"}
    assert manifest.licences["isopath/random-tiny"] == "cc0-1.0"
    # Nothing that shaped the sound is without a word about its licence.
    assert manifest.models.keys() == manifest.licences.keys()
    assert (
        manifest.models["isopath/random-tiny/model.safetensors"]
        == load_checkpoint(str(tiny_folder)).sha256["model.safetensors"]
    )
    assert manifest.rendering["dtype"] == "float32"
    assert manifest.rendering["device"] == "cpu"
    assert manifest.rendering["libraries"]["torch"] == torch.__version__
    assert manifest.rendering["clips_per_batch"] == [2]
    assert read_session(tmp_path / "sub-1" / "ses-01", plan) == manifest
    # Every step is told, so that a bar moves.
    assert len(shares) > 1_000
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_session_is_the_same_alone_and_among_others_whatever_the_batch(tiny_folder: Path) -> None:
    plans = [plan_of(tiny_folder, 6.0, number) for number in (1, 2, 3)]

    together = sessions(plans)
    two_at_a_time = sessions(plans, placement=Placement(batch_clips=2))
    (alone,) = sessions(plans[1:2])

    assert codes_of(together[1]) == codes_of(alone) == codes_of(two_at_a_time[1])
    assert np.array_equal(together[1].samples, alone.samples)
    assert codes_of(together[0]) != codes_of(together[1])


def test_chained_clips_go_on_from_one_another(tiny_folder: Path) -> None:
    plan = plan_of(tiny_folder, 34.0, mode="chained", prefix_s=10.0)

    (audio,) = sessions([plan])

    assert len(audio.samples) == 34 * SAMPLE_RATE_HZ
    first, second = audio.takes
    assert first.onset_s == 0.0
    # One stream: what is new in each begins where the one before ends, without a seam.
    assert second.onset_s == pytest.approx(first.onset_s + first.duration_s)
    assert second.onset_s + second.duration_s == pytest.approx(34.0)


def test_a_clip_begins_with_the_tokens_it_is_given_and_goes_on_otherwise_than_without(
    tiny_folder: Path,
) -> None:
    model = load_musicgen(ClipOptions.from_json({"model": str(tiny_folder)}), Placement())
    asked = ClipRequest(CALM, "calm piano", 1, 40)
    (another,) = model.generate([replace(asked, seed=2)], quiet)
    prefix = another.codes[:, :15]

    (anew,) = model.generate([asked], quiet)
    (continued,) = model.generate([replace(asked, prefix=prefix)], quiet)

    assert np.array_equal(continued.codes[:, :15], prefix)
    assert continued.codes.shape == anew.codes.shape
    assert not np.array_equal(continued.codes[:, 15:], anew.codes[:, 15:])


def test_the_judge_takes_the_nearest_of_several_and_the_others_are_told(tiny_folder: Path) -> None:
    plan = plan_of(tiny_folder, 6.0, candidates=3, judge="loudness")

    (audio,) = sessions([plan], LoudnessJudge())

    misses = {
        take.candidate: np.hypot(
            take.valence_pred - take.affect.valence, take.arousal_pred - take.affect.arousal
        )
        for take in audio.takes
        if take.valence_pred is not None and take.arousal_pred is not None
    }
    assert len(misses) == 3
    assert [take.candidate for take in audio.takes if take.is_heard] == [min(misses, key=misses.__getitem__)]
    assert len({take.codes_sha256 for take in audio.takes}) == 3


def test_affect_reaches_the_model_by_tokens_and_by_steering(tiny_folder: Path, tmp_path: Path) -> None:
    base = load_checkpoint(str(tiny_folder))
    torch.manual_seed(0)
    training = Training(base.name, "random, for a test", "cc0-1.0")
    AffectTokens(base.shape.text_dim, training).save(tmp_path / "tokens.safetensors")
    directions = torch.randn(2, base.shape.n_layers, base.shape.hidden_size)
    Steering(directions[0], directions[1], training).save(tmp_path / "steering.safetensors")
    tokens: dict[str, Any] = {"affect_tokens": str(tmp_path / "tokens.safetensors")}
    steering: dict[str, Any] = {"steering": str(tmp_path / "steering.safetensors")}

    (words,) = sessions([plan_of(tiny_folder, 2.0)])
    (with_tokens,) = sessions([plan_of(tiny_folder, 2.0, conditioning=["prompt", "tokens"], **tokens)])
    (own_scale,) = sessions(
        [plan_of(tiny_folder, 2.0, conditioning=["prompt", "tokens"], affect_guidance_scale=5.0, **tokens)]
    )
    (steered,) = sessions([plan_of(tiny_folder, 2.0, conditioning=["prompt", "steering"], **steering)])

    assert len({codes_of(audio)[0] for audio in (words, with_tokens, own_scale, steered)}) == 4
    assert set(with_tokens.models) - set(words.models) == {"affect tokens tokens.safetensors"}
    assert set(steered.models) - set(words.models) == {"steering steering.safetensors"}
    assert own_scale.rendering["rows_per_clip"] == 3


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_two_byte_sessions_say_what_they_do_not_promise(tiny_folder: Path, dtype: str) -> None:
    (audio,) = sessions([plan_of(tiny_folder, 2.0, dtype=dtype)])

    assert audio.rendering["dtype"] == dtype
    assert any(dtype in note for note in audio.notes)
    assert np.isfinite(audio.samples).all()


def test_stereo_weights_give_two_different_channels(tiny_stereo_folder: Path) -> None:
    (audio,) = sessions([plan_of(tiny_stereo_folder, 2.0)])

    assert audio.samples.shape == (2 * SAMPLE_RATE_HZ, 2)
    assert not np.array_equal(audio.samples[:, 0], audio.samples[:, 1])


def test_a_gpu_that_is_not_there_is_refused_before_weights_are_read(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")

    said = refusal(plan_of(tmp_path / "nothing", 2.0), DeviceError, Placement("cuda"))

    assert said == ("--device cuda: no GPU was found; write --device cpu, or run where nvidia-smi shows one")


def test_more_clips_than_fit_are_refused_with_the_number_that_fits(tiny_folder: Path) -> None:
    said = refusal(plan_of(tiny_folder, 6.0), DeviceError, Placement(batch_clips=100_000_000))

    assert "100000000 clips need" in said
    assert "write batch_clips" in said


def test_a_weight_that_is_not_a_number_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in tiny_folder.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    tensors = safetensors.torch.load_file(broken / "model.safetensors")
    name = "decoder.model.decoder.layers.1.fc1.weight"
    tensors[name][3, 5] = torch.nan
    safetensors.torch.save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})

    said = refusal(plan_of(broken, 2.0), ModelError)

    assert name in said
    assert str(broken) in said


def test_a_table_of_endless_prompts_is_refused_before_weights_are_read(tmp_path: Path) -> None:
    table = Path(__file__).parents[3] / "generation" / "prompts" / "plain.json"
    long_table = tmp_path / "long.json"
    wordy = table.read_text(encoding="utf-8").replace("{moods}", "{moods} " + "slow and soft " * 300)
    long_table.write_text(wordy, encoding="utf-8")

    said = refusal(plan_of(tmp_path / "nothing", 2.0, prompts=str(long_table)), IsopathError)

    assert "keep every prompt within 400 characters" in said
