"""What a report is paired with: heard seconds, counted back."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.mer.predictor import AffectSeries
from analysis.tables.build import build_tables
from analysis.tables.pairing import heard_before, last_heard, make_pairing
from study.affect import Affect
from study.events import (
    Event,
    PlaybackEnded,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    StopReason,
)
from study.listening import listening_of
from study.manifest import ManifestClip
from study.path import PathKind
from study.protocol import Phase
from tests.analysis.made_study import CARD, MadeStudy, make_protocol

CLIPS = tuple(
    ManifestClip("s.flac", 30.0 * i, 30.0, Affect(i / 10, -i / 10), f"sha-{i}", -23.0) for i in range(8)
)


def ramp(duration_s: float = 240.0, window_s: float = 3.0, hop_s: float = 1.5) -> AffectSeries:
    """Valence is the window's centre in units of 1000 s; arousal its negative."""
    onsets = np.arange(0.0, duration_s - window_s + 0.01, hop_s)
    centres = onsets + window_s / 2
    return AffectSeries(onsets, window_s, centres / 1000, -centres / 1000, CARD)


def heard(*events: Event, probe_at_s: float | None = None) -> tuple[tuple[float, float], ...]:
    study = MadeStudy(make_protocol())
    for event in events:
        study.add(event, "sub-1", "ses-01")
    return heard_before(listening_of(study.events, "ses-01"), probe_at_s)


def test_a_probe_that_interrupts_nothing_counts_the_sound_up_to_its_onset() -> None:
    assert heard(PlaybackStarted(0.0), probe_at_s=60.0) == ((0.0, 60.0),)


def test_a_probe_recorded_after_the_session_counts_the_sound_up_to_its_onset() -> None:
    assert heard(PlaybackStarted(0.0), PlaybackEnded(240.0), probe_at_s=60.0) == ((0.0, 60.0),)


def test_sound_after_the_probe_is_not_what_it_is_about() -> None:
    assert heard(PlaybackStarted(0.0), PlaybackPaused(62.0), probe_at_s=60.0) == ((0.0, 60.0),)


def test_nothing_was_heard_before_the_sound_started() -> None:
    assert heard(probe_at_s=60.0) == ()


def test_a_pause_without_a_jump_leaves_the_window_where_it_was() -> None:
    stretches = last_heard(
        heard(PlaybackStarted(0.0), PlaybackPaused(50.0), PlaybackResumed(50.0), PlaybackEnded(90.0)), 60.0
    )

    assert stretches == ((50.0, 90.0), (30.0, 50.0))


def test_skipped_sound_is_not_in_the_window() -> None:
    stretches = last_heard(
        heard(PlaybackStarted(0.0), PlaybackPaused(40.0), PlaybackResumed(200.0), PlaybackEnded(240.0)), 60.0
    )

    assert stretches == ((200.0, 240.0), (20.0, 40.0))


def test_an_early_stop_moves_the_window_of_the_post_report() -> None:
    intervals = heard(PlaybackStarted(0.0), PlaybackStopped(100.0, StopReason.CHOSE_TO_STOP))
    found = make_pairing(intervals, 60.0, CLIPS, ramp(), "")

    assert found.heard_s == 60.0
    assert found.predicted is not None
    # Windows centred in 40 to 100 s and ending by 100 s: centres 40.5 to 97.5 s, or 98.5 s at most.
    assert found.predicted[0] == pytest.approx(0.0692, abs=0.001)
    assert found.predicted[1] == -found.predicted[0]


def test_no_window_of_the_predictor_reaches_into_unheard_sound() -> None:
    series = ramp()
    loud_later = np.where(series.onset_s + series.window_s > 100.0, 1.0, 0.0)
    found = make_pairing(
        ((0.0, 100.0),), 60.0, CLIPS, AffectSeries(series.onset_s, 3.0, loud_later, loud_later, CARD), ""
    )

    assert found.predicted == (0.0, 0.0)


