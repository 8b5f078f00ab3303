"""Sessions of clips: in order, to the sample, batched across participants, best of N."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ, integrated_loudness, read_audio
from generation.clips.clip import ClipModel
from generation.clips.engine import NEAR_TIES, ClipEngine
from generation.clips.options import ClipOptions
from generation.clips.selection import codes_sha256
from generation.conditioning import load_prompts
from generation.engine import AffectJudge, PlaceableEngine, Placement, SessionAudio
from generation.render import render_sessions
from study.errors import AudioError, OutOfRange
from study.manifest import RenderManifest, Take
from study.path import PathKind
from study.session import SessionPlan
from tests.generation.clips.plans import plan_of, quiet
from tests.generation.clips.tone_model import LevelJudge, ToneModel, codes_of, engine_of, sound_of


def sessions_of(
    engine: ClipEngine, plans: Sequence[SessionPlan], judge: AffectJudge | None = None
) -> list[SessionAudio]:
    return list(engine.generate(plans, quiet, judge))


def cohort(count: int = 3, duration_s: float = 60.0) -> list[SessionPlan]:
    return [plan_of(duration_s, session) for session in range(1, count + 1)]


@pytest.mark.parametrize("mode", ["parallel", "chained"])
@pytest.mark.parametrize("duration_s", [1.0, 7.3333, 29.99, 61.7])
def test_a_session_lasts_exactly_what_its_plan_says(mode: str, duration_s: float) -> None:
    (session,) = sessions_of(engine_of(mode=mode), [plan_of(duration_s)])

    assert session.samples.shape == (round(duration_s * SAMPLE_RATE_HZ), 2)
    assert session.samples.dtype == np.float32
    assert len(session.seams) == len(session.takes) - 1


@pytest.mark.parametrize("options", [{}, {"mode": "chained"}, {"candidates": 3, "judge": "level"}])
def test_a_session_does_not_depend_on_its_neighbours_or_batches(options: dict[str, Any]) -> None:
    plans, judge = cohort(3, 40.0), LevelJudge()
    alone = [sessions_of(engine_of(**options), [plan], judge)[0] for plan in plans]

    for most in (1, 4):
        together = sessions_of(engine_of(ToneModel(most), **options), plans, judge)

        for one, other in zip(alone, together, strict=True):
            assert one.plan == other.plan
            assert (one.samples == other.samples).all()
            assert (one.takes, one.seams) == (other.takes, other.seams)


def test_batches_are_filled_across_participants_and_sessions_come_as_soon_as_ready() -> None:
    model = ToneModel(most=4)
    sessions = engine_of(model).generate(cohort(), quiet)

    first = next(sessions)

    # Three clips a session: the first batch of four holds one session and a clip of the next.
    assert len(model.asked) == 1
    assert first.plan.session_id == "ses-01"
    rest = list(sessions)
    assert [len(batch) for batch in model.asked] == [4, 4, 1]
    assert [session.plan.session_id for session in rest] == ["ses-02", "ses-03"]
    assert first.rendering["clips_per_batch"] == [4]
    assert first.rendering["rows_per_batch"] == [8]
    assert rest[1].rendering["clips_per_batch"] == [4, 1]
    assert first.rendering["device"] == "cpu"


def test_clips_of_different_length_do_not_share_a_batch() -> None:
    model = ToneModel()
    plans = [plan_of(40.0, 1), plan_of(10.0, 2), plan_of(40.0, 3)]

    sessions = sessions_of(engine_of(model), plans)

    assert [len(batch) for batch in model.asked] == [4, 1]
    assert [session.plan for session in sessions] == plans


def test_the_placement_caps_a_batch() -> None:
    model = ToneModel(most=64)

    sessions_of(engine_of(model, Placement(batch_clips=2)), cohort(1))

    assert [len(batch) for batch in model.asked] == [2, 1]


def test_each_clip_of_a_chained_session_continues_the_stream_without_a_seam() -> None:
    model = ToneModel()
    plans = cohort(2, 90.0)

    sessions = sessions_of(engine_of(model, mode="chained"), plans)

    # Window k of both sessions is one batch.
    assert {len(batch) for batch in model.asked} == {2}
    for number, session in enumerate(sessions):
        stream = codes_of(model.asked[0][number])
        for batch in model.asked[1:]:
            request = batch[number]
            assert request.prefix is not None
            assert (request.prefix == stream[:, -500:]).all()
            stream = np.concatenate([stream, codes_of(request)[:, 500:]], axis=1)
        # One decoding of one stream; the last 3 s fade out.
        heard = sound_of(stream)[: 90 * SAMPLE_RATE_HZ]
        assert (session.samples[320 : 87 * SAMPLE_RATE_HZ] == heard[320 : 87 * SAMPLE_RATE_HZ]).all()
        assert {(seam.fade_s, seam.shift_s) for seam in session.seams} == {(0.0, 0.0)}
        assert len(session.seams) == len(model.asked) - 1


def test_a_chained_group_is_as_large_as_memory_allows() -> None:
    model = ToneModel(most=3)

    sessions = engine_of(model, mode="chained").generate(cohort(5, 40.0), quiet)
    next(sessions)

    assert {len(batch) for batch in model.asked} == {3}
    n_windows = len(model.asked)
    assert len(list(sessions)) == 4
    assert [len(batch) for batch in model.asked[n_windows:]] == [2] * n_windows


def test_prompts_follow_the_affect_and_are_empty_where_words_are_not_conditioned_on() -> None:
    table = load_prompts("default")
    (words,) = sessions_of(engine_of(), cohort(1))
    (none,) = sessions_of(engine_of(conditioning=("tokens",), affect_tokens="t"), cohort(1))

    assert [take.prompt for take in words.takes] == [table.prompt(take.affect) for take in words.takes]
    assert words.models == {"tone": "1", "prompts default": table.sha256}
    assert {take.prompt for take in none.takes} == {""}
    assert none.models == {"tone": "1"}


def test_takes_say_what_each_clip_was_meant_to_be() -> None:
    model = ToneModel(near_ties=2)

    (session,) = sessions_of(engine_of(model), [plan_of(60.0)])

    requests = model.asked[0]
    assert [take.seed for take in session.takes] == [request.seed for request in requests]
    assert [take.codes_sha256 for take in session.takes] == [codes_sha256(codes_of(r)) for r in requests]
    assert all(take.is_heard and take.candidate == 0 for take in session.takes)
    assert {take.valence_pred for take in session.takes} == {None}
    last = session.takes[-1]
    assert last.onset_s + last.duration_s == pytest.approx(60.0)
    assert [take.near_ties for take in session.takes] == [2, 2, 2]
    assert session.notes == ("tones", NEAR_TIES)
    assert session.licences == {"tone": "Apache-2.0", "prompts default": "Apache-2.0"}


def distance(take: Take) -> float:
    assert take.valence_pred is not None
    assert take.arousal_pred is not None
    return float(np.hypot(take.valence_pred - take.affect.valence, take.arousal_pred - take.affect.arousal))


@pytest.mark.parametrize("mode", ["parallel", "chained"])
def test_the_candidate_nearest_to_the_aim_is_heard_and_the_others_are_recorded(mode: str) -> None:
    model = ToneModel()
    engine = engine_of(model, mode=mode, candidates=4, judge="level")

    (session,) = sessions_of(engine, [plan_of(90.0)], LevelJudge())

    by_onset: dict[float, list[Take]] = {}
    for take in session.takes:
        by_onset.setdefault(take.onset_s, []).append(take)
    assert len(by_onset) >= 3
    winners = []
    for takes in by_onset.values():
        assert [take.candidate for take in takes] == [0, 1, 2, 3]
        assert len({take.seed for take in takes}) == 4
        (heard,) = [take for take in takes if take.is_heard]
        assert distance(heard) == min(map(distance, takes))
        winners.append(heard.candidate)
    assert len(set(winners)) > 1
    assert session.rendering["judge"] == "level"


def test_a_chained_session_continues_from_the_winner() -> None:
    model = ToneModel()
    engine = engine_of(model, mode="chained", candidates=4, judge="level")

    (session,) = sessions_of(engine, [plan_of(90.0)], LevelJudge())

    winner = next(take.candidate for take in session.takes if take.is_heard)
    first = codes_of(model.asked[0][winner])
    assert winner != 0
    for request in model.asked[1]:
        assert request.prefix is not None
        assert (request.prefix == first[:, -500:]).all()


class Undecided(LevelJudge):
    """Hears the same in everything."""

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        return 0.1, 0.1


class HardOfHearing(LevelJudge):
    """Needs more than any clip has."""

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        raise AudioError("sound", "it is shorter than a minute", "use more")


class Speechless(LevelJudge):
    """Has no numbers."""

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        return float("nan"), 0.0


class Listener(LevelJudge):
    """Remembers how long its clips were."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        self.heard.append(len(samples))
        return super().judge(samples, sample_rate_hz)


