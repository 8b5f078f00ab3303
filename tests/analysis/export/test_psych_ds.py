"""The Psych-DS dataset, held to the rules of its schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.export.psych_ds import SCHEMA_VERSION, write_psych_ds
from tests.analysis.export.made_content import content_of, made_content, made_sounds, made_study, no_progress
from tests.analysis.export.psych_ds_rules import problems_of


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    study, folder, sounds = made_study(), tmp_path / "made", tmp_path / "sounds"
    folder.mkdir()
    sounds.mkdir()
    write_psych_ds(content_of(study, sounds=made_sounds(study, sounds)), folder, no_progress)
    return folder


def test_the_dataset_breaks_no_rule_of_the_schema(dataset: Path, tmp_path: Path) -> None:
    blinded = tmp_path / "blinded"
    blinded.mkdir()
    write_psych_ds(made_content(is_blinded=True), blinded, no_progress)

    assert problems_of(dataset) == set()
    assert problems_of(blinded) == set()
    description = json.loads((dataset / "dataset_description.json").read_text())
    assert description["schemaVersion"] == SCHEMA_VERSION == "Psych-DS 1.5.1"
    assert (dataset / "data/study-calm_description-selfReports_data.csv").is_file()
    assert len(list((dataset / "materials").iterdir())) == 4


def _without_a_variable(folder: Path) -> None:
    path = folder / "dataset_description.json"
    description = json.loads(path.read_text())
    description["variableMeasured"].pop()
    path.write_text(json.dumps(description))


def _with_another_type(folder: Path) -> None:
    path = folder / "dataset_description.json"
    path.write_text(path.read_text().replace('"Dataset"', '"Thing"'))


def _with_a_plain_name(folder: Path) -> None:
    (folder / "data/sessions.csv").write_text("a\n1\n")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_without_a_variable, "CSV_COLUMN_MISSING_FROM_METADATA"),
        (_with_another_type, "INCORRECT_DATASET_TYPE"),
        (_with_a_plain_name, "FILENAME_KEYWORD_FORMATTING_ERROR"),
    ],
)
def test_the_rules_find_what_is_spoilt(dataset: Path, spoil: Callable[[Path], None], code: str) -> None:
    spoil(dataset)

    assert problems_of(dataset) == {code}


def test_every_variable_is_described_with_its_unit_and_range(dataset: Path) -> None:
    description = json.loads((dataset / "dataset_description.json").read_text())
    by_name = {each["name"]: each for each in description["variableMeasured"]}

    assert by_name["heard_s"] == {
        "@type": "PropertyValue",
        "name": "heard_s",
        "description": "Seconds heard at least once.",
        "unitText": "s",
        "minValue": 0,
    }
    assert by_name["perspective"]["valueReference"] == ["felt", "perceived"]
