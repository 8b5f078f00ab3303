"""`isopath plan` as a person types it."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.dashboards.command_line import isopath, refusal

EXAMPLE = Path(__file__).parents[2] / "protocols" / "examples" / "crossover_2x2.json"


def test_a_plan_is_printed_drawn_and_tabled(tmp_path: Path) -> None:
    picture, table = tmp_path / "power.png", tmp_path / "power.csv"

    done = isopath("plan", EXAMPLE, "--replicates", "200", "--picture", picture, "--table", table)

    assert done.code == 0, done.err
    assert "Sample size: " in done.out
    assert "The protocol plans 48: power 0." in done.out
    assert "isopath's default" in done.out
    assert "Adiasto et al. 2022" in done.out
    assert picture.read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert rows == sorted(rows, key=lambda row: int(row["people"]))
    assert {row["replicates"] for row in rows} == {"200"}
    assert 0.3 < float(next(row["power"] for row in rows if row["people"] == "48")) < 0.8


def test_numbers_asked_for_are_simulated_alone_and_programs_get_json() -> None:
    done = isopath(
        "plan",
        EXAMPLE,
        "--people",
        "40",
        "--people",
        "24",
        "--replicates",
        "100",
        "--difference",
        "0.3",
        "--json",
    )

    facts = done.facts
    assert [point["people"] for point in facts["curve"]] == [24, 40]
    assert facts["people"] is None
    assert facts["assumptions"][0]["source"] == "the option --difference"
    assert abs(facts["true_difference"]["value"] - 0.3) < 1e-3
    assert facts["curve"][0]["power"] > 0.8


def test_a_difference_that_no_study_can_show_is_one_message() -> None:
    message = refusal(isopath("plan", EXAMPLE, "--difference", "0"))

    assert message == "--difference: no study shows that arms differ that do not; write one such as 0.12"
