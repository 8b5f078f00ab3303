"""The long run keeps what it found, goes on where it was, and hides nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.simulation import validate
from tests.simulation.catalogue import catalogue
from tests.simulation.document import provenance, to_markdown
from tests.simulation.measured import MET, MISSED, NO_BAR, Finding, Tally

BAR = (0.04, 0.06)


def finding(value: float, error: float = 0.001, bar: tuple[float, float] | None = BAR) -> Finding:
    return Finding("type-I error", "nothing to find", value, error, 1000, bar)


@pytest.mark.parametrize(
    ("value", "bar", "verdict"),
    [(0.05, BAR, MET), (0.0601, BAR, MISSED), (0.039, BAR, MISSED), (0.9, None, NO_BAR)],
)
def test_a_figure_outside_its_bar_is_missed_whatever_its_error(
    value: float, bar: tuple[float, float] | None, verdict: str
) -> None:
    assert finding(value, 0.1, bar).verdict == verdict


def test_whether_the_bar_lies_within_two_errors_is_told_apart() -> None:
    assert finding(0.062, 0.001).within_error
    assert not finding(0.0621, 0.001).within_error


def test_shares_come_with_the_error_of_a_proportion() -> None:
    tally = Tally()
    tally.add("type-I error", "null", np.arange(1000) < 50)
    tally.add("type-I error", "null", [float("nan")])

    (found,) = tally.findings({"type-I error": BAR})

    assert (found.value, found.replicates) == (0.05, 1000)
    assert found.error == pytest.approx(np.sqrt(0.05 * 0.95 / 1000), rel=1e-3)


def run(tmp_path: Path, scale: str = "0.005") -> dict[str, float]:
    """Run the two cases of arousal that begin alike; gives when each was kept."""
    folders = ["--kept", str(tmp_path / "kept"), "--docs", str(tmp_path)]
    validate.main(["--scale", scale, "--jobs", "1", "--only", "arousal-p", *folders])
    return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()}


def test_what_is_kept_is_not_run_again_until_it_changes(tmp_path: Path) -> None:
    first = run(tmp_path)
    again = run(tmp_path)
    other = run(tmp_path, "0.006")

    assert list(first) == ["arousal-plain.json"]
    assert again == first
    assert other != first
    page = (tmp_path / "validation.md").read_text()
    assert "Felt arousal" in page
    assert "Not run yet: progress-plain, " in page
    assert json.loads((tmp_path / "validation.json").read_text())["made_with"]["replicates_scale"] == 0.006


def test_findings_of_other_modules_text_are_not_taken_for_ours(tmp_path: Path) -> None:
    case = catalogue()[0]

    assert validate.mark_of(case, 1) != validate.mark_of(case, 0.5)
    assert validate.mark_of(case, 1) != validate.mark_of(replace(case, modules=case.modules[1:]), 1)
    assert validate.kept(tmp_path, case, 1) is None


def test_the_page_lists_missed_bars_first_and_sets_warnings_apart() -> None:
    def case(name: str, value: float, is_warning: bool) -> dict[str, object]:
        return {
            "case_id": name,
            "method": "Method",
            "scenario": name,
            "note": "",
            "is_warning": is_warning,
            "findings": [finding(value).to_plain()],
        }

    cases = [case("fine", 0.05, False), case("bad", 0.07, False), case("bad example", 0.9, True)]
    page = to_markdown(provenance(1.0, 1), cases, [])

    assert "**1 of 2 bars are met, 1 missed** (0 of these" in page
    missed = page.partition("## Missed bars")[2].partition("## Method")[0]
    assert "Method; bad; type-I error (nothing to find): 0.070 ± 0.0010, bar 0.04 to 0.06\n" in missed
    assert "bad example" not in missed
    assert "| *warning*: bad example | type-I error | nothing to find | 0.900" in page
