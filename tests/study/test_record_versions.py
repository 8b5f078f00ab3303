"""One chain holds several versions of the protocol, and says what was done to the clock."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from study.cohort import SimulatedClock
from study.errors import RecordBroken, RecordError, RecordMismatch
from study.events import ClockWentBack, DeviationRecorded, PayloadErased, ProtocolAmended
from study.record import Draft, Record
from study.store import payload_table, writing
from tests.study.conftest import PROTOCOL_SHA256

SECOND, THIRD = "a second version", "a third version"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def amendment(text: str, previous_sha256: str, names: str | None = None) -> Draft:
    return Draft(
        ProtocolAmended(text, text, sha256(names or text), previous_sha256, "the ethics board asked", ())
    )


def note(participant_id: str | None = None, protocol_sha256: str | None = None) -> Draft:
    return Draft(DeviationRecorded("a note", "a reason"), participant_id, None, protocol_sha256)


def append(record: Record, *drafts: Draft) -> list[str]:
    return [recorded.protocol_sha256 for recorded in record.append("test", lambda _: list(drafts))]


def test_rows_about_the_study_are_under_the_version_in_force(record: Record) -> None:
    assert append(record, note()) == [PROTOCOL_SHA256]

    # The amendment itself is made under the version it follows; what comes after, even at once, is not.
    assert append(record, amendment(SECOND, PROTOCOL_SHA256), note()) == [PROTOCOL_SHA256, sha256(SECOND)]
    assert append(record, note()) == [sha256(SECOND)]
    assert record.versions() == [PROTOCOL_SHA256, sha256(SECOND)]
    assert record.verify().sequence == 4


@pytest.mark.requirement("21 CFR 11.10(k)")
def test_a_participant_stays_under_the_version_they_came_under(record: Record) -> None:
    append(record, note("sub-1"))
    append(record, amendment(SECOND, PROTOCOL_SHA256))

    assert append(record, note("sub-1"), note("sub-2"), note("sub-2")) == [
        PROTOCOL_SHA256,
        sha256(SECOND),
        sha256(SECOND),
    ]
    append(record, amendment(THIRD, sha256(SECOND)))
    assert append(record, note("sub-2"), note("sub-1"), note("sub-3")) == [
        sha256(SECOND),
        PROTOCOL_SHA256,
        sha256(THIRD),
    ]
    # Somebody who agreed to the new version is moved by naming it.
    assert append(record, note("sub-1", sha256(THIRD))) == [sha256(THIRD)]
    record.verify()


def test_a_version_that_was_never_in_force_is_refused_and_nothing_is_written(record: Record) -> None:
    with pytest.raises(RecordMismatch, match="does not know"):
        append(record, note(), note("sub-1", sha256(SECOND)))

    assert record.head().sequence == 0


def test_an_amended_record_is_opened_by_the_version_it_began_with(record: Record, store_url: str) -> None:
    append(record, note(), amendment(SECOND, PROTOCOL_SHA256))

    again = Record.open(store_url, PROTOCOL_SHA256)
    assert append(again, note()) == [sha256(SECOND)]
    again.close()
    with pytest.raises(RecordMismatch, match="belongs to protocol"):
        Record.open(store_url, sha256(SECOND))


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        (amendment(SECOND, PROTOCOL_SHA256, names="another text"), "not of the hash it names"),
        (amendment(SECOND, sha256("no version")), "another version of the protocol"),
    ],
)
def test_verify_names_an_amendment_that_does_not_follow(record: Record, draft: Draft, said: str) -> None:
    append(record, note(), draft)

    with pytest.raises(RecordBroken, match=said) as broken:
        record.verify()

    assert broken.value.sequence == 2


@pytest.mark.requirement("ALCOA+ contemporaneous", "ALCOA+ consistent", "ICH E6(R3) 4.2.2(d)")
def test_a_clock_that_goes_back_is_noted_and_nothing_is_lost(record: Record, clock: SimulatedClock) -> None:
    append(record, note())
    clock.advance(3600)
    append(record, note("sub-1"))

    clock.advance(-600)
    appended = record.append("test", lambda _: [note("sub-1"), note("sub-1")])

    assert [type(r.event) for r in appended] == [DeviationRecorded, DeviationRecorded]
    before, noted, *after = record.events()[1:]
    assert isinstance(noted.event, ClockWentBack)
    assert noted.event.back_s == pytest.approx(600, abs=0.1)
    assert noted.event.previous_at == before.at.isoformat()
    assert [r.at >= noted.at for r in after] == [True, True]
    assert record.verify().sequence == 5


def test_clocks_that_differ_by_under_a_second_are_not_noted(record: Record, clock: SimulatedClock) -> None:
    append(record, note())
    clock.advance(-0.9)
    append(record, note())

    assert [r.kind for r in record.events()] == ["DeviationRecorded", "DeviationRecorded"]
    assert record.verify().sequence == 2


def test_a_clock_from_before_the_study_is_refused_and_nothing_is_written(
    record: Record, clock: SimulatedClock
) -> None:
    append(record, note())
    clock.advance(-86_400)

    with pytest.raises(RecordError, match=r"clock shows 2026-02-28 .* before the study began"):
        append(record, note())

    assert record.head().sequence == 1


def test_verify_names_a_row_dated_back_without_a_word(
    record: Record, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(record, note())
    clock.advance(3600)
    append(record, note())
    clock.advance(-timedelta(minutes=5).total_seconds())
    monkeypatch.setattr("study.appending._clock_notes", lambda *_: [])
    append(record, note())

    with pytest.raises(RecordBroken, match="300 s before the row before it") as broken:
        record.verify()

    assert broken.value.sequence == 3


def test_a_row_about_the_study_may_not_lose_its_payload(record: Record) -> None:
    append(record, note(), note())
    record.append("test", lambda _: [note("sub-1")])

    with writing(record._engine) as connection:
        emptied = payload_table.update().where(payload_table.c.sequence == 2)
        connection.execute(emptied.values(salt=None, body=None))
    record.append("test", lambda _: [Draft(PayloadErased(2, "a made-up reason"))])

    with pytest.raises(RecordBroken, match="never erased") as broken:
        record.verify()

    assert broken.value.sequence == 2
