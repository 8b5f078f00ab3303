"""A study begins whole or not at all, and opens only as what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.conduct import enrol
from study.errors import ProtocolErrors, RecordBroken, RecordMismatch, StorageError, UnknownName
from study.events import RehearsalStarted, StudyInitialised
from study.folder import file_sha256
from study.founding import Study, initialise_study, open_study
from study.rehearsal import begin_rehearsal
from tests.study.conftest import ONE_SESSION
from tests.study.walking import STRATUM, allocated, due

EXAMPLE = ONE_SESSION


def test_a_new_study_holds_its_protocol_byte_for_byte(study: Study) -> None:
    begun = study.record.events()[0].event

    assert study.folder.protocol.read_bytes() == EXAMPLE.read_bytes()
    assert isinstance(begun, StudyInitialised)
    assert begun.protocol_text.encode() == EXAMPLE.read_bytes()


EVERY_PAGE = ONE_SESSION.with_name("every_page.json")


def test_pictures_are_frozen_with_the_study_and_a_changed_one_is_refused(tmp_path: Path) -> None:
    study = initialise_study(tmp_path / "study", EVERY_PAGE, "test", "test")
    begun = study.record.events()[0].event
    brought = EVERY_PAGE.parent / "pictures" / "arousal_9.png"

    frozen = study.frozen_picture("feeling", "arousal", 9)

    assert frozen.is_relative_to(study.folder.pictures)
    assert frozen.read_bytes() == brought.read_bytes()
    assert isinstance(begun, StudyInitialised)
    assert len(begun.pictures_sha256) == 18
    assert begun.pictures_sha256["pictures/arousal_9.png"] == file_sha256(brought)
    assert begun.sounds_sha256 == {}
    frozen.write_bytes(brought.read_bytes() + b"!")
    with pytest.raises(RecordMismatch, match="is not the picture this study was begun with"):
        study.frozen_picture("feeling", "arousal", 9)
    study.record.close()


@pytest.mark.parametrize(
    ("instrument_id", "item", "point"),
    [("feeling", "arousal", 0), ("feeling", "arousal", 10), ("feeling", "mood", 1), ("grid", "arousal", 1)],
)
def test_a_picture_that_the_protocol_does_not_name_is_not_there(
    tmp_path: Path, instrument_id: str, item: str, point: int
) -> None:
    study = initialise_study(tmp_path / "study", EVERY_PAGE, "test", "test")

    with pytest.raises(UnknownName, match=f"{instrument_id}.{item}: has no picture {point}"):
        study.frozen_picture(instrument_id, item, point)

    study.record.close()


def test_an_opened_study_goes_on_where_it_was(study: Study) -> None:
    participant_id = allocated(study)

    again = open_study(study.folder.root)

    assert due(again, participant_id) == due(study, participant_id)
    again.record.close()


def test_a_protocol_with_problems_makes_no_folder(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")

    with pytest.raises(ProtocolErrors):
        initialise_study(tmp_path / "new", tmp_path / "bad.json", "test", "test")

    assert [path.name for path in tmp_path.iterdir()] == ["bad.json"]


def test_a_folder_in_use_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")

    with pytest.raises(StorageError, match="not empty"):
        initialise_study(tmp_path, EXAMPLE, "test", "test")

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_changed_protocol_file_is_refused(study: Study) -> None:
    text = study.folder.protocol.read_text()
    study.folder.protocol.write_text(text.replace('"alpha": 0.05', '"alpha": 0.10'))

    with pytest.raises(RecordMismatch, match="belongs to protocol"):
        open_study(study.folder.root)


def test_a_folder_that_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="holds no study record"):
        open_study(tmp_path)
    with pytest.raises(StorageError, match="is not a folder"):
        open_study(tmp_path / "nowhere")


def test_a_record_without_its_first_event_is_refused(study: Study) -> None:
    from study.record import Record

    study.folder.record.unlink()
    Record.create(study.folder.record_url, study.protocol.sha256).close()

    with pytest.raises(RecordBroken, match="does not begin with the study"):
        open_study(study.folder.root)


def test_a_rehearsed_study_never_takes_a_person(study: Study) -> None:
    begin_rehearsal(study, RehearsalStarted(4, 0.5, 0.5, 1, 60.0))

    with pytest.raises(RecordMismatch, match="is a rehearsal"):
        enrol(study, "test", STRATUM)


def test_a_study_with_people_is_never_rehearsed(study: Study) -> None:
    enrol(study, "test", STRATUM)

    with pytest.raises(RecordMismatch, match="holds real participants"):
        begin_rehearsal(study, RehearsalStarted(4, 0.5, 0.5, 1, 60.0))