def test_the_mean_of_a_full_window_is_that_of_the_predictor_over_it() -> None:
    found = make_pairing(((0.0, 240.0),), 60.0, CLIPS, ramp(), "")
    expected = ramp().mean_over(180.0, 240.0)

    assert found.predicted == pytest.approx(expected)


def test_what_was_heard_twice_counts_twice() -> None:
    once = make_pairing(((0.0, 30.0), (60.0, 90.0)), 60.0, CLIPS, ramp(), "")
    again = make_pairing(((0.0, 30.0), (60.0, 90.0), (60.0, 90.0)), 90.0, CLIPS, ramp(), "")
    assert once.predicted is not None
    assert again.predicted is not None

    assert once.predicted[0] == pytest.approx(0.045, abs=5e-4)
    assert again.predicted[0] == pytest.approx((15 + 75 + 75) / 3000, abs=5e-4)


def test_the_planned_mean_weights_each_clip_by_its_heard_seconds() -> None:
    found = make_pairing(((0.0, 40.0),), 30.0, CLIPS, None, "not predicted")

    assert found.planned == pytest.approx(((20 * 0.0 + 10 * 0.1) / 30, -(10 * 0.1) / 30))
    assert found.clip_sha256 == "sha-0"
    assert found.reason == "not predicted"


def test_less_heard_than_one_window_of_the_predictor_is_not_paired() -> None:
    found = make_pairing(((0.0, 2.0),), 30.0, CLIPS, ramp(), "")

    assert found.predicted is None
    assert found.reason == "less was heard than one window of the predictor"


def test_the_windows_are_the_protocols_and_pre_is_never_paired() -> None:
    study = _one_session(PathKind.ISO)
    pairs = build_tables(study.protocol, study.events, study.manifests, study.predictions).pairs

    assert list(pairs["phase"]) == ["probe", "post"]
    assert list(pairs["window_s"]) == [30.0, 60.0]
    assert list(pairs["window_heard_s"]) == [30.0, 60.0]
    series = study.predictions["sub-1", "ses-01"]["musicnn"]
    for place, (low, high) in enumerate(((30.0, 60.0), (180.0, 240.0))):
        mean = series.mean_over(low, high)
        assert mean is not None
        # A window of 3 s may reach past the probe by half; those are left out.
        assert pairs["valence_pred"].iloc[place] == pytest.approx(mean[0], abs=0.01)


@pytest.mark.parametrize("kind", [PathKind.SILENCE, PathKind.NOISE])
def test_an_arm_without_music_is_never_paired_with_a_prediction(kind: PathKind) -> None:
    study = _one_session(kind)
    study.predictions["sub-1", "ses-01"] = {"musicnn": ramp()}
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)

    assert tables.pairs["valence_pred"].isna().all()
    assert set(tables.pairs["unpaired_reason"]) == {f"the arm's sound is {kind}, not music"}
    assert tables.clips["valence_pred"].isna().all()


def test_a_session_without_prediction_says_so() -> None:
    study = _one_session(PathKind.ISO)
    pairs = build_tables(study.protocol, study.events, study.manifests, {}).pairs

    assert set(pairs["unpaired_reason"]) == {"the session was not predicted"}
    assert pairs["valence_target"].notna().all()


def _one_session(kind: PathKind) -> MadeStudy:
    study = MadeStudy(make_protocol((kind, PathKind.TARGET_ONLY), probes_at_s=(60.0,)))
    pre = Affect(-0.5, 0.5)
    study.enrol("sub-1")
    study.report("sub-1", "ses-01", Phase.PRE, pre)
    study.allocate("sub-1", str(kind))
    study.render("sub-1", 1, pre)
    study.add(PlaybackStarted(0.0), "sub-1", "ses-01")
    study.report("sub-1", "ses-01", Phase.PROBE, Affect(0.0, 0.2), 60.0)
    study.add(PlaybackEnded(240.0), "sub-1", "ses-01")
    study.report("sub-1", "ses-01", Phase.POST, Affect(0.4, -0.2))
    return study
