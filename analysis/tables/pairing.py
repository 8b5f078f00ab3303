"""Felt beside generated and planned: what was heard before each report.

A window counts heard seconds back from the report, so a pause or a stop moves
it; sound that was not heard is never in it. `pre` is never paired: it set the
path's start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.mer.predictor import AffectSeries
from study.events import History, SelfReportSubmitted
from study.listening import Listening, ListeningFold
from study.manifest import ManifestClip, RenderManifest
from study.path import PathKind
from study.protocol import Phase, StudyProtocol

Interval = tuple[float, float]
PAIRED_PHASES = (Phase.PROBE, Phase.POST)
NO_MUSIC = frozenset({PathKind.SILENCE, PathKind.NOISE, PathKind.SPEECH})
"""Kinds of path that hold no music, so that music emotion recognition has nothing to say of them."""

_TOLERANCE_S = 1e-6


@dataclass(frozen=True)
class Pairing:
    """What one report is paired with.

    Args:
        heard_s: seconds of sound in the window.
        predicted: mean predicted valence and arousal over the window, or None.
        planned: mean planned valence and arousal over the window, or None.
        clip_sha256: of the clip that fills most of the window, or None.
        reason: why there is no prediction; None where there is.
    """

    heard_s: float
    predicted: tuple[float, float] | None
    planned: tuple[float, float] | None
    clip_sha256: str | None
    reason: str | None


def pair_rows(
    protocol: StudyProtocol,
    history: History,
    arms: dict[str, str],
    manifests: dict[str, RenderManifest],
    predictions: dict[str, AffectSeries],
) -> Iterator[dict[str, Any]]:
    """One row of the table `pairs` for each of a participant's probe and post reports with affect.

    Args:
        history: one participant's events, in order.
        arms: session to arm.
        manifests, predictions: by session; either may lack a session.
    """
    spec = protocol.analysis.agreement
    # One fold a session, taken as far as each report: a session is read once, however many reports it has.
    folds: dict[str, ListeningFold] = {}
    for recorded in history:
        report = recorded.event
        session_id = recorded.session_id
        if session_id is None:
            continue
        fold = folds.setdefault(session_id, ListeningFold())
        if not isinstance(report, SelfReportSubmitted):
            fold.take(recorded)
            continue
        if report.phase not in PAIRED_PHASES or report.affect is None:
            continue
        window_s = spec.probe_window_s if report.phase is Phase.PROBE else spec.post_window_s
        manifest = manifests.get(session_id)
        arm = arms.get(session_id)
        kind = None if arm is None else protocol.arm(arm).path.kind
        pairing = make_pairing(
            heard_before(fold.listening(), report.probe_at_s),
            window_s,
            manifest.clips if manifest is not None else (),
            None if kind in NO_MUSIC else predictions.get(session_id),
            f"the arm's sound is {kind}, not music" if kind in NO_MUSIC else "the session was not predicted",
        )
        valence_pred, arousal_pred = pairing.predicted or (None, None)
        valence_target, arousal_target = pairing.planned or (None, None)
        yield {
            "participant_id": recorded.participant_id,
            "session_id": session_id,
            "arm": arm,
            "sequence": recorded.sequence,
            "phase": str(report.phase),
            "instrument_id": report.instrument_id,
            "perspective": str(report.perspective),
            "probe_at_s": report.probe_at_s,
            "valence": report.affect.valence,
            "arousal": report.affect.arousal,
            "valence_pred": valence_pred,
            "arousal_pred": arousal_pred,
            "valence_target": valence_target,
            "arousal_target": arousal_target,
            "window_s": window_s,
            "window_heard_s": pairing.heard_s,
            "clip_sha256": pairing.clip_sha256,
            "audio_sha256": manifest.audio_sha256 if manifest is not None else None,
            "unpaired_reason": pairing.reason,
        }


def heard_before(listening: Listening, probe_at_s: float | None) -> tuple[Interval, ...]:
    """Stretches of session time heard before a report, in the order heard.

    Args:
        listening: the session's, up to the report.
        probe_at_s: the probe's onset; sound beyond it is not counted, and sound
            that still ran at the report is counted up to it. None for `post`.
    """
    intervals = listening.intervals_s
    if probe_at_s is None:
        return intervals
    if listening.playing:
        intervals = (*intervals, (listening.position_s, probe_at_s))
    clipped = ((low, min(high, probe_at_s)) for low, high in intervals)
    return tuple((low, high) for low, high in clipped if high > low)


def last_heard(intervals: Sequence[Interval], window_s: float) -> tuple[Interval, ...]:
    """The last `window_s` seconds heard, as stretches of session time, latest first.

    Shorter in all where less was heard.
    """
    stretches: list[Interval] = []
    left_s = window_s
    for low, high in reversed(intervals):
        if left_s <= 0:
            break
        start_s = max(low, high - left_s)
        stretches.append((start_s, high))
        left_s -= high - start_s
    return tuple(stretches)


def make_pairing(
    heard: Sequence[Interval],
    window_s: float,
    clips: Sequence[ManifestClip],
    series: AffectSeries | None,
    without_series: str,
) -> Pairing:
    """Pair one report with the sound heard before it.

    Args:
        heard: stretches of session time, in the order heard.
        window_s: how many heard seconds count.
        clips: of the session; empty where none was rendered.
        series: the prediction, or None.
        without_series: the reason given where there is no prediction.
    """
    stretches = last_heard(heard, window_s)
    heard_s = min(sum(high - low for low, high in stretches), window_s)
    weights = [sum(_overlap_s(clip, stretch) for stretch in stretches) for clip in clips]
    predicted = None if series is None else _predicted(series, stretches, _merged(heard))
    reason = None
    if heard_s == 0:
        reason = "nothing was heard before the report"
    elif series is None:
        reason = without_series
    elif predicted is None:
        reason = "less was heard than one window of the predictor"
    elif not np.isfinite(predicted).all():
        predicted, reason = None, "the predictor gave no number for what was heard"
    main = clips[int(np.argmax(weights))].sha256 if any(weights) else None
    return Pairing(heard_s, predicted, _planned(clips, weights), main, reason)


def _predicted(
    series: AffectSeries, stretches: Sequence[Interval], heard: Sequence[Interval]
) -> tuple[float, float] | None:
    """Mean over the predictor's windows centred in the stretches and lying wholly in heard sound.

    A stretch heard twice counts twice.
    """
    onsets = np.asarray(series.onset_s, dtype=float)
    ends, centres = onsets + series.window_s, onsets + series.window_s / 2
    wholly = np.zeros(onsets.shape, dtype=bool)
    for low, high in heard:
        wholly |= (onsets >= low - _TOLERANCE_S) & (ends <= high + _TOLERANCE_S)
    counts = np.zeros(onsets.shape)
    for low, high in stretches:
        counts += wholly & (centres >= low) & (centres < high)
    if not counts.any():
        return None
    return (
        float(np.average(series.valence_pred, weights=counts)),
        float(np.average(series.arousal_pred, weights=counts)),
    )


def _planned(clips: Sequence[ManifestClip], weights: Sequence[float]) -> tuple[float, float] | None:
    """Mean planned affect, each clip weighted by its heard seconds; None if any has no plan."""
    used = [(clip.affect, weight) for clip, weight in zip(clips, weights, strict=True) if weight > 0]
    points = [(affect.valence, affect.arousal, weight) for affect, weight in used if affect is not None]
    if not points or len(points) != len(used):
        return None
    valence, arousal, weight = np.array(points).T
    return float(np.average(valence, weights=weight)), float(np.average(arousal, weights=weight))


def _overlap_s(clip: ManifestClip, stretch: Interval) -> float:
    return max(0.0, min(clip.onset_s + clip.duration_s, stretch[1]) - max(clip.onset_s, stretch[0]))


def _merged(intervals: Sequence[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1] + _TOLERANCE_S:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged
