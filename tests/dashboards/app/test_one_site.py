"""A server of one site enrols into that site alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.researcher import gate
from dashboards.server.serving import Served, begin_serving
from study.access.accounts import Staff
from study.events import ParticipantEnrolled, Role
from study.founding import Study, initialise_study
from tests.dashboards.app.looked_at import Page, page_script
from tests.dashboards.app.whole_study import whole_protocol


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    protocol = whole_protocol()
    protocol["allocation"]["sites"] = ["north", "south"]
    file = tmp_path / "protocol.json"
    file.write_text(json.dumps(protocol))
    made = initialise_study(tmp_path / "study", file, "test", "isopath test")
    yield made
    made.record.close()


def opened(monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setattr(gate, "staff_of_cookies", lambda *_, **__: Staff("cora", Role.COORDINATOR))
    page = Page(AppTest.from_string(page_script("participants"), default_timeout=30))
    return page.run()


def test_the_site_is_fixed_and_whoever_is_enrolled_belongs_to_it(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_serving(Served(study, is_secure=False, site="south"))
    page = opened(monkeypatch)
    (site,) = [box for box in page.at.selectbox if box.label == "Site"]

    page.press("Enrol")

    (enrolled,) = study.record.events(kinds=[ParticipantEnrolled])
    assert site.disabled
    assert isinstance(enrolled.event, ParticipantEnrolled)
    assert enrolled.event.stratum == {"site": "south"}


def test_a_page_that_sends_another_site_enrols_into_this_servers_all_the_same(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_serving(Served(study, is_secure=False))
    page = opened(monkeypatch).choose("Site", "north")

    begin_serving(Served(study, is_secure=False, site="south"))
    page.press("Enrol")

    (enrolled,) = study.record.events(kinds=[ParticipantEnrolled])
    assert isinstance(enrolled.event, ParticipantEnrolled)
    assert enrolled.event.stratum == {"site": "south"}
