"""The researchers' pages of a study that ran elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analysis.importing.read_import import read_import
from dashboards.researcher import gate
from dashboards.server.serving import Served, begin_serving
from study.access.accounts import Staff
from study.events import Role
from study.founding import Study, open_study
from study.imported import import_people
from study.protocol_file import load_protocol
from tests.dashboards.app.looked_at import Page, page_script

WORDS = {
    "overview": ("16 of 16",),
    "participants": (
        "holds a study that ran elsewhere",
        "over: imported",
        "over: withdrew",
        "no sound was imported",
    ),
    "quality": ("Data quality",),
}
EXAMPLE = Path(__file__).parents[3] / "docs" / "importing"


@pytest.fixture
def imported(tmp_path: Path) -> Iterator[Study]:
    protocol = EXAMPLE / "protocol.json"
    read = read_import(
        EXAMPLE / "redcap.csv", EXAMPLE / "redcap-map.json", load_protocol(protocol), None, "isopath test"
    )
    import_people(tmp_path / "study", protocol, "test", "isopath test", read.data, read.people)
    study = open_study(tmp_path / "study")
    begin_serving(Served(study, is_secure=False))
    yield study
    study.record.close()


@pytest.mark.parametrize("url_path", WORDS)
def test_the_pages_show_people_who_took_part_elsewhere_and_ask_nothing_of_them(
    imported: Study, monkeypatch: pytest.MonkeyPatch, url_path: str
) -> None:
    monkeypatch.setattr(gate, "staff_of_cookies", lambda *_, **__: Staff("cora", Role.COORDINATOR))

    page = Page(AppTest.from_string(page_script(url_path), default_timeout=60)).run()

    for words in WORDS[url_path]:
        assert words in page.text
    assert "left the study: imported" not in page.text
