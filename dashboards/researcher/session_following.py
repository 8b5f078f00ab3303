"""One session as each predictor hears it: side by side, against its plan, and clip by clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from analysis.agreement.path_following import AXES, FEWEST_CLIPS, Course, skill
from analysis.agreement.path_sets import SHARES_CUES, was_judged_by, was_trained_by
from analysis.mer.comparison import HeardMean, disagreement
from analysis.mer.predictor import AffectSeries
from analysis.wording import number
from dashboards.researcher import markup
from study.events import History
from study.listening import listening_of
from study.manifest import RenderManifest

_COLUMNS = ("Predictor", "Axis", "Off the plan", "Error", "Skill", "Slope", "r", "r, detrended", "Direction")
_PART = {
    "reports": "{name} reports, as the protocol says.",
    "beside": "{name} stands beside it; the two are never averaged.",
}
_MANIPULATION_CHECK = "It hears the very cues the composer writes: a manipulation check, no second opinion."
_CHOSE = (
    "It, or one that hears with the same, chose among the candidate clips: its figures are no evidence here."
)
_TRAINED = (
    "It, or one that hears with the same, helped to train the model that made the clips: its figures are no "
    "evidence here."
)
_ONE_SESSION = (
    "Skill is over standing still at its own mean: 0 is no better. One session cannot tell following from a "
    "drift that happens to go the same way; the report holds sessions together against nulls."
)


def say_parts(manifest: RenderManifest, heard: Mapping[str, AffectSeries]) -> None:
    """Which predictor reports and which stand beside it, with the limits of each."""
    for place, (name, series) in enumerate(heard.items()):
        said = _PART["beside" if place else "reports"].format(name=name)
        if name in SHARES_CUES.get(manifest.engine.get("name", ""), ()):
            said += f" {_MANIPULATION_CHECK}"
        if was_judged_by(manifest, name):
            said += f" {_CHOSE}"
        if was_trained_by(manifest, name):
            said += f" {_TRAINED}"
        markup.show(markup.paragraph(f"{said} {' '.join(series.card.limits)}", is_quiet=True))


def show_following(
    manifest: RenderManifest, by_clip: Sequence[Mapping[str, HeardMean]], heard: Mapping[str, AffectSeries]
) -> None:
    """Whether the session follows its plan, as each predictor hears it."""
    rows = []
    for name in heard:
        both = [
            (clip, clip.affect, by[name])
            for clip, by in zip(manifest.clips, by_clip, strict=True)
            if name in by and clip.affect is not None
        ]
        if len(both) < FEWEST_CLIPS:
            continue
        course = Course(
            np.array([clip.onset_s + clip.duration_s / 2 for clip, _, _ in both]),
            np.array([(planned.valence, planned.arousal) for _, planned, _ in both]),
            np.array([(mean.valence_pred, mean.arousal_pred) for _, _, mean in both]),
        )
        errors = course.errors
        for axis, word in enumerate(AXES):
            rows.append(
                (
                    name,
                    word,
                    number(float(course.displacement[:, axis].mean())),
                    number(float(errors["generated"][axis])),
                    _number(skill(float(errors["generated"][axis]), float(errors["own_mean"][axis]))),
                    _number(course.slope[axis]),
                    _number(course.r(detrend=False)[axis]),
                    _number(course.r(detrend=True)[axis]),
                    _number(course.cosine) if axis == 0 else None,
                )
            )
    if rows:
        markup.show(markup.table("Does the sound follow its plan?", _COLUMNS, rows))
        markup.show(markup.paragraph(_ONE_SESSION, is_quiet=True))


def show_clips(
    manifest: RenderManifest,
    by_clip: Sequence[Mapping[str, HeardMean]],
    heard: Mapping[str, AffectSeries],
    history: History,
    session_id: str,
) -> None:
    """Planned beside what each predictor hears, clip by clip, and how far they are apart."""
    listening = listening_of(history, session_id)
    rows = [
        (
            f"{clip.onset_s:.0f} s",
            f"{clip.duration_s:.0f} s",
            f"{listening.heard_within(clip.onset_s, clip.onset_s + clip.duration_s):.0f} s",
            f"{number(clip.affect.valence)}, {number(clip.affect.arousal)}" if clip.affect else None,
            *(_said(by.get(name)) for name in heard),
            *((_disagreement(by),) if len(heard) > 1 else ()),
            None if clip.loudness_lufs is None else f"{number(clip.loudness_lufs, 1)} LUFS",
        )
        for clip, by in zip(manifest.clips, by_clip, strict=True)
    ]
    columns = (
        "From",
        "Length",
        "Heard",
        "Planned (valence, arousal)",
        *(f"As {name} hears it" for name in heard),
        *(("Disagreement",) if len(heard) > 1 else ()),
        "Loudness",
    )
    with st.expander(f"Clip by clip ({len(rows)})"):
        markup.show(markup.table("Clips", columns, rows))


def _said(mean: HeardMean | None) -> str | None:
    return None if mean is None else f"{number(mean.valence_pred)}, {number(mean.arousal_pred)}"


def _disagreement(by: Mapping[str, HeardMean]) -> str | None:
    valence = disagreement([mean.valence_pred for mean in by.values()])
    arousal = disagreement([mean.arousal_pred for mean in by.values()])
    return None if valence is None or arousal is None else f"{number(valence)}, {number(arousal)}"


def _number(value: float) -> str | None:
    return number(float(value)) if np.isfinite(value) else None
