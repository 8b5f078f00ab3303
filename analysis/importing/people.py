"""Whose row is whose: codes of another system reconciled, and what a file says of each person.

A participant's id follows from the protocol and the code alone, so that the
same person is found again in a later file; a code that is a valid id already is
kept. The code itself is kept in the record, since somebody must be able to tell
whom a row is about: it should be a study code, never a name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.importing.cells import Cells
from analysis.importing.column_map import Ended
from analysis.importing.source_table import SourceRow
from study.errors import OutOfRange, UnknownName
from study.events import EndReason
from study.protocol import Design, StudyProtocol
from study.protocol_file.text import shown
from study.session import session_id_of

VALID_ID = re.compile(r"sub-[0-9A-Za-z]{1,40}", re.ASCII)

_ID_DIGITS = 12
_LONGEST_CODE = 64


@dataclass(frozen=True)
class PersonRows:
    """The rows of one person, in file order; `code` is the one that is kept."""

    code: str
    participant_id: str
    rows: tuple[SourceRow, ...]


@dataclass(frozen=True)
class PersonFacts:
    """What the rows of one person say of the person.

    Args:
        group_id: None for who was never allocated.
        ended: why the part ended early, with a note; None where it did not.
    """

    stratum: dict[str, str]
    group_id: str | None
    ended: tuple[EndReason, str] | None


def participant_id_of(protocol: StudyProtocol, code: str) -> str:
    """A code's id in this study: itself where it is one, else twelve hex digits of a hash."""
    if VALID_ID.fullmatch(code):
        return code
    return "sub-" + hashlib.sha256(f"{protocol.sha256}/{code}".encode()).hexdigest()[:_ID_DIGITS]


def people_of(cells: Cells, protocol: StudyProtocol) -> tuple[list[PersonRows], int]:
    """The file's people in order of appearance, and how many rows stood there twice."""
    column, same = cells.column_map.person, cells.column_map.same
    rows: dict[str, list[SourceRow]] = {}
    seen: set[tuple[str, ...]] = set()
    repeated = 0
    for row in cells.table.rows:
        code = row.cells[column]
        problem = _problem_of(code)
        if problem is not None:
            cells.refuse(row, column, problem, "write the person's study code, never a name")
            continue
        whole = tuple(row.cells.values())
        if whole in seen:
            repeated += 1
            continue
        seen.add(whole)
        rows.setdefault(same.get(code, code), []).append(row)
    _refuse_alike(cells, rows)
    people = [PersonRows(code, participant_id_of(protocol, code), tuple(mine)) for code, mine in rows.items()]
    owners: dict[str, str] = {}
    for person in people:
        owner = owners.setdefault(person.participant_id, person.code)
        if owner != person.code:
            problem = f"{shown(person.code)} and {shown(owner)} would both be {person.participant_id}"
            cells.refuse(person.rows[0], column, problem, "give one of them another code")
    return people, repeated


def _problem_of(code: str) -> str | None:
    if not code:
        return "is blank"
    if "@" in code:
        return f"{shown(code)} looks like an e-mail address"
    if any(sign.isspace() for sign in code):
        return f"{shown(code)} holds a blank, as names do"
    if not code.isprintable():
        return f"{shown(code)} holds a character that cannot be shown"
    if len(code) > _LONGEST_CODE:
        return f"is {len(code)} characters long, more than {_LONGEST_CODE}"
    return None


def _refuse_alike(cells: Cells, rows: dict[str, list[SourceRow]]) -> None:
    """Codes that differ in leading zeros or capitals alone are one person spelt twice, or will be."""
    alike: dict[str, str] = {}
    for code, mine in rows.items():
        bare = re.sub(r"(?<![0-9])0+(?=[0-9])", "", code.casefold())
        first = alike.setdefault(bare, code)
        if first != code:
            line = rows[first][0].line
            cells.refuse(
                mine[0],
                cells.column_map.person,
                f"{shown(code)} and {shown(first)} (line {line}) differ in leading zeros or capitals alone",
                f'if they are one person, write "same": {{{shown(code)}: {shown(first)}}} under `person` in '
                "the map; if they are two, give one another code",
            )


def facts_of(cells: Cells, protocol: StudyProtocol, person: PersonRows) -> PersonFacts:
    """Stratum, group and end of one person, each said by one row or by several alike."""
    spec, found = protocol.allocation, cells.column_map
    stratum: dict[str, str] = {}
    for factor in spec.strata:
        source, before = found.strata[factor.factor], len(cells.refusals)
        said = [(row, cells.word(row, source, factor.levels)) for row in person.rows]
        level = _agreed(cells, said, source.column, factor.factor)
        if level is not None:
            stratum[factor.factor] = level
        elif len(cells.refusals) == before:
            cells.refuse(
                person.rows[0],
                source.column,
                f"no row tells the {factor.factor} of {shown(person.code)}",
                "write " + " or ".join(factor.levels),
            )
    ended = None if found.ended is None else _ended(cells, person, found.ended)
    return PersonFacts(stratum, _group(cells, protocol, person), ended)


