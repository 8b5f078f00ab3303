"""What a schema cannot say of a protocol: whether its parts fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from study.path import PathKind
from study.protocol_file.checks_allocation import check_allocation
from study.protocol_file.checks_analysis import check_analysis
from study.protocol_file.checks_conduct import check_conduct
from study.protocol_file.checks_outcomes import check_outcomes
from study.protocol_file.checks_pages import check_pages, check_picture_files
from study.protocol_file.checks_paths import check_paths, stays_beside
from study.protocol_file.checks_questions import check_questions
from study.protocol_file.checks_strata import check_strata
from study.protocol_file.draft import Part, run_checks
from study.protocol_file.text import Finding


def check_meaning(draft: Part) -> Iterator[Finding]:
    """Everything that is wrong between the readable parts of a draft."""
    yield from run_checks(
        (
            check_paths,
            check_allocation,
            check_strata,
            check_conduct,
            check_outcomes,
            check_analysis,
            check_questions,
            check_pages,
        ),
        draft,
    )


def check_files(draft: Part, folder: Path) -> Iterator[Finding]:
    """Sound and picture files that do not lie where the protocol says.

    A `self_selected` arm names none: its sound comes with the people who bring it.
    """
    yield from run_checks((_arms_have_their_files, _instruments_have_their_pictures), draft, folder)


def _arms_have_their_files(draft: Part, folder: Path) -> Iterator[Finding]:
    for arm in draft["arms"].readable_parts():
        yield from run_checks((_files_exist,), arm, folder)


def _instruments_have_their_pictures(draft: Part, folder: Path) -> Iterator[Finding]:
    for instrument in draft["instruments"].readable_parts():
        yield from run_checks((check_picture_files,), instrument, folder)


def _files_exist(arm: Part, folder: Path) -> Iterator[Finding]:
    kind = PathKind(arm["path"]["kind"].text)
    files = arm["path"].get("files")
    if files is None or not kind.needs_files:
        return
    for file in files.readable_parts():
        if stays_beside(file.text) and not (folder / file.text).is_file():
            yield file.finding(
                "there is no such file beside the protocol",
                "put it there, or mend its name",
            )
