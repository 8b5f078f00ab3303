"""Fifty people allocated at once by several processes: no place twice, none left out, no deadlock."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from study.conduct import enrol
from study.events import (
    ConsentGiven,
    EligibilityAssessed,
    ParticipantAllocated,
    ParticipantEnrolled,
    StudyInitialised,
)
from study.founding import Study, initialise_study, open_study
from study.places import check_places
from study.protocol import AllocationSpec, Phase
from study.record import Draft, Record
from study.step import GiveReport
from study.steps import is_allocated
from tests.study.walking import ACTOR, answer, due

SMALLEST = Path(__file__).parents[1] / "protocols" / "valid" / "smallest.json"
PROCESSES = 3
PEOPLE = 50


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str | None:
    """The address of another database than the study folder's own, or None."""
    kind = getattr(request, "param", "sqlite")
    return str(request.getfixturevalue("postgres_url")) if kind == "postgresql" else None


def on(study: Study, store: str | None) -> Study:
    """The same study with its record elsewhere."""
    if store is None:
        return study
    return replace(study, record=Record.open(store, study.protocol.sha256, busy_timeout_s=60.0))


def begun_in(study: Study, store: str) -> Study:
    """The study with an empty record of its own in another database."""
    begun = study.record.events(kinds=[StudyInitialised])[0].event
    assert isinstance(begun, StudyInitialised)
    record = Record.create(store, study.protocol.sha256)
    record.append(ACTOR, lambda _: [Draft(begun)])
    record.close()
    return on(study, store)


@pytest.mark.requirement("21 CFR 11.10(f)")
@pytest.mark.parametrize(
    "store",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
    indirect=True,
)
def test_fifty_people_at_once_get_fifty_places_without_a_gap(tmp_path: Path, store: str | None) -> None:
    study = initialise_study(tmp_path / "study", SMALLEST, ACTOR, "isopath test")
    with closing((study if store is None else begun_in(study, store)).record) as record:
        _fifty_at_once(replace(study, record=record), store)


def _fifty_at_once(study: Study, store: str | None) -> None:
    waiting = ready_to_allocate(study)
    context = multiprocessing.get_context("spawn")
    begin = context.Barrier(PROCESSES)
    shares = [waiting[k::PROCESSES] for k in range(PROCESSES)]
    root = study.folder.root
    processes = [context.Process(target=allocate_all, args=(root, store, share, begin)) for share in shares]

    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)

    assert [process.exitcode for process in processes] == [0] * PROCESSES
    given = [r.event for r in study.record.events(kinds=[ParticipantAllocated])]
    spots = [(e.block, e.position) for e in given if isinstance(e, ParticipantAllocated)]
    assert len(spots) == len(set(spots)) == PEOPLE
    assert spots == expected_spots(study.protocol.allocation, spots)
    assert all(is_allocated(study.record.participant(who)) for who in waiting)
    assert len({r.participant_id for r in study.record.events(kinds=[ParticipantEnrolled])}) == 2 * PEOPLE
    assert check_places(study).places == PEOPLE
    study.record.verify()


def expected_spots(spec: AllocationSpec, spots: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Block after block, each from its first place, each but the last of an allowed size."""
    sizes = Counter(block for block, _ in spots)
    assert sorted(sizes) == list(range(len(sizes)))
    assert all(sizes[block] in spec.block_sizes for block in range(len(sizes) - 1))
    return [(block, position) for block in sorted(sizes) for position in range(sizes[block])]


def ready_to_allocate(study: Study) -> list[str]:
    """People whose pre report is all that is missing."""
    people = [f"sub-{number:04d}" for number in range(PEOPLE)]
    drafts: list[Draft] = []
    for who in people:
        drafts.append(Draft(ParticipantEnrolled({}, simulated=False), who))
        drafts.append(Draft(ConsentGiven(study.protocol.consent_version, "0" * 64, "en"), who))
        drafts.append(Draft(EligibilityAssessed({"adult": True}, eligible=True), who))
    study.record.append(ACTOR, lambda _: drafts)
    step = due(study, people[0])
    assert isinstance(step, GiveReport)
    assert step.phase is Phase.PRE
    return people


def allocate_all(root: Path, store: str | None, people: list[str], begin: Barrier) -> None:
    """In a process of its own: everybody's pre report at once, and one more enrolment beside each."""
    study = on(open_study(root, busy_timeout_s=60.0), store)

    def report(participant_id: str) -> None:
        enrol(study, ACTOR, {})
        answer(study, participant_id)

    begin.wait()
    with ThreadPoolExecutor(len(people)) as threads:
        list(threads.map(report, people))
    study.record.close()
