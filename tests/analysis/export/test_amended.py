"""What an earlier version of the protocol asked is exported as it was asked, and blinded as it was."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.export.content import ExportContent
from analysis.export.formats import WRITERS
from study.affect import Affect
from study.events import QuestionnaireSubmitted, SelfReportSubmitted
from study.instruments import Instrument, Perspective
from study.oversight.blinding import WITHHELD, record_rows
from study.protocol import Phase, StudyProtocol
from study.questionnaire import Item, ItemKind, Questionnaire
from tests.analysis.export.made_content import content_of, made_study, no_progress
from tests.analysis.made_study import MadeStudy

EXPRESSED = Instrument("expressed", "affective_slider", Perspective.PERCEIVED)


def amended_study() -> MadeStudy:
    """One person asked what the music expresses and which arm they guess; a later version asks neither."""
    study = made_study()
    first = study.protocol
    guess = Item("guess", ItemKind.TEXT, {"en": "Which arm?"}, measures="arm_guess")
    remark = Item("remark", ItemKind.TEXT, {"en": "Any remark?"})
    first = replace(
        first,
        instruments=(*first.instruments, EXPRESSED),
        questionnaires=(Questionnaire("end", (guess, remark)),),
    )
    study.add(
        SelfReportSubmitted(
            Phase.POST,
            "expressed",
            Perspective.PERCEIVED,
            {"valence": 0.5, "arousal": 0.5},
            Affect(0.0, 0.0),
            {},
            (),
        ),
        "sub-001",
        "ses-01",
    )
    study.add(
        QuestionnaireSubmitted(Phase.POST, "end", {"guess": "iso", "remark": "loud"}, ()), "sub-001", "ses-01"
    )
    later = replace(first, sha256=hashlib.sha256(b"second").hexdigest(), version="2.0", amends=first)
    study.protocol = without_questions(later)
    return study


def without_questions(protocol: StudyProtocol) -> StudyProtocol:
    return replace(protocol, instruments=protocol.instruments[:1], questionnaires=())


@pytest.fixture(scope="module")
def content() -> ExportContent:
    return content_of(amended_study())


@pytest.mark.parametrize("form", list(WRITERS))
def test_every_format_holds_what_an_earlier_version_asked(
    content: ExportContent, form: str, tmp_path: Path
) -> None:
    WRITERS[form](content, tmp_path, no_progress)

    if form == "bids":
        assert (tmp_path / "phenotype" / "expressed_post_ses-01.tsv").is_file()
        assert '"Which arm?"' in (tmp_path / "phenotype" / "end_post_ses-01.json").read_text()
    elif form == "cdisc":
        assert '"loud"' in (tmp_path / "qs.json").read_text()
    else:
        assert content.tables["questionnaire_answers"]["answer_text"].tolist() == ["iso", "loud"]


def test_what_an_earlier_version_asked_of_the_music_and_the_arm_stays_blinded() -> None:
    study = amended_study()

    rows = list(record_rows(study.protocol, study.events, is_blinded=True))

    blinded = content_of(study, is_blinded=True)
    assert rows[-2]["payload"] == WITHHELD
    assert rows[-1]["payload"]["answers"] == {"remark": "loud"}
    assert set(blinded.tables["self_reports"]["instrument_id"]) == {"slider"}
    assert blinded.tables["questionnaire_answers"]["answer_text"].tolist() == ["loud"]
