"""`isopath guidelines` as a person runs it: hidden arms, arms told, and every refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.results import analyse, results_to_json
from analysis.tables.build import build_tables
from analysis.tables.shuffled import shuffle_arms
from dashboards.study_guidelines import study_guidelines, write_documents
from study.conduct import assess_eligibility, discontinue, enrol, give_consent
from study.errors import RecordMismatch, StorageError
from study.events import EndReason
from study.founding import Study
from study.freeze import freeze, may_join_arms, unblind
from tests.dashboards.command_line import isopath, refusal
from tests.dashboards.short_study import ACTOR, one_of_each, short_study


def write_results(study: Study) -> None:
    """Results of the record as it is now; there is no sound to hear."""
    head = study.record.verify()
    events = study.record.events()
    tables = build_tables(study.protocol, events, {}, {})
    hidden = not may_join_arms(study.record)
    if hidden:
        tables = shuffle_arms(study.protocol, tables, head.sha256)
    told = "Arms were dealt anew." if hidden else None
    results = analyse(study.protocol, tables, {}, {}, head.sha256, shuffled=told, events=events)
    study.folder.results.write_text(results_to_json(results))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """One person of each arm, who never listened; one who was not eligible."""
    made = short_study(tmp_path / "study")
    people = one_of_each(made)
    discontinue(made, ACTOR, people["iso"], EndReason.WITHDREW, "")
    stranger = enrol(made, ACTOR, {})
    give_consent(made, ACTOR, stranger, "en")
    assess_eligibility(made, ACTOR, stranger, {"adult": False})
    return made


def test_arms_are_hidden_until_the_record_is_unblinded_and_told_then(study: Study, tmp_path: Path) -> None:
    write_results(study)

    hidden = isopath("guidelines", study.folder.root, "--out", tmp_path / "hidden", "--json")
    freeze(study, ACTOR, "last visit done")
    unblind(study, ACTOR, "for the analysis")
    write_results(study)
    told = study_guidelines(study)

    assert hidden.code == 0, hidden.err
    assert hidden.facts["arms_hidden"] is True
    assert sorted(path.name for path in (tmp_path / "hidden").iterdir()) == sorted(told)
    flow = json.loads((tmp_path / "hidden" / "flow.json").read_text())
    assert [box["box_id"] for box in flow["boxes"]][2:] == ["all/allocation", "all/follow_up", "all/analysis"]
    assert [box["n"] for box in flow["boxes"]] == [3, 2, 2, 0, 2]
    by_arm = {box["box_id"]: box for box in json.loads(told["flow.json"])["boxes"]}
    iso, other = (group.group_id for group in study.protocol.allocation.groups)
    assert by_arm[f"{iso}/allocation"]["branches"][1]["reasons"] == [["withdrew", 1]]
    assert by_arm[f"{other}/allocation"]["branches"][1]["reasons"] == [["not yet", 1]]
    checklist = json.loads(told["consort.json"])
    assert "last visit done" in {item["number"]: item for item in checklist["items"]}["23b"]["said"][0]
    assert checklist["record_head_sha256"] == study.record.head().sha256


def test_results_that_are_missing_or_old_are_refused_and_nothing_is_written(
    study: Study, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    assert "run isopath analyse" in refusal(isopath("guidelines", study.folder.root, "--out", out))
    assert not out.exists()
    write_results(study)
    enrol(study, ACTOR, {})

    with pytest.raises(RecordMismatch, match=r"is of a record that ends with .* run isopath analyse"):
        study_guidelines(study)


def test_a_folder_that_holds_something_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(StorageError, match="is there already"):
        write_documents(tmp_path, {"flow.json": b"{}"})

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
