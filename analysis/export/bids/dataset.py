"""The study as a BIDS dataset: participants, sessions, phenotype, behaviour, stimuli.

Source: Brain Imaging Data Structure 1.11.1, "Modality agnostic files" and "Behavioral experiments (with no
neural recordings)"; Gorgolewski et al. (2016), Scientific Data 3, 160044. Nothing is recorded but behaviour:
``beh`` is the only data type.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.export.bids.behaviour import write_behaviour
from analysis.export.bids.files import described, labels, write_json, write_tsv
from analysis.export.bids.phenotype import write_phenotype
from analysis.export.codebook import codebook_of
from analysis.export.content import ExportContent, Told
from analysis.export.sounds import copy_sounds

BIDS_VERSION = "1.11.1"

_README = (
    f"BIDS {BIDS_VERSION}. participants.tsv: one row a person, with the group once arms may be told.",
    "sub-*/sub-*_sessions.tsv: one row a session, in the realised order (period), with heard seconds.",
    "phenotype/: questionnaires and rating scales, one file for each of them, phase and session (and run,",
    "where it was asked several times), since a person may have one row in a file.",
    "sub-*/ses-*/beh/*_events.tsv: what the player did, probes and clips; onset is the position in the",
    "session's sound, which stands still while the sound is paused. Lines of the player without a position",
    "have onset n/a.",
    "sub-*/ses-*/beh/*_stim.tsv.gz: what music emotion recognition hears in the sound, one recording a",
    "predictor: perceived emotion, not what anyone felt.",
    "stimuli/: the sounds that were played, each once, named by its SHA-256.",
    "",
    r"Free text is as people wrote it, but for \\, \t, \n and \r in place of a backslash, a tab and line",
    "ends, which a TSV cell cannot hold. Adverse events and deviations are in the CSV export of the same",
    "record.",
)


def write_bids(content: ExportContent, folder: Path, told: Told) -> None:
    """The whole dataset.

    Args:
        folder: exists and is empty.

    Raises:
        OutOfRange: two participants would have the same label.
        RecordMismatch: a sound is not the one that was rendered.
    """
    people = content.tables["participants"]
    subjects = labels("sub", people["participant_id"].astype(str))
    write_json(folder / "dataset_description.json", _description(content))
    (folder / "README").write_text("\n".join((*content.about(), "", *_README)) + "\n", "utf-8")
    _write_participants(content, folder, subjects)
    _write_sessions(content, folder, subjects)
    write_phenotype(content, folder / "phenotype", subjects)
    stimuli = copy_sounds(content.sounds, folder / "stimuli", told)
    write_behaviour(content, folder, subjects, stimuli, told)


def _description(content: ExportContent) -> dict[str, Any]:
    protocol = content.protocol
    name, _, version = content.software.partition(" ")
    return {
        "Name": protocol.title,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "License": "n/a",
        "Keywords": ["music medicine", "music emotion", "valence", "arousal"],
        **({"EthicsApprovals": [protocol.ethics]} if protocol.ethics else {}),
        **({"ReferencesAndLinks": [protocol.registration]} if protocol.registration else {}),
        "GeneratedBy": [
            {
                "Name": name,
                "Version": version,
                "Description": f"From row {content.head.sequence} of the study record, {content.head.sha256}",
            }
        ],
    }


def _write_participants(content: ExportContent, folder: Path, subjects: Mapping[str, str]) -> None:
    table = content.tables["participants"]
    rows = [{**row, "participant_id": subjects[str(row["participant_id"])]} for row in rows_of(table)]
    write_tsv(folder / "participants.tsv", [str(name) for name in table.columns], rows)
    (book,) = codebook_of({"participants": table})
    write_json(folder / "participants.json", described(book.columns))


def _write_sessions(content: ExportContent, folder: Path, subjects: Mapping[str, str]) -> None:
    table = content.tables["sessions"]
    columns = ["session_id", *(str(c) for c in table.columns if c not in ("participant_id", "session_id"))]
    for who, mine in table.groupby("participant_id", sort=True):
        subject = subjects[str(who)]
        write_tsv(folder / subject / f"{subject}_sessions.tsv", columns, rows_of(mine))
    (book,) = codebook_of({"sessions": table[columns]})
    if len(table):
        write_json(folder / "sessions.json", described(book.columns))


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table's rows as mappings."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
