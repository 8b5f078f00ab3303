"""Until when what is kept, and what is due to go."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from study.backup import take_backup
from study.backup_manifest import read_backup_manifest
from study.cohort import SimulatedClock
from study.errors import RecordMismatch
from study.founding import Study, initialise_study, open_study
from study.freeze import freeze
from study.privacy.erasure import erase
from study.privacy.identities import begin_key_file, forget_identity, note_identities
from study.privacy.retention import Retention, months_later, retention_now, retention_of
from study.privacy.withdrawal import withdraw
from study.protocol import PrivacySpec
from study.protocol_file import parse_protocol
from study.step import RenderSession
from tests.study.conftest import ONE_SESSION
from tests.study.every_step import walk_to
from tests.study.test_identities import WORDS, bytes_of, quick_keys
from tests.study.test_withdrawal import MARKER, marked
from tests.study.walking import ACTOR, enrolled

__all__ = ["quick_keys"]

TEN_YEARS = PrivacySpec(10, 6, "privacy@example.org")


@pytest.fixture
def kept(study: Study) -> Study:
    """A study that keeps data for ten years, and names for half a year."""
    return replace(study, protocol=replace(study.protocol, privacy=TEN_YEARS))


def on(study: Study, year: int, month: int, day: int) -> Retention:
    return retention_of(study.protocol, study.record.events(), datetime(year, month, day, tzinfo=UTC))


def test_a_protocol_says_how_long(tmp_path: Path) -> None:
    whole = json.loads(ONE_SESSION.read_text())
    whole["privacy"] = {"retention_years": 10, "identities_months": 6, "contact": "privacy@example.org"}

    protocol = parse_protocol(json.dumps(whole).encode(), "it.json")

    assert protocol.privacy == TEN_YEARS
    assert parse_protocol(ONE_SESSION.read_bytes(), "it.json").privacy is None


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 3, 1), 120, date(2036, 3, 1)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
    ],
)
def test_months_are_those_of_the_calendar(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later


def test_the_years_count_from_the_freeze(kept: Study) -> None:
    assert retention_now(kept).data_until is None

    freeze(kept, "anna", "last visit done")

    assert retention_now(kept).data_until == date(2036, 3, 1)
    assert not on(kept, 2036, 3, 1).is_past
    assert on(kept, 2036, 3, 2).is_past
    assert on(kept, 2036, 3, 2).is_overdue


def test_who_somebody_is_goes_half_a_year_after_the_end_of_their_part(kept: Study) -> None:
    gone, under_way = enrolled(kept), enrolled(kept)
    walk_to(kept, gone, RenderSession)
    begin_key_file(kept, "anna", WORDS)
    note_identities(kept, "anna", WORDS, {gone: {"name": "Ada"}, under_way: {"name": "Ben"}})
    withdraw(kept, "anna", gone, keeps_data=True)

    found = on(kept, 2026, 9, 1).identities
    assert [(one.participant_id, one.by, one.is_overdue) for one in found] == [
        (gone, date(2026, 9, 1), False)
    ]
    assert on(kept, 2026, 9, 2).is_overdue

    forget_identity(kept, "anna", WORDS, gone, "the half year is over")
    assert on(kept, 2026, 9, 2).identities == ()


def test_a_wish_to_be_erased_is_overdue_after_thirty_days(study: Study) -> None:
    participant_id = enrolled(study)
    withdraw(study, "participant", participant_id, keeps_data=False)

    assert [(one.participant_id, one.by) for one in on(study, 2026, 3, 31).erasures] == [
        (participant_id, date(2026, 3, 31))
    ]
    assert not on(study, 2026, 3, 31).is_overdue
    assert on(study, 2026, 4, 1).is_overdue

    erase(study, "anna", participant_id)
    assert not on(study, 2026, 4, 1).is_overdue


class TestBackups:
    """What is erased is erased from backups too, or the tombstone says which ones still hold it."""

    def test_a_backup_that_is_named_loses_the_person_and_the_other_is_told(
        self, study: Study, tmp_path: Path
    ) -> None:
        gone = enrolled(study)
        walk_to(study, gone, RenderSession)
        marked(study, gone)
        first, made = take_backup(study, tmp_path / "one", "anna")
        second, other = take_backup(study, tmp_path / "two", "anna")
        assert MARKER.encode() in bytes_of(first)

        stone = erase(study, "anna", gone, backups=[first]).tombstone

        assert MARKER.encode() not in bytes_of(first)
        erased = read_backup_manifest(first).erased
        assert open_study(first).record.verify(erased=erased).sequence == made.rows
        assert (stone.backups_erased, stone.backups_holding) == ((made.backup_id,), (other.backup_id,))
        assert retention_now(study).backups_holding == {gone: (other.backup_id,)}

        take_backup(study, tmp_path / "three", "anna")
        later = erase(study, "anna", gone, backups=[second]).tombstone

        assert MARKER.encode() not in bytes_of(second)
        assert (later.backups_erased, later.backups_holding) == ((other.backup_id,), ())
        assert retention_now(study).backups_holding == {}

    def test_a_backup_of_another_study_is_refused_before_anything_is_done(
        self, study: Study, tmp_path: Path, clock: SimulatedClock
    ) -> None:
        gone = enrolled(study)
        walk_to(study, gone, RenderSession)
        other = initialise_study(tmp_path / "other", ONE_SESSION, "test", "isopath test", clock)
        foreign, _ = take_backup(other, tmp_path / "backups", "anna")
        other.record.close()
        head = study.record.head()

        with pytest.raises(RecordMismatch, match="does not know"):
            erase(study, "anna", gone, backups=[foreign])

        assert study.record.head() == head

    def test_no_backup_holds_the_key_file(self, study: Study, tmp_path: Path) -> None:
        begin_key_file(study, "anna", WORDS)
        note_identities(study, "anna", WORDS, {enrolled(study): {"name": "Ada"}})

        folder, _ = take_backup(study, tmp_path / "backups", "anna", with_accounts=True, with_seed=True)

        assert [path.name for path in folder.rglob("*identit*")] == []


def test_the_clock_is_the_record_s(study: Study) -> None:
    withdraw(study, ACTOR, enrolled(study), keeps_data=False)

    assert retention_now(study).erasures[0].by == (study.record.clock() + timedelta(days=30)).date()
