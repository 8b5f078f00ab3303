"""Results by arm, as the page writes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboards.researcher import markup, results_by_arm
from tests.analysis.made_study import MadeStudy, make_protocol, simulate
from tests.analysis.test_report import results_of


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(markup, "show", said.append)
    return said


def test_shuffled_arms_are_told_before_any_number(shown: list[str]) -> None:
    results = replace(results_of(simulate(make_protocol(), 6)), shuffled="Arms were dealt anew.")

    results_by_arm._show(results)

    assert "Arms shuffled." in shown[0]
    assert 'role="alert"' in shown[0]
    assert sum("<figcaption>" in one for one in shown) == 8
    assert sum("Planned against generated" in one for one in shown) == 1


def test_arms_as_allocated_carry_no_such_notice_and_an_empty_study_shows_its_flow(shown: list[str]) -> None:
    results_by_arm._show(results_of(MadeStudy(make_protocol())))

    assert "Arms shuffled." not in "".join(shown)
    assert sum("<figcaption>" in one for one in shown) == 3
    assert "0 enrolled, 0 allocated" in "".join(shown)
