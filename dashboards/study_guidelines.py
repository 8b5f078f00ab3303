"""From a study folder to the documents of the reporting guidelines: whole, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analysis.guidelines.files import guideline_files
from analysis.guidelines.record_facts import record_facts
from analysis.guidelines.trial import Trial
from analysis.results import results_from_json
from study.errors import StorageError
from study.folder import folder_made_whole, write_whole
from study.founding import Study


def trial_of(study: Study) -> Trial:
    """The trial as its verified record and its results have it.

    Raises:
        RecordBroken: the record does not verify.
        StorageError: there are no results yet.
        RecordMismatch: the results are another version's, or of an earlier state of the record.
    """
    head = study.record.verify()
    events = [row for row in study.record.events() if row.sequence <= head.sequence]
    path = study.folder.results
    if not path.is_file():
        raise StorageError(str(path), "is not there", f"run isopath analyse {study.folder.root} first")
    return Trial(
        study.protocol, record_facts(events, head.sha256), results_from_json(path.read_text("utf-8"))
    )


def study_guidelines(study: Study) -> dict[str, bytes]:
    """File name to content of every document.

    Raises:
        RecordError: the flow of participants does not add up.
    """
    return guideline_files(trial_of(study))


def write_documents(out: Path, files: Mapping[str, bytes]) -> None:
    """Write them into a new folder.

    Raises:
        StorageError: it is there already and holds something, or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StorageError(str(out), "is there already", "name a new folder")
    try:
        with folder_made_whole(out) as folder:
            for name, content in files.items():
                write_whole(folder / name, content)
    except OSError as problem:
        raise StorageError(
            str(out),
            f"cannot be written ({problem.strerror or problem})",
            "make room, or name a folder that can be written",
        ) from problem
