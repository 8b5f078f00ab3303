"""A backup is whole, verifies, and never brings anybody back who was erased."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.backup import erase_from_backup, take_backup
from study.backup_manifest import MANIFEST, read_backup_manifest
from study.cohort import SimulatedClock
from study.conduct import record_deviation
from study.errors import ConductError, OutOfRange, RecordBroken, RecordMismatch, Refusals, StorageError
from study.events import BackupTaken, DataErased, PayloadErased, RestoredFromBackup
from study.founding import Study, initialise_study, open_study
from study.record import Draft, Record
from study.restoring import Restored, restore_backup
from tests.study.conftest import ONE_SESSION
from tests.study.walking import ACTOR, enrolled

SECRET = "zanzibarbarossa"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def stored(request: pytest.FixtureRequest, tmp_path: Path, clock: SimulatedClock) -> Iterator[Study]:
    """A study with somebody in it, on either database."""
    store = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    made = initialise_study(tmp_path / "study", ONE_SESSION, "test", "isopath test", clock, store=store)
    yield made
    made.record.close()


def with_somebody(study: Study) -> str:
    """Somebody whose own words are in the record, and whose session is on disk."""
    who = enrolled(study)
    record_deviation(study, ACTOR, who, SECRET, "said so")
    folder = study.folder.sessions / who / "ses-1"
    folder.mkdir(parents=True)
    (folder / "session.flac").write_bytes(SECRET.encode() * 100)
    hidden = study.folder.sessions / who / ".ses-2.half"
    hidden.mkdir()
    (hidden / "session.flac").write_bytes(b"in the making")
    return who


def restored(
    backup: Path,
    root: Path,
    clock: SimulatedClock,
    store: str | None = None,
    seed: Path | None = None,
    live: Study | None = None,
) -> Restored:
    return restore_backup(backup, root, ACTOR, "the disk failed", store, seed, live, clock)


def files_of(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "record.sqlite" not in path.name
    }


@pytest.mark.requirement("21 CFR 11.10(c)", "ALCOA+ enduring", "ALCOA+ available")
def test_what_is_restored_is_what_was_backed_up(stored: Study, tmp_path: Path, clock: SimulatedClock) -> None:
    who = with_somebody(stored)
    head, before = stored.record.head(), stored.record.events()

    backup, manifest = take_backup(stored, tmp_path / "backups", ACTOR, with_seed=True)
    back = restored(backup, tmp_path / "again", clock)

    assert (manifest.rows, manifest.head_sha256) == (head.sequence, head.sha256)
    assert stored.record.events()[-1].event == BackupTaken(manifest.backup_id, head.sha256, head.sequence)
    after = back.study.record.events()
    assert after[:-1] == before
    assert after[-1].event == RestoredFromBackup(manifest.backup_id, head.sha256, "the disk failed")
    assert back.study.record.verify(expected_sha256=head.sha256).sequence == head.sequence + 1
    assert back.can_allocate
    sound = f"sessions/{who}/ses-1/session.flac"
    whole, again = files_of(stored.folder.root), files_of(back.study.folder.root)
    assert again[sound] == whole[sound]
    # Only what was half made, and where the record is, does not come along.
    assert {name for name in whole if name not in again} <= {
        f"sessions/{who}/.ses-2.half/session.flac",
        "store.json",
    }
    back.study.record.close()


@pytest.mark.postgres
def test_a_backup_is_brought_back_into_postgresql_with_the_same_head(
    study: Study, tmp_path: Path, clock: SimulatedClock, postgres_url: str
) -> None:
    with_somebody(study)
    head = study.record.head()
    backup, _ = take_backup(study, tmp_path / "backups", ACTOR)

    back = restored(backup, tmp_path / "again", clock, store=postgres_url)

    assert back.study.folder.record_url == postgres_url
    assert back.study.record.sha256_at(head.sequence) == head.sha256
    assert not back.study.folder.record.exists()
    assert not back.can_allocate
    back.study.record.close()
    with pytest.raises(Exception, match="already holds a record"):
        restored(backup, tmp_path / "twice", clock, store=postgres_url)
    assert not (tmp_path / "twice").exists()


def test_a_backup_taken_while_others_write_verifies(stored: Study, tmp_path: Path) -> None:
    who = enrolled(stored)
    stop = threading.Event()

    def write() -> None:
        # Without a breath between two writes SQLite may let nobody else in for longer than anybody waits.
        while not stop.wait(0.005):
            record_deviation(stored, ACTOR, who, "meanwhile", "busy")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        taken = [take_backup(stored, tmp_path / "backups", ACTOR) for _ in range(2)]
    finally:
        stop.set()
        writer.join()

    for backup, manifest in taken:
        copied = Record.at(f"sqlite:///{backup / 'record.sqlite'}")
        assert copied.verify().sha256 == manifest.head_sha256 == stored.record.sha256_at(manifest.rows)
        copied.close()


def test_a_backup_is_read_like_a_study_and_takes_nothing(study: Study, tmp_path: Path) -> None:
    who = with_somebody(study)
    backup, manifest = take_backup(study, tmp_path / "backups", ACTOR)

    opened = open_study(backup)

    assert opened.record.verify().sequence == manifest.rows
    with pytest.raises(StorageError, match="is a backup"):
        record_deviation(opened, ACTOR, who, "a slip", "wrong folder")
    opened.record.close()


def test_secrets_are_in_a_backup_only_where_asked_for(study: Study, tmp_path: Path) -> None:
    (study.folder.root / "access.sqlite").write_bytes(b"password hashes")
    (study.folder.root / "identities.sealed").write_bytes(b"names")

    plain, _ = take_backup(study, tmp_path / "backups", ACTOR)
    whole, _ = take_backup(study, tmp_path / "backups", ACTOR, with_accounts=True, with_seed=True)

    assert {path.name for path in plain.iterdir()} & {"access.sqlite", "allocation.seed"} == set()
    assert {"access.sqlite", "allocation.seed"} <= {path.name for path in whole.iterdir()}
    assert not (whole / "identities.sealed").exists()


@pytest.mark.requirement("GDPR Art. 17")
def test_who_was_erased_is_gone_from_a_backup_and_is_not_restored(
    stored: Study, tmp_path: Path, clock: SimulatedClock
) -> None:
    who = with_somebody(stored)
    stays = with_somebody(stored)
    rows = [row.sequence for row in stored.record.events(who)]
    backup, manifest = take_backup(stored, tmp_path / "backups", ACTOR)
    other, _ = take_backup(stored, tmp_path / "backups", ACTOR)

    assert erase_from_backup(backup, who, rows) == manifest.backup_id

    assert not (backup / "sessions" / who).exists()
    assert SECRET.encode() in (backup / "sessions" / stays / "ses-1" / "session.flac").read_bytes()
    for number, kept in enumerate((backup, other)):  # The other is bound by the note beside them.
        back = restored(kept, tmp_path / f"again{number}", clock)
        assert back.erased == (who,)
        assert [row.event for row in back.study.record.events(who)] == [None] * len(rows)
        told = [row.event for row in back.study.record.events(kinds=[PayloadErased])]
        assert [event.erased_sequence for event in told if isinstance(event, PayloadErased)] == rows
        assert not (back.study.folder.sessions / who).exists()
        assert (back.study.folder.sessions / stays).exists()
        assert back.study.record.verify().sequence == back.rows + len(rows) + 1
        back.study.record.close()


def test_erased_words_leave_the_backups_own_file(study: Study, tmp_path: Path) -> None:
    who = with_somebody(study)
    rows = [row.sequence for row in study.record.events(who)]
    backup, _ = take_backup(study, tmp_path / "backups", ACTOR)
    assert SECRET.encode() in (backup / "record.sqlite").read_bytes()

    erase_from_backup(backup, who, rows)

    for path in backup.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


def test_the_study_as_it_is_says_who_was_erased(study: Study, tmp_path: Path, clock: SimulatedClock) -> None:
    who = with_somebody(study)
    backup, _ = take_backup(study, tmp_path / "backups", ACTOR)
    rows = [row.sequence for row in study.record.events(who)]
    study.record.erase_payloads(ACTOR, rows, "consent withdrawn")
    stone = DataErased(rows=len(rows), files=1, kept=(), backups_erased=(), backups_holding=())
    study.record.append(ACTOR, lambda _: [Draft(stone, who)])

    back = restored(backup, tmp_path / "again", clock, live=study)

    assert back.erased == (who,)
    assert [row.event for row in back.study.record.events(who)] == [None] * len(rows)
    assert not (back.study.folder.sessions / who).exists()
    back.study.record.close()


def test_an_erasure_during_a_backup_leaves_no_backup(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = with_somebody(study)
    copy_files = "study.backup._copy_files"

    def meanwhile(*_: object) -> tuple[()]:
        study.record.erase_payload(ACTOR, study.record.events(who)[0].sequence, "consent withdrawn")
        return ()

    monkeypatch.setattr(copy_files, meanwhile)
    with pytest.raises(ConductError, match="erased while it was taken"):
        take_backup(study, tmp_path / "backups", ACTOR)

    assert not (tmp_path / "backups").exists()
    assert not study.record.events(kinds=[BackupTaken])


def test_every_damage_of_a_backup_is_told_at_once_and_nothing_is_restored(
    study: Study, tmp_path: Path, clock: SimulatedClock
) -> None:
    who = with_somebody(study)
    backup, _ = take_backup(study, tmp_path / "backups", ACTOR)
    (backup / "sessions" / who / "ses-1" / "session.flac").write_bytes(b"another sound")
    (backup / "protocol.json").unlink()
    (backup / "sounds").mkdir(exist_ok=True)
    (backup / "sounds" / "planted.flac").write_bytes(b"nobody's")

    with pytest.raises(Refusals) as refused:
        restored(backup, tmp_path / "again", clock)

    said = str(refused.value)
    assert "session.flac: is not the file that was backed up" in said
    assert "protocol.json: is missing" in said
    assert "planted.flac: is none of the backup's files" in said
    assert not (tmp_path / "again").exists()


def test_a_backup_with_a_changed_row_is_refused(study: Study, tmp_path: Path, clock: SimulatedClock) -> None:
    with_somebody(study)
    backup, manifest = take_backup(study, tmp_path / "backups", ACTOR)
    record = Record.at(f"sqlite:///{backup / 'record.sqlite'}")
    record.empty_payloads([3])
    record.close()

    with pytest.raises(RecordBroken, match="row 3") as broken:
        restored(backup, tmp_path / "again", clock)
    assert broken.value.sequence == 3

    changed = json.loads((backup / MANIFEST).read_text())
    (backup / MANIFEST).write_text(json.dumps({**changed, "rows": manifest.rows - 1, "erased": [3]}))
    with pytest.raises(RecordBroken, match="not what its manifest names"):
        restored(backup, tmp_path / "again", clock)
    assert not (tmp_path / "again").exists()


def test_restoring_needs_a_reason_a_new_place_and_the_right_seed(
    study: Study, tmp_path: Path, clock: SimulatedClock
) -> None:
    backup, _ = take_backup(study, tmp_path / "backups", ACTOR)
    wrong = tmp_path / "wrong.seed"
    wrong.write_bytes(b"0" * 32)

    with pytest.raises(OutOfRange, match="reason"):
        restore_backup(backup, tmp_path / "again", ACTOR, " ")
    with pytest.raises(StorageError, match="is there already"):
        restored(backup, tmp_path / "study", clock)
    with pytest.raises(RecordMismatch, match="not the seed"):
        restored(backup, tmp_path / "again", clock, seed=wrong)
    with pytest.raises(StorageError, match=r"manifest\.json: cannot be read"):
        restored(tmp_path / "study", tmp_path / "again", clock)

    right = restored(backup, tmp_path / "again", clock, seed=study.folder.allocation_seed)
    assert right.can_allocate
    right.study.record.close()


def test_a_backup_in_the_study_itself_is_refused(study: Study) -> None:
    with pytest.raises(StorageError, match="lies in the study folder"):
        take_backup(study, study.folder.root / "backups", ACTOR)


def test_a_manifest_names_every_file_with_its_hash(study: Study, tmp_path: Path) -> None:
    who = with_somebody(study)
    backup, _ = take_backup(study, tmp_path / "backups", ACTOR)

    files = {file.path: file for file in read_backup_manifest(backup).files}

    assert {name: file.sha256 for name, file in files.items()} == {
        name: sha256 for name, sha256 in files_of(backup).items() if name != MANIFEST
    }
    assert files[f"sessions/{who}/ses-1/session.flac"].participant_id == who
    assert files["protocol.json"].participant_id is None
