"""The key file: who people are, and how little of it anybody else ever sees."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from study.cohort import SimulatedClock
from study.conduct import enrol
from study.errors import (
    ConductError,
    IsopathError,
    OutOfRange,
    RecordBusy,
    RecordMismatch,
    StorageError,
    UnknownName,
    WrongPassphrase,
)
from study.events import IdentitiesHandedOut, IdentityForgotten, IdentityNoted
from study.founding import Study, initialise_study, open_study
from study.freeze import freeze
from study.held import held
from study.privacy.copies import hand_out, read_people
from study.privacy.identities import (
    begin_key_file,
    change_passphrase,
    entry_of,
    find_people,
    forget_identity,
    key_file_path,
    note_identities,
    open_identities,
)
from study.privacy.withdrawal import withdraw
from tests.study.conftest import ONE_SESSION
from tests.study.walking import STRATUM

WORDS = "copper lantern seventh meadow"
ADA = {"name": "Adalet Öztürk-Marlowe", "phone": "+49 30 5550123", "hospital_number": "H-77120"}
BEN = {"name": "Benedikt Straßer", "birth_date": "1961-04-02"}


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases are stretched for less long; how long it takes stands in each file."""
    monkeypatch.setattr("study.sealed._PASSES", 1)
    monkeypatch.setattr("study.sealed._MEMORY_KIB", 1024)


@pytest.fixture
def people(study: Study) -> tuple[str, str]:
    """Two people, noted."""
    ada, ben = enrol(study, "anna", STRATUM), enrol(study, "anna", STRATUM)
    begin_key_file(study, "anna", WORDS)
    note_identities(study, "anna", WORDS, {ada: ADA, ben: BEN})
    return ada, ben


