"""What each predictor hears in each clip, beside what was planned: one row for a clip and predictor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.mer.comparison import between
from analysis.mer.predictor import AffectSeries
from study.manifest import ManifestClip


def prediction_rows(
    participant_id: str,
    session_id: str,
    arm: str | None,
    clips: Sequence[ManifestClip],
    heard: Mapping[str, AffectSeries],
) -> Iterator[dict[str, Any]]:
    """The rows of `predictions` of one session.

    Args:
        heard: predictor's name to what it hears in the session, the one that reports first.
    """
    for clip in clips:
        by = between(heard, clip.onset_s, clip.onset_s + clip.duration_s)
        for name in heard:
            mean = by.get(name)
            planned = clip.affect
            yield {
                "participant_id": participant_id,
                "session_id": session_id,
                "arm": arm,
                "clip_sha256": clip.sha256,
                "onset_s": clip.onset_s,
                "duration_s": clip.duration_s,
                "predictor": name,
                "valence_pred": mean.valence_pred if mean else None,
                "arousal_pred": mean.arousal_pred if mean else None,
                "valence_spread": mean.valence_spread if mean else None,
                "arousal_spread": mean.arousal_spread if mean else None,
                "valence_displacement": mean.valence_pred - planned.valence if mean and planned else None,
                "arousal_displacement": mean.arousal_pred - planned.arousal if mean and planned else None,
                "n_windows": mean.n_windows if mean else 0,
                "foreign_share": mean.foreign_share if mean else None,
            }