def _agreed(
    cells: Cells, said: Iterable[tuple[SourceRow, str | None]], column: str | None, what: str
) -> str | None:
    """The one value that rows name; rows that say nothing do not count, and two values are refused."""
    first: tuple[SourceRow, str] | None = None
    for row, value in said:
        if value is None:
            continue
        if first is not None and value != first[1]:
            problem = f"the {what} is {shown(value)} here and {shown(first[1])} in line {first[0].line}"
            cells.refuse(row, column, problem, "let all rows of a person say the same")
            return None
        first = first or (row, value)
    return None if first is None else first[1]


def _group(cells: Cells, protocol: StudyProtocol, person: PersonRows) -> str | None:
    source = cells.column_map.arm
    groups = tuple(group.group_id for group in protocol.allocation.groups)
    by_session = _arms_by_session(cells, protocol, person)
    if by_session is not None:
        return _sequence(cells, protocol, person, by_session)
    before = len(cells.refusals)
    said = [(row, cells.word(row, source, groups)) for row in person.rows]
    group = _agreed(cells, said, source.column, "arm")
    may_be_none = source.codes is not None and None in source.codes.values()
    if group is None and not may_be_none and len(cells.refusals) == before:
        problem = f"no row tells the arm of {shown(person.code)}"
        remedy = "write it; for who was never allocated, let a code of the map mean null"
        cells.refuse(person.rows[0], source.column, problem, remedy)
    return group


def _arms_by_session(
    cells: Cells, protocol: StudyProtocol, person: PersonRows
) -> list[tuple[SourceRow, str, str]] | None:
    """Row, session and arm, where a crossover's file tells the arm of each session; else None."""
    source, session = cells.column_map.arm, cells.column_map.session
    if protocol.design is not Design.CROSSOVER or session is None:
        return None
    groups = {group.group_id for group in protocol.allocation.groups}
    meanings = {cells.meaning(row, source) for row in person.rows} - {None}
    if meanings and meanings <= groups:
        return None
    arms = tuple(arm.arm_id for arm in protocol.arms)
    sessions = tuple(session_id_of(number) for number in range(1, protocol.session_count + 1))
    found = []
    for row in person.rows:
        session_id, arm = cells.word(row, session, sessions), cells.word(row, source, arms)
        if session_id is not None and arm is not None:
            found.append((row, session_id, arm))
    return found


def _sequence(
    cells: Cells, protocol: StudyProtocol, person: PersonRows, said: Sequence[tuple[SourceRow, str, str]]
) -> str | None:
    arms: dict[str, str] = {}
    for session_id in {session_id for _, session_id, _ in said}:
        mine = [(row, arm) for row, where, arm in said if where == session_id]
        arm = _agreed(cells, mine, cells.column_map.arm.column, f"arm of {session_id}")
        if arm is not None:
            arms[session_id] = arm
    fitting = [
        group.group_id
        for group in protocol.allocation.groups
        if all(group.arm_ids[int(session_id[4:]) - 1] == arm for session_id, arm in arms.items())
    ]
    if len(fitting) == 1:
        return fitting[0]
    told = ", ".join(f"{session_id} {arm}" for session_id, arm in sorted(arms.items())) or "no arm"
    many = "several sequences" if fitting else "no sequence"
    cells.refusals.append(
        UnknownName(
            cells.table.at(person.rows[0], cells.column_map.arm.column),
            f"{told} of {shown(person.code)} fits {many} of the protocol",
            "write the sequence's id: " + ", ".join(group.group_id for group in protocol.allocation.groups),
        )
    )
    return None


def _ended(cells: Cells, person: PersonRows, ended: Ended) -> tuple[EndReason, str] | None:
    said: list[tuple[SourceRow, str | None]] = []
    for row in person.rows:
        cell = row.cells[ended.column]
        if cell and cell not in ended.codes:
            cells.refusals.append(
                OutOfRange(
                    cells.table.at(row, ended.column),
                    f"{shown(cell)} is not in the map's codes",
                    "add it to the codes with a reason, or null where the part did not end early",
                )
            )
        said.append((row, ended.codes.get(cell)))
    reason = _agreed(cells, said, ended.column, "reason of the end")
    if reason is None:
        return None
    notes = [row.cells[ended.note] for row in person.rows if ended.note and row.cells[ended.note]]
    return EndReason(reason), "; ".join(dict.fromkeys(notes))
