"""A signed checkpoint finds what a chain cannot: a record written anew from its first row on."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from study.checkpoint import check_against, make_key, read_checkpoint, sign_checkpoint, write_checkpoint
from study.cohort import SimulatedClock
from study.errors import OutOfRange, RecordBroken, RecordMismatch, StorageError, WrongPassphrase
from study.events import CheckpointSigned, SigningKeyMade, StudyInitialised
from study.founding import Study, initialise_study, open_study
from study.record import Draft, Reader, Record
from study.store import event_table, payload_table, writing
from tests.study.conftest import ONE_SESSION
from tests.study.test_identities import quick_keys
from tests.study.walking import ACTOR, enrolled

__all__ = ["quick_keys"]

WORDS = "four words kept apart"


@pytest.fixture
def key(tmp_path: Path, study: Study) -> Path:
    path = tmp_path / "signing.key"
    make_key(study, path, WORDS, ACTOR)
    return path


@pytest.fixture
def checkpoint(tmp_path: Path, study: Study, key: Path) -> Path:
    path = tmp_path / "checkpoint.json"
    enrolled(study)
    write_checkpoint(path, sign_checkpoint(study, key, WORDS, ACTOR))
    return path


def public_key_of(study: Study) -> str:
    made = study.record.events(kinds=[SigningKeyMade])[0].event
    assert isinstance(made, SigningKeyMade)
    return made.public_key


def _only(draft: Draft, _: Reader) -> list[Draft]:
    return [draft]


def rewritten(study: Study, to: Path, clock: SimulatedClock) -> Study:
    """The same study, with a record in which everything follows, and one thing was never said."""
    events = study.record.events()
    root = study.folder.root
    study.record.close()
    root.rename(to)
    (to / "record.sqlite").unlink()
    forged = Record.create(f"sqlite:///{to / 'record.sqlite'}", study.record.protocol_sha256, clock)
    for row in events:
        event = row.event
        assert event is not None
        if isinstance(event, StudyInitialised):
            forged.append("somebody else", partial(_only, Draft(event)))
        else:
            forged.append(row.actor, partial(_only, Draft(event, row.participant_id, row.session_id)))
    forged.close()
    return open_study(to, clock)


@pytest.mark.requirement("21 CFR 11.10(c)", "ALCOA+ enduring")
def test_a_checkpoint_holds_as_the_record_goes_on(study: Study, checkpoint: Path) -> None:
    enrolled(study)

    signed = check_against(study, checkpoint, public_key_of(study))

    assert signed.rows == 3
    noted = study.record.events(kinds=[CheckpointSigned])[0].event
    assert noted == CheckpointSigned(signed.rows, signed.head_sha256)


@pytest.mark.requirement("21 CFR 11.10(c)", "21 CFR 11.10(e)", "ALCOA+ original")
def test_a_record_that_was_rewritten_as_a_whole_is_found(
    study: Study, checkpoint: Path, tmp_path: Path, clock: SimulatedClock
) -> None:
    forged = rewritten(study, tmp_path / "forged", clock)

    forged.record.verify()  # The chain alone finds nothing.
    with pytest.raises(RecordBroken, match="cut short or rewritten"):
        check_against(forged, checkpoint, None)
    forged.record.close()


def test_a_record_that_was_cut_short_is_found(study: Study, checkpoint: Path) -> None:
    rows = study.record.head().sequence
    with writing(study.record._engine) as connection:
        for table in (payload_table, event_table):
            connection.execute(table.delete().where(table.c.sequence > rows - 2))

    study.record.verify()
    with pytest.raises(RecordBroken, match="cut short or rewritten"):
        check_against(study, checkpoint, None)


def test_a_changed_checkpoint_is_refused(study: Study, checkpoint: Path) -> None:
    raw = json.loads(checkpoint.read_text())
    checkpoint.write_text(json.dumps({**raw, "rows": raw["rows"] - 1}))

    with pytest.raises(RecordBroken, match="changed since it was signed"):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1, "study_id": "x"}', '{"format": 1'])
def test_a_file_that_is_no_checkpoint_is_refused(study: Study, tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)

    with pytest.raises(RecordMismatch, match="is no checkpoint"):
        check_against(study, tmp_path / "other.json", None)


def test_a_checkpoint_of_a_newer_isopath_is_refused(study: Study, checkpoint: Path) -> None:
    raw = json.loads(checkpoint.read_text())
    checkpoint.write_text(json.dumps({**raw, "format": 2}))

    with pytest.raises(RecordMismatch, match="newer isopath"):
        read_checkpoint(checkpoint)


def test_a_checkpoint_signed_by_another_key_is_refused(
    study: Study, checkpoint: Path, tmp_path: Path, clock: SimulatedClock
) -> None:
    with pytest.raises(RecordMismatch, match="not the one given"):
        check_against(study, checkpoint, "ab" * 32)
    with pytest.raises(OutOfRange, match="64 hex digits"):
        check_against(study, checkpoint, "no key")

    # The same protocol, begun anew: a record that names a key of its own.
    other = initialise_study(tmp_path / "other", ONE_SESSION, "test", "isopath test", clock)
    make_key(other, tmp_path / "other.key", WORDS, ACTOR)
    with pytest.raises(RecordMismatch, match="not any that this record names"):
        check_against(other, checkpoint, None)
    other.record.close()


def test_a_foreign_key_file_signs_nothing(
    study: Study, key: Path, tmp_path: Path, clock: SimulatedClock
) -> None:
    other = initialise_study(tmp_path / "other", ONE_SESSION, "test", "isopath test", clock)
    make_key(other, tmp_path / "other.key", WORDS, ACTOR)
    other.record.close()
    rows = study.record.head()

    with pytest.raises(RecordMismatch, match="not a key that was made for this study"):
        sign_checkpoint(study, tmp_path / "other.key", WORDS, ACTOR)
    with pytest.raises(WrongPassphrase):
        sign_checkpoint(study, key, "four other words", ACTOR)
    with pytest.raises(StorageError, match="cannot be read"):
        sign_checkpoint(study, tmp_path / "none.key", WORDS, ACTOR)

    assert study.record.head() == rows


def test_the_signing_key_is_sealed_and_kept_outside_the_study(study: Study, key: Path) -> None:
    with pytest.raises(StorageError, match="lies in the study folder"):
        make_key(study, study.folder.root / "my.key", WORDS, ACTOR)
    with pytest.raises(StorageError, match="is there already"):
        make_key(study, key, WORDS, ACTOR)

    assert key.stat().st_mode & 0o777 == 0o600
    assert json.loads(key.read_text())["purpose"] == "checkpoint signing key"
