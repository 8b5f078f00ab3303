"""What happened while the music played: events with their position in the sound, and what it expresses.

Source: Brain Imaging Data Structure 1.11.1, "Task events" and "Physiological and other continuous
recordings".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.export.bids.files import described, label, labels, write_continuous, write_json, write_tsv
from analysis.export.content import ExportContent, Told
from analysis.mer.predictor import AffectSeries
from analysis.tables.data_dictionary import data_dictionary

TASK = "listening"
_TASK_DESCRIPTION = (
    "Listening to the session's sound from its beginning, with ratings before, during and after."
)

_OWN: Mapping[str, Mapping[str, Any]] = {
    "onset": {
        "Description": "Position in the session's sound, from its first audible sample; n/a without one.",
        "Units": "s",
    },
    "duration": {"Description": "How long it lasted in the sound; 0 for what has no length.", "Units": "s"},
    "trial_type": {
        "Description": "What the row is.",
        "Levels": {
            "sound": "The session's sound as it was rendered.",
            "clip": "A clip of it: planned, generated and heard.",
            "player": "Something the player did, see action.",
            "probe": "A report given while the sound stood still, see instrument_id.",
        },
    },
    "stim_file": {"Description": "The session's sound in /stimuli."},
    "stim_sha256": {"Description": "SHA-256 of the session's sound file."},
}
_PLAYER = ("action", "reason", "volume", "rate", "detail", "player_s", "valence", "arousal", "sequence", "at")
_CLIP = (
    "arm", "clip_sha256", "valence_target", "arousal_target", "valence_pred", "arousal_pred", "loudness_lufs",
    "heard_s", "muted_s", "hidden_s",
)  # fmt: skip
_PROBE = (
    "arm", "instrument_id", "perspective", "missed", "missed_reason", "corrected", "responses", "scores",
    "valence", "arousal", "language", "response_time_s", "sequence", "at",
)  # fmt: skip
_ORDER = tuple(dict.fromkeys((*_PLAYER, *_PROBE, *_CLIP)))

Row = dict[str, Any]
Key = tuple[str, str]


def write_behaviour(
    content: ExportContent, folder: Path, subjects: Mapping[str, str], stimuli: Mapping[str, str], told: Told
) -> None:
    """Events and predictions of every session in which anything happened.

    Args:
        subjects: the study's id to BIDS' own.
        stimuli: SHA-256 of a sound to its file name in /stimuli; those that were not copied are not in it.
    """
    events = _events(content, stimuli)
    sessions = labels("ses", sorted({session for _, session in events}))
    names = [name for name in _ORDER if any(name in row for rows in events.values() for row in rows)]
    # Without any sound of its own there would be a column of nothing but n/a, and a declared stimulus.
    own = [name for name in _OWN if name != "stim_file" or stimuli]
    for done, ((who, session_id), rows) in enumerate(sorted(events.items())):
        told("writing sessions", done, len(events))
        stem = _stem(folder, subjects[who], sessions[session_id])
        write_tsv(stem.with_name(f"{stem.name}_events.tsv"), [*own, *names], rows)
        for predictor, series in sorted(content.predictions.get((who, session_id), {}).items()):
            _write_series(stem, predictor, series)
    if events:
        columns = data_dictionary().columns
        sidecar = {
            "TaskName": TASK,
            "TaskDescription": _TASK_DESCRIPTION,
            "StimulusPresentation": {"SoftwareName": content.software},
            **{name: dict(_OWN[name]) for name in own},
            **described(columns[name] for name in names),
        }
        write_json(folder / f"task-{TASK}_events.json", sidecar)


def _stem(folder: Path, subject: str, session: str) -> Path:
    return folder / subject / session / "beh" / f"{subject}_{session}_task-{TASK}"


def _events(content: ExportContent, stimuli: Mapping[str, str]) -> dict[Key, list[Row]]:
    """(participant_id, session_id) to rows, in the order of their onset."""
    found: dict[Key, list[Row]] = {}
    for name, trial_type, onset, columns in (
        ("sessions", "sound", None, ()),
        ("clips", "clip", "onset_s", _CLIP),
        ("playback", "player", "position_s", _PLAYER),
        ("self_reports", "probe", "probe_at_s", _PROBE),
    ):
        table = content.tables.get(name)
        if table is None or (name == "sessions" and "audio_sha256" not in table):
            continue
        shown = [column for column in columns if column in table.columns]
        for row in table[_has_place(name, table)].to_dict("records"):
            key = (str(row["participant_id"]), str(row["session_id"]))
            duration = row.get("duration_s", 0.0) if name in ("sessions", "clips") else 0.0
            event: Row = {
                "onset": 0.0 if onset is None else row[onset],
                "duration": duration,
                "trial_type": trial_type,
                **{column: row[column] for column in shown},
            }
            if name == "sessions":
                event["stim_sha256"] = row["audio_sha256"]
                event["stim_file"] = stimuli.get(row["audio_sha256"])
            found.setdefault(key, []).append(event)
    for rows in found.values():
        # Stable: what happened at one position stays in the order in which it was recorded.
        rows.sort(key=lambda row: np.inf if pd.isna(row["onset"]) else float(row["onset"]))
    return found


def _has_place(name: str, table: pd.DataFrame) -> pd.Series[bool]:
    if name == "self_reports":
        return table["probe_at_s"].notna() & table["session_id"].notna()
    if name == "sessions":
        return table["audio_sha256"].notna()
    return table["session_id"].notna()


def _write_series(stem: Path, predictor: str, series: AffectSeries) -> None:
    start_s, hop_s, values, is_resampled = _on_a_grid(series)
    name = f"{stem.name}_recording-{label(predictor)}_stim"
    write_continuous(stem.with_name(f"{name}.tsv.gz"), values.tolist())
    about = "Predicted from the sound by music emotion recognition: perceived, not felt. On [-1, 1]."
    sidecar = {
        "TaskName": TASK,
        "TaskDescription": _TASK_DESCRIPTION,
        "SamplingFrequency": 1.0 / hop_s,
        "StartTime": start_s,
        "Columns": ["valence_pred", "arousal_pred"],
        "valence_pred": {"Description": f"Valence. {about}"},
        "arousal_pred": {"Description": f"Arousal. {about}"},
        "SoftwareName": series.card.name,
        "SoftwareVersions": series.card.version,
        "WindowLength": series.window_s,
        "Limits": list(series.card.limits),
        "ResampledToGrid": is_resampled,
    }
    write_json(stem.with_name(f"{name}.json"), sidecar)


def _on_a_grid(series: AffectSeries) -> tuple[float, float, NDArray[np.float64], bool]:
    """Start, hop, values of shape [n, 2], and whether they had to be interpolated to an even hop.

    A sample belongs to the middle of its window.
    """
    centres = series.onset_s + series.window_s / 2
    values = np.stack([series.valence_pred, series.arousal_pred], axis=1)
    if len(centres) < 2:
        return float(centres[0]), series.window_s, values, False
    hop_s = float(np.median(np.diff(centres)))
    grid = centres[0] + hop_s * np.arange(len(centres))
    if np.allclose(grid, centres, rtol=0, atol=1e-3 * hop_s):
        return float(centres[0]), hop_s, values, False
    grid = np.arange(centres[0], centres[-1] + 1e-9, hop_s)
    even = np.stack([np.interp(grid, centres, column) for column in values.T], axis=1)
    return float(centres[0]), hop_s, even, True
