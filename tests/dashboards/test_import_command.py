"""`isopath import` as it is typed: the documentation's example runs, and a refusal leaves nothing."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from dashboards.cli.main import app
from tests.dashboards.command_line import isopath, refusal

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "importing.md").read_text()
EXAMPLE = DOCS / "importing"

# One walk for all of them, on one worker.
pytestmark = pytest.mark.xdist_group("import")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's folder after every command of the page."""
    folder = tmp_path_factory.mktemp("walk") / "importing"
    shutil.copytree(EXAMPLE, folder)
    said = ""
    with contextlib.chdir(folder):
        for line in "".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)).splitlines():
            command, *arguments = shlex.split(line)
            if command == "mkdir":
                Path(*arguments).mkdir()
                continue
            # In this process, so that the libraries load once for all of them.
            done = CliRunner().invoke(app, arguments)
            assert (command, done.exit_code) == ("isopath", 0), (line, done.output, done.exception)
            said += done.stdout
    assert "Nothing was written." in said
    assert "The sound of 16 session(s) is as it was rendered." in said
    return folder


@pytest.fixture(scope="module")
def results(walked: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((walked / "from-ratings" / "results.json").read_text())
    return found


def test_the_pages_map_is_the_example_files_map() -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    kept = json.loads((EXAMPLE / "redcap-map.json").read_text())

    assert json.loads(shown) == {name: value for name, value in kept.items() if name != "$schema"}


def test_the_pages_tables_are_the_example_files_first_lines() -> None:
    for block in re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        name, encoding = (
            ("redcap.csv", "utf-8") if block.startswith("record_id") else ("ratings.csv", "windows-1252")
        )
        lines = (EXAMPLE / name).read_text(encoding).splitlines()
        for shown, kept in zip(block.splitlines(), lines, strict=False):
            assert kept.startswith(shown.rstrip("…"))


def test_everybody_is_analysed_and_the_effect_is_that_of_the_files_answers(results: dict[str, Any]) -> None:
    iso, target_only = results["flow"]["groups"]

    assert (iso["allocated"], iso["completed"], iso["analysed"]) == (8, 8, 8)
    assert (target_only["completed"], target_only["stopped"]) == (6, {"chose to stop": 2})
    assert results["flow"]["not_allocated"] == {}
    arms = {row["extra"]["arm"] if "extra" in row else row["arm"]: row for row in results["primary"]["arms"]}
    assert {arm: row["n"] for arm, row in arms.items()} == {"iso": 8, "target_only": 8}
    assert results["primary"]["row"]["estimate"] == pytest.approx(_adjusted_difference(), abs=1e-9)
    assert results["simulated"] is False


def _adjusted_difference() -> float:
    """Projected progress of the file's own answers, by least squares written out."""
    with (EXAMPLE / "ratings.csv").open(encoding="windows-1252", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    said = {
        (row["code"], row["time"]): np.array([(float(row[axis]) - 5) / 4 for axis in ("valence", "arousal")])
        for row in rows
    }
    first = {row["code"]: row for row in rows if row["time"] == "before"}
    target = np.array([0.6, -0.6])
    design, progress = [], []
    for code, row in first.items():
        pre, post = said[code, "before"], said[code, "after"]
        way = (target - pre) / np.linalg.norm(target - pre)
        progress.append(float((post - target) @ way))
        design.append([1.0, row["group"] == "A", *pre, row["site"] == "Nord"])
    solved, *_ = np.linalg.lstsq(np.array(design, dtype=float), np.array(progress), rcond=None)
    return float(solved[1])


def test_what_people_felt_stands_beside_what_is_heard_in_the_imported_sound(
    walked: Path, results: dict[str, Any]
) -> None:
    statistics = {
        (row["phase"], row["axis"], row["statistic"]): row
        for found in results["agreement"]["sets"]
        for row in found["rows"]
        if "felt" in (row["first"], row["second"]) and "generated" in (row["first"], row["second"])
    }

    ccc = statistics["probe", "arousal", "ccc"]
    assert ccc["n"] == 16
    assert -1.0 <= ccc["estimate"] <= 1.0
    assert [entry["name"] for entry in results["provenance"]["predictors"]] == ["musicnn", "cues"]
    assert set(results["provenance"]["models"]) == {"imported file calm.flac", "imported file iso.flac"}
    (iso,) = (path for path in results["paths"] if path["arm"] == "iso")
    planned = [(point["time_s"], point["valence"], point["arousal"]) for point in iso["planned"]]
    assert planned == [(3.0, pytest.approx(-0.3), pytest.approx(0.3)), (9.0, 0.5, -0.5)]
    kept = sorted((walked / "from-ratings" / "sessions").glob("*/*/session.flac"))
    sources = {(walked / "sounds" / name).read_bytes() for name in ("iso.flac", "calm.flac")}
    assert len(kept) == 16
    assert {path.read_bytes() for path in kept} == sources


def test_where_the_data_come_from_and_what_was_assumed_stand_in_the_report(
    walked: Path, results: dict[str, Any]
) -> None:
    page = (walked / "from-ratings" / "report.html").read_text()

    assert results["notes"][0].startswith("The data were collected elsewhere and imported from ratings.csv")
    assert "Listening was taken as one stretch from the beginning, as long as the file tells." in page
    assert "Consent, eligibility and allocation took place there" in page
    assert "sound imported as it is" in page


def test_a_later_export_adds_a_person_and_a_changed_answer_is_refused(walked: Path) -> None:
    table = walked / "later.csv"
    arguments = ("--protocol", walked / "protocol.json", "--map", walked / "redcap-map.json")
    study = walked / "from-redcap"
    lines = (walked / "redcap.csv").read_text().splitlines()
    more = ["017,entry_arm_1,,,A,1,1,,,,,,,2", "017,session_arm_1,,,,,,3,7,,,6,3,2"]
    table.write_text("\n".join([*lines, *more]) + "\n")

    added = isopath("import", table, *arguments, "--into", study, "--json").facts

    assert (added["written"], added["people"], added["reports"], added["sounds"]) == (True, 1, 2, 0)
    changed = [line.replace("001,session_arm_1,,,,,,2,7", "001,session_arm_1,,,,,,2,6") for line in lines]
    table.write_text("\n".join(changed) + "\n")
    assert refusal(isopath("import", table, *arguments, "--into", study)).startswith(
        "later.csv, line 3: the pre report on feeling of ses-01 is arousal 6, valence 2, and arousal 7, "
        "valence 2 in the record; import the corrected file into a new folder"
    )


def test_every_problem_is_one_message_and_nothing_is_written(tmp_path: Path) -> None:
    table = tmp_path / "bad.csv"
    lines = (EXAMPLE / "redcap.csv").read_text().splitlines()
    table.write_text("\n".join([lines[0], lines[1].replace(",A,1,", ",Z,9,"), lines[2], *lines[3:]]) + "\n")

    told = refusal(
        isopath(
            "import",
            table,
            "--protocol",
            EXAMPLE / "protocol.json",
            "--map",
            EXAMPLE / "redcap-map.json",
            "--into",
            tmp_path / "new" / "study",
        )
    )

    assert [line.split(";")[0] for line in told.splitlines()] == [
        'bad.csv, line 2, column site: "9" is not in the map\'s codes',
        'bad.csv, line 2, column arm: "Z" is not in the map\'s codes',
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]
