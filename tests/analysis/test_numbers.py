"""Every number of the results, as one flat list and as the schema describes it."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from analysis.results import analyse, results_from_json, results_to_json
from analysis.tables.build import build_tables
from study.path import PathKind
from study.protocol import Design
from tests.analysis.made_study import MadeStudy, make_protocol, simulate


def plain_results(study: MadeStudy) -> dict[str, Any]:
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    found = analyse(study.protocol, tables, study.manifests, study.predictions, "f" * 64)
    content: dict[str, Any] = json.loads(results_to_json(found))
    return content


@pytest.fixture(scope="module")
def parallel() -> dict[str, Any]:
    return plain_results(simulate(make_protocol(), 24))


def numbers(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {number["name"]: number for number in content["numbers"]}


MADE = {
    "parallel": lambda: simulate(make_protocol(), 24),
    "three arms, one silent": lambda: simulate(
        make_protocol((PathKind.ISO, PathKind.SILENCE, PathKind.TARGET_ONLY)), 24
    ),
    "crossover": lambda: simulate(make_protocol(design=Design.CROSSOVER), 12),
    "nobody": lambda: simulate(make_protocol(), 0),
    "two people": lambda: simulate(make_protocol(), 2),
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE.keys())
def test_results_are_as_their_schema_says(made: Any) -> None:
    schema = json.loads(resources.files("protocols").joinpath("results.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)

    problems = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in Draft202012Validator(schema).iter_errors(plain_results(made()))
    ]

    assert problems == []


def test_the_schema_describes_every_field_of_the_results(parallel: dict[str, Any]) -> None:
    schema = json.loads(resources.files("protocols").joinpath("results.schema.json").read_text("utf-8"))

    assert set(schema["properties"]) == set(parallel)
    assert all(field.get("description") for field in schema["properties"].values())


def test_the_primary_difference_is_there_with_unit_method_n_and_estimand(parallel: dict[str, Any]) -> None:
    row = parallel["primary"]["row"]
    found = numbers(parallel)

    estimate = found[f"primary.contrasts[{row['row_id']}].estimate"]
    assert estimate["value"] == row["estimate"]
    assert (estimate["unit"], estimate["n"]) == ("circumplex unit", 24)
    assert estimate["method"] == row["method"]
    assert estimate["estimand"] == "primary"
    assert found[f"primary.contrasts[{row['row_id']}].p_value"]["unit"] == "1"
    assert found[f"primary.contrasts[{row['row_id']}].hedges_g"]["unit"] == "1"


def test_names_are_unique_and_every_number_has_a_unit(parallel: dict[str, Any]) -> None:
    names = [number["name"] for number in parallel["numbers"]]

    assert len(names) == len(set(names))
    assert len(names) > 200
    assert all(number["unit"] for number in parallel["numbers"])


def test_counts_seconds_and_correlations_have_their_units(parallel: dict[str, Any]) -> None:
    units = {name: number["unit"] for name, number in numbers(parallel).items()}

    assert units["flow.enrolled"] == "count"
    assert units["adherence[iso].heard_s.median"] == "s"
    assert (
        units[
            "agreement.sets[felt_vs_generated:probe:slider].rows[felt_vs_generated:probe:slider:valence:ccc].estimate"
        ]
        == "1"
    )
    assert (
        units[
            "agreement.sets[felt_vs_generated:probe:slider].rows[felt_vs_generated:probe:slider:valence:bias].estimate"
        ]
        == "circumplex unit"
    )


def test_a_figures_points_are_no_numbers_of_the_list(parallel: dict[str, Any]) -> None:
    assert parallel["agreement"]["sets"][0]["points"]
    assert not any(".points" in number["name"] for number in parallel["numbers"])


def test_results_read_back_are_the_same(parallel: dict[str, Any]) -> None:
    text = json.dumps(parallel, indent=1, ensure_ascii=False) + "\n"

    assert results_to_json(results_from_json(text)) == text


def test_the_tables_that_were_analysed_are_known_by_their_hashes(parallel: dict[str, Any]) -> None:
    again = plain_results(simulate(make_protocol(), 24))
    other = plain_results(simulate(make_protocol(), 24, effect=0.6))

    hashes = parallel["provenance"]["tables_sha256"]
    assert hashes == again["provenance"]["tables_sha256"]
    assert hashes["self_reports"] != other["provenance"]["tables_sha256"]["self_reports"]
    assert hashes["sound_checks"] == other["provenance"]["tables_sha256"]["sound_checks"]