def bytes_of(folder: Path) -> bytes:
    """Every byte of every file of a folder."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


@pytest.mark.requirement("GDPR Art. 25", "GDPR Art. 32")
def test_who_somebody_is_stands_in_the_key_file_and_nowhere_else(
    study: Study, people: tuple[str, str]
) -> None:
    ada, _ = people

    assert entry_of(study, WORDS, ada) == ADA
    noted = [r.event for r in study.record.events(ada, kinds=[IdentityNoted])]
    assert isinstance(noted[0], IdentityNoted)
    assert noted[0].fields == ("hospital_number", "name", "phone")
    study.record.close()
    everything = bytes_of(study.folder.root)
    for value in ADA.values():
        assert value.encode() not in everything
        assert json.dumps(value)[1:-1].encode() not in everything
    assert stat.S_IMODE(key_file_path(study).stat().st_mode) == 0o600


def test_what_is_noted_again_replaces_its_field_and_keeps_the_others(
    study: Study, people: tuple[str, str]
) -> None:
    ada, ben = people

    note_identities(study, "anna", WORDS, {ada: {"phone": "+49 30 5550999"}})

    assert entry_of(study, WORDS, ada) == {**ADA, "phone": "+49 30 5550999"}
    assert entry_of(study, WORDS, ben) == BEN


def test_people_are_found_by_every_word_whatever_its_case(study: Study, people: tuple[str, str]) -> None:
    ada, ben = people

    assert set(find_people(study, WORDS, "ÖZTÜRK-marl 77120")) == {ada}
    assert set(find_people(study, WORDS, "STRASSER")) == {ben}
    assert find_people(study, WORDS, "adalet 1961") == {}


def test_a_wrong_passphrase_is_one_refusal_that_quotes_nothing(study: Study, people: tuple[str, str]) -> None:
    with pytest.raises(WrongPassphrase, match="is not opened by this passphrase") as refused:
        entry_of(study, "wrong words altogether", people[0])

    assert "wrong words" not in str(refused.value)


def test_a_changed_byte_of_the_entries_is_noticed(study: Study, people: tuple[str, str]) -> None:
    path = key_file_path(study)
    whole = json.loads(path.read_text())
    body = whole["sealed"]
    whole["sealed"] = body[:40] + ("A" if body[40] != "A" else "B") + body[41:]
    path.write_text(json.dumps(whole))

    with pytest.raises(WrongPassphrase, match="was changed since it was written"):
        entry_of(study, WORDS, people[0])


class TestForeignFiles:
    """A key file belongs to one record, and to the newest state of it."""

    def test_another_study_of_the_same_protocol_has_another_key_file(
        self, study: Study, people: tuple[str, str], tmp_path: Path, clock: SimulatedClock
    ) -> None:
        other = initialise_study(tmp_path / "other", ONE_SESSION, "test", "isopath test", clock)
        key_file_path(other).write_bytes(key_file_path(study).read_bytes())

        with pytest.raises(RecordMismatch, match="key file of another study"):
            open_identities(other, WORDS)
        other.record.close()

    def test_a_file_that_the_record_does_not_know_is_refused(
        self, study: Study, people: tuple[str, str]
    ) -> None:
        key_file_path(study).unlink()
        before = study.record.head()
        with pytest.raises(OutOfRange, match="fewer than 12"):
            begin_key_file(study, "anna", "short")
        assert study.record.head() == before

        begin_key_file(study, "anna", WORDS)
        begun = key_file_path(study).read_bytes()

        # A second place: it has a file of its own, and knows nothing of the first one's people.
        assert open_identities(study, WORDS).people == {}
        with pytest.raises(StorageError, match="is there already"):
            begin_key_file(study, "anna", WORDS)
        assert key_file_path(study).read_bytes() == begun

    def test_an_older_copy_that_still_names_somebody_forgotten_is_refused(
        self, study: Study, people: tuple[str, str]
    ) -> None:
        ada, ben = people
        older = key_file_path(study).read_bytes()
        forget_identity(study, "anna", WORDS, ada, "asked for it")
        key_file_path(study).write_bytes(older)

        with pytest.raises(RecordMismatch, match=f"still names {ada}"):
            entry_of(study, WORDS, ben)

        forget_identity(study, "anna", WORDS, ada, "once more")
        assert entry_of(study, WORDS, ben) == BEN
        with pytest.raises(UnknownName, match="nothing is noted"):
            entry_of(study, WORDS, ada)

    def test_an_older_copy_that_lacks_somebody_is_refused(
        self, study: Study, people: tuple[str, str]
    ) -> None:
        older = key_file_path(study).read_bytes()
        cara = enrol(study, "anna", STRATUM)
        note_identities(study, "anna", WORDS, {cara: {"name": "Cara"}})
        key_file_path(study).write_bytes(older)

        with pytest.raises(RecordMismatch, match=f"lacks {cara}"):
            open_identities(study, WORDS)


def test_another_passphrase_shuts_out_the_old_one_and_the_old_data_key(
    study: Study, people: tuple[str, str]
) -> None:
    old = open_identities(study, WORDS)

    change_passphrase(study, WORDS, "granite violin harbour thirty")

    assert entry_of(study, "granite violin harbour thirty", people[0]) == ADA
    with pytest.raises(WrongPassphrase):
        open_identities(study, WORDS)
    assert open_identities(study, "granite violin harbour thirty")._data_key != old._data_key


def test_forgetting_is_on_record_and_says_only_that_somebody_was_forgotten(
    study: Study, people: tuple[str, str]
) -> None:
    ada, _ = people

    forget_identity(study, "anna", WORDS, ada, "asked for it")

    forgotten = [r.event for r in study.record.events(ada, kinds=[IdentityForgotten])]
    assert [event.reason for event in forgotten if isinstance(event, IdentityForgotten)] == ["asked for it"]
    with pytest.raises(UnknownName):
        forget_identity(study, "anna", WORDS, ada, "twice")


def test_one_wrong_field_leaves_file_and_record_as_they_were(study: Study, people: tuple[str, str]) -> None:
    ada, ben = people
    before, head = key_file_path(study).read_bytes(), study.record.head()

    with pytest.raises(IsopathError, match="is no name of a field") as refused:
        note_identities(study, "anna", WORDS, {ada: {"phone": "1"}, ben: {"Full Name": "x", "note": "a\nb"}})
    with pytest.raises(UnknownName, match="'sub-nobody' is not enrolled"):
        note_identities(study, "anna", WORDS, {ada: {"phone": "1"}, "sub-nobody": {"phone": "2"}})

    assert "note" in str(refused.value)
    assert key_file_path(study).read_bytes() == before
    assert study.record.head() == head


def test_nothing_is_noted_of_somebody_who_asked_to_be_erased(study: Study, people: tuple[str, str]) -> None:
    withdraw(study, "anna", people[0], keeps_data=False)

    with pytest.raises(ConductError, match="asked for their data to be erased"):
        note_identities(study, "anna", WORDS, {people[0]: {"phone": "1"}})


def test_after_the_freeze_an_address_may_still_be_mended(study: Study, people: tuple[str, str]) -> None:
    freeze(study, "anna", "last visit done")

    note_identities(study, "anna", WORDS, {people[0]: {"phone": "0"}})

    assert entry_of(study, WORDS, people[0])["phone"] == "0"


def _never(process_id: str) -> IsopathError:
    return RecordBusy("the lock", f"is held by {process_id}", "this does not happen here")


def test_while_another_process_writes_the_key_file_nobody_else_does(
    study: Study, people: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("study.privacy.identities._WAIT_S", 0.2)
    before = key_file_path(study).read_bytes()

    with (
        held(study.folder.root / ".identities.lock", _never),
        pytest.raises(RecordBusy, match="is being written by process"),
    ):
        note_identities(study, "anna", WORDS, {people[0]: {"phone": "1"}})

    assert key_file_path(study).read_bytes() == before


def _note_some(root: Path, who: list[str]) -> None:
    study = open_study(root)
    for person in who:
        note_identities(study, "anna", WORDS, {person: {"name": f"Name of {person}"}})
    os._exit(0)


def test_two_processes_that_note_at_once_lose_nobody(study: Study, people: tuple[str, str]) -> None:
    more = [enrol(study, "anna", STRATUM) for _ in range(4)]
    forked = multiprocessing.get_context("fork")
    both = [forked.Process(target=_note_some, args=(study.folder.root, more[i::2])) for i in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)

    assert [process.exitcode for process in both] == [0, 0]
    named = open_identities(study, WORDS).people
    assert {who: named[who]["name"] for who in more} == {who: f"Name of {who}" for who in more}


def test_a_copy_in_the_clear_has_a_reason_and_lies_outside_the_study(
    study: Study, people: tuple[str, str], tmp_path: Path
) -> None:
    ada, ben = people
    with pytest.raises(OutOfRange, match="lies in the study folder"):
        hand_out(study, "anna", WORDS, study.folder.root / "people.csv", "letters")

    assert hand_out(study, "anna", WORDS, tmp_path / "people.csv", "letters to participants") == 2

    assert stat.S_IMODE((tmp_path / "people.csv").stat().st_mode) == 0o600
    assert read_people(tmp_path / "people.csv") == {ada: ADA, ben: BEN}
    told = [r.event for r in study.record.events(kinds=[IdentitiesHandedOut])]
    assert told == [IdentitiesHandedOut(2, "letters to participants")]
