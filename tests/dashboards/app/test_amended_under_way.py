"""A protocol amended while a server runs: whoever is under way goes on under their version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from study.access.accounts import Staff
from study.access.links import issue_link
from study.amendments import amend
from study.conduct import enrol
from study.events import ParticipantAllocated, Role, SessionRendered
from study.founding import Study
from study.recruitment import pause_recruitment, resume_recruitment
from tests.dashboards.app.person import Person
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.staff import staffed
from tests.dashboards.short_study import short_study

ACTOR = "test"
ANNA = Staff("anna", Role.ADMIN)


def amended(study: Study, to: Path) -> Path:
    """Another consent, and a session of eight seconds in place of six."""
    protocol: dict[str, Any] = json.loads(study.folder.protocol.read_text())
    protocol["study"]["version"] = "2"
    protocol["consent"]["version"] = "2"
    protocol["consent"]["text"] = {"en": "Amended: the music is longer now."}
    protocol["session"]["duration_s"] = 8
    protocol["path"]["steps"] = 4
    to.write_text(json.dumps(protocol))
    return to


@pytest.mark.requirement("SPIRIT 2025 item 31", "ICH E6(R3) 3.9")
def test_a_session_under_way_goes_on_under_its_version_and_the_server_notices_without_a_restart(
    tmp_path: Path,
) -> None:
    study = short_study(tmp_path / "study")
    staffed(study)
    before = enrol(study, ACTOR, {})
    with (
        ServedStudy(study.folder.root) as server,
        Person(server.url, issue_link(study, ACTOR, before)) as under_way,
    ):
        under_way.take_the_lease()
        under_way.go_on_to("instrument")
        pause_recruitment(study, ANNA, "an amendment is on its way")
        assert under_way.view()["kind"] == "instrument"
        resume_recruitment(study, ANNA, "it is here")
        made = amend(study, ANNA, amended(study, tmp_path / "amended.json"), "longer sessions")
        after = enrol(study, ACTOR, {})
        with Person(server.url, issue_link(study, ACTOR, after)) as new:
            new.take_the_lease()
            consent = new.view()
            new.go_on_to("instrument")
        player = under_way.go_on_to("player")

    lasted_s = [
        r.event.duration_s for r in study.record.participant(before) if isinstance(r.event, SessionRendered)
    ]
    assert "the music is longer now" in json.dumps(consent["data"])
    assert player["data"]["session_id"] == "ses-01"
    assert lasted_s == [pytest.approx(6, abs=0.1)]
    first, second = study.protocol.versions[-1].sha256, made.protocol_sha256
    assert {r.protocol_sha256 for r in study.record.participant(before)} == {first}
    assert {r.protocol_sha256 for r in study.record.participant(after)} == {second}
    assert any(isinstance(r.event, ParticipantAllocated) for r in study.record.participant(before))
    study.record.verify()
    study.record.close()
