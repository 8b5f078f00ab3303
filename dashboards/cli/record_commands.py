"""Commands about the record: status, verify."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from dashboards.cli.arguments import JsonOption, StudyArgument, opened, say
from dashboards.cli.passphrases import PassphraseFile, with_seed
from study.checkpoint import check_against
from study.erasable import erasures_due
from study.errors import OutOfRange
from study.events import (
    AdverseEventReported,
    ArmsUnblinded,
    ClockWentBack,
    ConsentGiven,
    EligibilityAssessed,
    History,
    ParticipantAllocated,
    RecordedEvent,
    RecordFrozen,
    SessionRendered,
)
from study.founding import Study
from study.freeze import is_frozen, is_unblinded
from study.frozen import is_paused
from study.oversight.stop_rules import reached_stop_rules
from study.places import check_places
from study.rendered import check_sounds
from study.step import describe
from study.steps import next_step
from study.visits import Visit, VisitStatus, visits_of


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command(epilog="Example: isopath status calm-study")(status)
    app.command(epilog="Example: isopath verify calm-study --head 3f5a…")(verify)


def status(folder: StudyArgument, json: JsonOption = False) -> None:
    """How far the study is, and what is due for whom. Arms are never shown."""
    study = opened(folder)
    people = _by_participant(study.record.events())
    due = {pid: describe(next_step(study.protocol_of(history), history)) for pid, history in people.items()}
    counts = {
        "enrolled": len(people),
        "consented": _having(people, ConsentGiven),
        "eligible": sum(
            any(isinstance(r.event, EligibilityAssessed) and r.event.eligible for r in history)
            for history in people.values()
        ),
        "allocated": _having(people, ParticipantAllocated),
        "rendered": _having(people, SessionRendered),
        "adverse_events": sum(
            isinstance(r.event, AdverseEventReported) for history in people.values() for r in history
        ),
    }
    rehearsal = study.rehearsal() is not None
    now = study.record.clock()
    visits = {pid: visits_of(study.protocol, history, now) for pid, history in people.items()}
    if json:
        planned = study.protocol.sample_size
        seen = {pid: [_visit_facts(visit) for visit in of_one] for pid, of_one in visits.items()}
        closed = {
            "frozen": is_frozen(study.record),
            "unblinded": is_unblinded(study.record),
            "recruitment_paused": is_paused(study.record),
            "protocol_version": study.protocol.version,
            "to_be_erased": sorted(erasures_due(study.record.events())),
        }
        facts = {"simulated": rehearsal, **closed, "planned": planned, **counts, "next": due, "visits": seen}
        say("", True, facts)
        return
    _print_status(study, counts, due, rehearsal)
    _print_visits(visits)


def _print_status(study: Study, counts: dict[str, int], due: dict[str, str], rehearsal: bool) -> None:
    console = Console()
    console.print(f"[bold]{study.protocol.title}[/bold]", highlight=False)
    if rehearsal:
        console.print("[bold]SIMULATED PARTICIPANTS[/bold]: this record is a rehearsal.")
    for recorded in study.record.events(kinds=[RecordFrozen, ArmsUnblinded]):
        what = "Frozen" if isinstance(recorded.event, RecordFrozen) else "Unblinded"
        console.print(f"{what} on {recorded.at:%Y-%m-%d %H:%M} UTC by {recorded.actor}.", highlight=False)
    for version in reversed(study.protocol.versions[:-1]):
        console.print(f"Version {version.version} of the protocol came into force later.", highlight=False)
    if is_paused(study.record):
        console.print("[bold]Recruitment is paused[/bold]: nobody is enrolled for now.", highlight=False)
    for rule in reached_stop_rules(study.protocol, study.record.events()):
        console.print(f"[bold]{rule.text}[/bold] ({rule.at:%Y-%m-%d %H:%M} UTC)", highlight=False)
    for participant_id, at in erasures_due(study.record.events()).items():
        asked = f"{participant_id} asked on {at:%Y-%m-%d} to be erased"
        console.print(f"[bold]{asked}[/bold]: isopath withdraw --erase", highlight=False)
    counted = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in counts.items())
    console.print(f"Planned {study.protocol.sample_size}; {counted}.", highlight=False)
    table = Table("next step", "participants", "who", box=None, pad_edge=False)
    for step, number in Counter(due.values()).most_common():
        who = [pid for pid, what in due.items() if what == step]
        table.add_row(step, str(number), ", ".join(who[:4]) + (" …" if number > 4 else ""))
    if due:
        console.print(table)
    else:
        console.print("Nobody is enrolled yet: isopath enrol")


def _visit_facts(visit: Visit) -> dict[str, str | None]:
    window = {"opens_at": visit.opens_at, "closes_at": visit.closes_at}
    days = {name: at.isoformat() if at is not None else None for name, at in window.items()}
    return {"name": visit.name, "session_id": visit.session_id, "status": str(visit.status), **days}


def _print_visits(visits: Mapping[str, Sequence[Visit]]) -> None:
    counted = Counter((visit.name, visit.status) for planned in visits.values() for visit in planned)
    if not counted:
        return
    shown = [status for status in VisitStatus if any(status is seen for _, seen in counted)]
    table = Table("visit", *(str(status).replace("_", " ") for status in shown), box=None, pad_edge=False)
    for name in dict.fromkeys(name for name, _ in counted):
        table.add_row(name, *(str(counted[name, status] or "") for status in shown))
    console = Console()
    console.print()
    console.print(table)


def verify(
    folder: StudyArgument,
    head: Annotated[
        str | None,
        typer.Option(metavar="SHA256", help="A head noted earlier; the record must still hold it."),
    ] = None,
    sounds: Annotated[
        bool, typer.Option("--sounds", help="Also hash every rendered session's sound.")
    ] = False,
    allocation: Annotated[
        bool, typer.Option("--allocation", help="Also work out every place of the allocation again.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also hold it against this signed checkpoint.", show_default=False),
    ] = None,
    public_key: Annotated[
        str | None,
        typer.Option(
            metavar="HEX", help="Who must have signed the checkpoint, as noted elsewhere.", show_default=False
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Walk the record's hash chain; exit code 2 names the first row that does not hold.

    Note the printed head outside the study folder: with it, `--head` later finds a
    record that was cut short or rewritten as a whole; so does a signed `--checkpoint`.
    """
    if public_key is not None and checkpoint is None:
        raise OutOfRange("--public-key", "is given without a checkpoint", "add --checkpoint FILE")
    study = opened(folder)
    found = study.record.verify(expected_sha256=head)
    facts: dict[str, Any] = {"rows": found.sequence, "head_sha256": found.sha256, "verified": True}
    said = f"The chain holds: {found.sequence} rows, head {found.sha256}"
    if sounds:
        facts["sounds"] = check_sounds(study)
        said += f"\nThe sound of {facts['sounds']} session(s) is as it was rendered."
    if allocation:
        checked = check_places(with_seed(study, passphrase_file))
        facts["places"] = vars(checked)
        said += f"\nAllocation: {checked.places} place(s) are as they were drawn."
        if checked.unknown:
            said += f" {checked.unknown} cannot be worked out any more, since rows were erased."
    if checkpoint is not None:
        signed = check_against(study, checkpoint, public_key)
        facts["checkpoint"] = {"rows": signed.rows, "signed_at": signed.signed_at}
        said += f"\nIt holds what was signed at {signed.signed_at}: row {signed.rows}, {signed.head_sha256}."
    back = study.record.events(kinds=[ClockWentBack])
    facts["clock_went_back"] = [row.sequence for row in back]
    if back:
        rows = ", ".join(str(row.sequence) for row in back)
        said += f"\nA clock went back before row {rows}: see when those and later rows say they were written."
    say(said, json, facts)


def _by_participant(events: History) -> dict[str, list[RecordedEvent]]:
    people: dict[str, list[RecordedEvent]] = {}
    for recorded in events:
        if recorded.participant_id is not None:
            people.setdefault(recorded.participant_id, []).append(recorded)
    return people


def _having(people: dict[str, list[RecordedEvent]], kind: type) -> int:
    return sum(any(isinstance(r.event, kind) for r in history) for history in people.values())