def test_a_chained_clip_is_judged_without_what_it_was_given() -> None:
    model, judge = ToneModel(), Listener()

    sessions_of(engine_of(model, mode="chained", candidates=2, judge="level"), [plan_of(50.0)], judge)

    own = [
        request.n_frames - (0 if request.prefix is None else request.prefix.shape[1])
        for batch in model.asked
        for request in batch
    ]
    assert len(own) == 6
    assert judge.heard == [frames * 640 for frames in own]


def test_of_equals_the_first_is_heard() -> None:
    (session,) = sessions_of(engine_of(candidates=3, judge="level"), [plan_of(20.0)], Undecided())

    assert [take.is_heard for take in session.takes] == [True, False, False]


@pytest.mark.parametrize("mode", ["parallel", "chained"])
def test_a_judge_that_cannot_hear_a_clip_is_refused_by_session(mode: str) -> None:
    engine = engine_of(mode=mode, candidates=2, judge="level")

    with pytest.raises(
        AudioError, match=r"sub-01 ses-02: judge level cannot hear a clip of \d.* s \(it is sh"
    ):
        sessions_of(engine, [plan_of(20.0, 2)], HardOfHearing())
    with pytest.raises(AudioError, match=r"sub-01 ses-01: judge level gave no number"):
        sessions_of(engine, [plan_of(20.0)], Speechless())


