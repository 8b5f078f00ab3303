"""`isopath retention`: until when what is kept, and what is due to go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

import typer

from dashboards.cli.arguments import JsonOption, StudyArgument, opened, say
from study.oversight.words import counted
from study.privacy.retention import Deadline, Retention, retention_now


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath retention calm-study")(retention)


def retention(folder: StudyArgument, json: JsonOption = False) -> None:
    """Say until when the data are kept, who is still named, and what should have been erased."""
    found = retention_now(opened(folder))
    facts: dict[str, Any] = {**asdict(found), "is_overdue": found.is_overdue}
    say("\n".join(_sentences(found)), json, _plain_dates(facts))


def _sentences(found: Retention) -> Iterator[str]:
    if found.retention_years is None:
        yield "The protocol does not say how long the data are kept (privacy.retention_years)."
    elif found.data_until is None:
        years = counted(found.retention_years, "year")
        yield f"The data are kept for {years} from the freeze, which has not been yet."
    else:
        said = (
            "and are due to be destroyed"
            if found.is_past
            else f"{counted(found.retention_years, 'year')} from the freeze"
        )
        yield f"The data must be kept until {found.data_until}, {said}."
    if found.contact:
        yield f"People ask about their data: {found.contact}"
    yield from _deadlines(found.identities, "The key file may name", "isopath identity forget")
    yield from _deadlines(found.erasures, "To be erased:", "isopath withdraw --erase")
    for who, backups in found.backups_holding.items():
        yield f"{who} is erased, and still held by backups: {', '.join(backups)}"
    yield "Something is overdue." if found.is_overdue else "Nothing is overdue."


def _deadlines(deadlines: tuple[Deadline, ...], what: str, remedy: str) -> Iterator[str]:
    for one in deadlines:
        late = f", OVERDUE: {remedy}" if one.is_overdue else ""
        yield f"{what} {one.participant_id} until {one.by}{late}"


def _plain_dates(value: Any) -> Any:
    match value:
        case date():
            return value.isoformat()
        case dict():
            return {name: _plain_dates(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain_dates(item) for item in value]
    return value
