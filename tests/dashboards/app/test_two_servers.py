"""Two servers of one study on one PostgreSQL: what one acknowledged, the other goes on from."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from dashboards.participant.sound_here import lacks_sound
from dashboards.server.render_worker import Order, RenderWorker
from dashboards.server.sound_made_anew import make_anew
from study.access.links import issue_link
from study.conduct import enrol
from study.delivery import plan_session, record_render
from study.events import DeviationRecorded, PlaybackLogged, SelfReportSubmitted, SessionRendered
from study.founding import Study, initialise_study
from study.joining import join_study
from study.manifest import RenderManifest
from study.oversight.alerts import AlertKind, alerts_of
from study.step import Listen
from tests.dashboards.app.person import Person
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.whole_study import whole_protocol
from tests.dashboards.short_study import ACTOR, short_study, waiting


@pytest.fixture
def two(tmp_path: Path, postgres_url: str) -> Iterator[tuple[Study, Study]]:
    """One study, and the folders of its two servers."""
    protocol = tmp_path / "protocol.json"
    protocol.write_text(json.dumps(whole_protocol(kinds=("noise", "target_only"))))
    south = initialise_study(tmp_path / "south", protocol, "test", "isopath test", store=postgres_url)
    seed = south.folder.allocation_seed
    north = join_study(tmp_path / "north", postgres_url, seed=seed).study
    yield south, north
    south.record.close()
    north.record.close()


@pytest.mark.postgres
@pytest.mark.requirement("ALCOA+ enduring", "ALCOA+ available")
def test_whose_server_is_killed_in_mid_session_goes_on_at_the_other(two: tuple[Study, Study]) -> None:
    south, north = two
    participant_id = enrol(south, "test", {})
    token = issue_link(south, "test", participant_id)
    with ServedStudy(south.folder.root) as dying, ServedStudy(north.folder.root) as other:
        with Person(dying.url, token) as person:
            person.take_the_lease()
            listening = threading.Thread(target=_listen_until_the_server_dies, args=(person,))
            listening.start()
            while not south.record.events(participant_id, kinds=[PlaybackLogged]):
                assert listening.is_alive()
            dying.kill()
            listening.join()
            acknowledged = list(person.acknowledged)
        rendered = south.record.events(participant_id, kinds=[SessionRendered])
        sound = Path("sessions") / participant_id / "ses-01" / "session.flac"
        assert not (north.folder.root / sound).exists()

        with Person(other.url, token, acknowledged=acknowledged) as person:
            _wait_for_the_sound(person)
            assert (north.folder.root / sound).read_bytes() == (south.folder.root / sound).read_bytes()
            assert person.walk()[-1] == "finished"

    north.record.verify()
    assert north.record.events(participant_id, kinds=[SessionRendered]) == rendered
    assert not north.record.events(participant_id, kinds=[DeviationRecorded])
    entries = [
        f"{row.event.player_id}/{entry.sequence}"
        for row in north.record.events(participant_id, kinds=[PlaybackLogged])
        if isinstance(row.event, PlaybackLogged)
        for entry in row.event.entries
    ]
    assert {one.key for one in person.acknowledged if one.kind == "playback"} <= set(entries)
    assert len(entries) == len(set(entries))
    reports = [
        (row.event.phase, row.event.instrument_id, row.event.probe_at_s)
        for row in north.record.events(participant_id, kinds=[SelfReportSubmitted])
        if isinstance(row.event, SelfReportSubmitted)
    ]
    assert len(reports) == len(set(reports)) == 6


def _listen_until_the_server_dies(person: Person) -> None:
    try:
        person.walk()
    except (httpx.TransportError, httpx.HTTPStatusError):
        return
    raise AssertionError("the server did not die")


def _wait_for_the_sound(person: Person) -> None:
    """As the waiting page asks."""
    assert person.view()["kind"] == "waiting"
    while (state := person._client.get("/api/me/rendering").json()["state"]) != "ready":
        assert state in ("waiting", "working")
        time.sleep(0.05)
    assert person.view()["kind"] == "player"


def test_a_sound_made_anew_that_is_another_is_never_played_and_staff_are_told(tmp_path: Path) -> None:
    study = short_study(tmp_path / "study", other="noise")
    who = waiting(study)
    plan = plan_session(study, who)
    worker = RenderWorker()
    try:
        made = worker.render(Order(plan, study.folder.sessions, None), lambda _: None)
        assert isinstance(made, RenderManifest)
        record_render(study, ACTOR, plan, replace(made, audio_sha256="ab" * 32))
        assert isinstance(study.due(who), Listen)
        (study.folder.sessions / who / plan.session_id).rename(tmp_path / "at the other server")

        there = [make_anew(study, worker, who, None, lambda _: None) for _ in range(2)]
    finally:
        worker.stop()

    assert there == [False, False]
    assert lacks_sound(study.folder, who, study.due(who))
    told = [row.event for row in study.record.events(who, kinds=[DeviationRecorded])]
    assert [event.description for event in told if isinstance(event, DeviationRecorded)] == [
        "the sound of ses-01 could not be rendered anew: what was made is not the recorded sound"
    ]
    alerts = alerts_of(study.protocol, study.record.events(), study.record.clock())
    assert [alert.kind for alert in alerts].count(AlertKind.RENDER_FAILED) == 1
    study.record.close()