def test_candidates_need_the_judge_the_protocol_names() -> None:
    engine = engine_of(candidates=2, judge="other")

    with pytest.raises(OutOfRange, match=r"candidates: 2 clips for each place, and no judge was given"):
        sessions_of(engine, cohort(1))
    with pytest.raises(OutOfRange, match=r"the protocol names 'other' and 'level' was given"):
        sessions_of(engine, cohort(1), LevelJudge())


def test_what_cannot_be_made_is_refused_before_the_model_is_loaded() -> None:
    loaded: list[ClipOptions] = []

    def load(options: ClipOptions, placement: Placement) -> ClipModel:
        loaded.append(options)
        return ToneModel()

    engine = ClipEngine("tones", "1", ClipOptions("tones"), load)

    with pytest.raises(OutOfRange, match="has no planned affect"):
        sessions_of(engine, [plan_of(), plan_of(kind=PathKind.NOISE)])
    with pytest.raises(OutOfRange, match=r"0\.9 s is no length"):
        sessions_of(engine, [plan_of(0.9)])
    assert loaded == []

    sessions_of(engine, [plan_of()])
    sessions_of(engine, [plan_of(session=2)])
    assert len(loaded) == 1


def test_a_placed_engine_is_another_with_the_same_options() -> None:
    engine = engine_of(mode="chained")

    placed = engine.placed(Placement("cuda:1", 8))

    assert isinstance(engine, PlaceableEngine)
    assert placed == replace(engine, placement=Placement("cuda:1", 8))


@pytest.mark.parametrize("options", [{}, {"mode": "chained"}])
def test_progress_rises_to_one_in_equal_steps(options: dict[str, Any]) -> None:
    shares: list[float] = []

    list(engine_of(ToneModel(most=1), **options).generate(cohort(3, 40.0), shares.append))

    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert max(np.diff(shares)) < 0.1


def test_a_model_that_makes_another_length_is_refused_by_session() -> None:
    class Short(ToneModel):
        def sound(self, codes: Sequence[NDArray[np.int16]]) -> list[NDArray[np.float32]]:
            return [sound[:-1] for sound in super().sound(codes)]

    with pytest.raises(AudioError, match=r"sub-01 ses-01: the model made \(\d+, 2\) samples of \d+ frames"):
        sessions_of(engine_of(Short()), cohort(1))


def test_a_rendered_session_has_the_studys_loudness_and_its_clips_their_levels(tmp_path: Path) -> None:
    (manifest,) = render_sessions([plan_of(60.0)], engine_of(), tmp_path, quiet)

    samples, rate = read_audio(tmp_path / "sub-01" / "ses-01" / "session.flac")
    assert integrated_loudness(samples, rate) == pytest.approx(-23.0, abs=0.1)
    assert manifest.true_peak_dbtp is not None
    assert manifest.true_peak_dbtp <= -1.0
    text = (tmp_path / "sub-01" / "ses-01" / "manifest.json").read_text()
    assert RenderManifest.from_json(text) == manifest
    assert (len(manifest.takes), len(manifest.seams)) == (3, 2)
    assert manifest.rendering["clips_per_batch"] == [3]
    # One gain for the whole session: a step in level at a seam is the clips' own.
    raw = sessions_of(engine_of(), [plan_of(60.0)])[0].samples
    gain = samples[5 * rate : 50 * rate] / np.where(np.abs(raw) > 0.02, raw, np.nan)[5 * rate : 50 * rate]
    assert np.nanstd(20 * np.log10(gain)) < 0.02


def test_the_judge_reaches_the_engine_through_render(tmp_path: Path) -> None:
    engine = engine_of(candidates=2, judge="level")

    (manifest,) = render_sessions([plan_of(20.0)], engine, tmp_path, quiet, LevelJudge())

    assert [take.is_heard for take in manifest.takes].count(True) == 1
    assert len(manifest.takes) == 2
