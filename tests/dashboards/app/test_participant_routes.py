"""A participant's own routes, over a real record."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboards.server import participant_routes
from dashboards.server.serving import Served, begin_serving
from study.access.links import issue_link
from study.conduct import enrol
from study.events import (
    ConsentGiven,
    EligibilityAssessed,
    Event,
    ParticipationMoved,
    SupportCause,
    SupportOffered,
)
from study.founding import Study, open_study
from tests.dashboards.app.person import usual_answer
from tests.dashboards.app.whole_study import whole_study


class Tab:
    """One tab of one person."""

    def __init__(self, client: TestClient, token: str, tab_id: str) -> None:
        self._client = client
        self._headers = {"cookie": f"isopath_link={token}"}
        self.tab_id = tab_id

    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = self._client.get("/api/me/step", headers=self._headers).json()
        return view

    def post(self, path: str, **body: Any) -> Any:
        return self._client.post(
            f"/api/me/{path}", json={"tab_id": self.tab_id} | body, headers=self._headers
        )

    def answer(self) -> Any:
        view = self.view()
        return self.post("answer", key=view["key"], answer=usual_answer(view, (0.25, 0.75)))

    def lease(self, take_over: bool = False) -> str:
        said: str = self.post("lease", take_over=take_over).json()["lease"]
        return said


class Scene:
    """A study behind its routes, without a network."""

    def __init__(self, root: Path) -> None:
        whole_study(root).record.close()
        self.study: Study = open_study(root, busy_timeout_s=0.2)
        self.participant_id = enrol(self.study, "test", {})
        self.token = issue_link(self.study, "test", self.participant_id)
        served = Served(self.study, False)
        begin_serving(served)
        self.client = TestClient(Starlette(routes=[*participant_routes.routes(served)]))

    def tab(self, tab_id: str) -> Tab:
        return Tab(self.client, self.token, tab_id)

    def told(self, kind: type[Event]) -> list[Event | None]:
        return [r.event for r in self.study.record.events(self.participant_id, kinds=[kind])]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "study")
    with made.client:
        yield made
    made.study.record.close()


def test_an_answer_is_saved_before_it_is_acknowledged_and_names_the_next_step(scene: Scene) -> None:
    reply = scene.tab("first").answer()

    assert (reply.status_code, reply.json()) == (200, {"saved": True, "next_key": "eligibility"})
    assert len(scene.told(ConsentGiven)) == 1


def test_a_second_tab_is_told_kindly_and_can_take_over(scene: Scene) -> None:
    first, second = scene.tab("first"), scene.tab("second")
    assert first.lease() == "yours"

    assert second.lease() == "other"
    assert scene.told(ParticipationMoved) == []
    assert second.lease(take_over=True) == "yours"

    assert first.lease() == "other"
    assert scene.told(ParticipationMoved) == [ParticipationMoved("second")]


def test_the_tab_that_lost_its_lease_records_nothing(scene: Scene) -> None:
    first, second = scene.tab("first"), scene.tab("second")
    first.lease()
    second.lease(take_over=True)

    reply = first.answer()

    assert (reply.status_code, reply.json()) == (409, {"code": "lease"})
    assert scene.told(ConsentGiven) == []
    assert second.answer().status_code == 200


def test_taking_over_what_is_ones_own_is_no_move(scene: Scene) -> None:
    tab = scene.tab("first")

    assert [tab.lease(take_over=True), tab.lease(take_over=True)] == ["yours", "yours"]
    assert scene.told(ParticipationMoved) == []


def test_a_closed_tab_leaves_its_place_to_the_next(scene: Scene) -> None:
    first, second = scene.tab("first"), scene.tab("second")
    first.lease()

    first.post("lease", release=True)

    assert second.lease() == "yours"
    assert scene.told(ParticipationMoved) == []


def test_an_answer_that_is_sent_many_times_at_once_is_recorded_once(scene: Scene) -> None:
    tab = scene.tab("first")
    view = tab.view()
    said = usual_answer(view, (0.25, 0.75))

    with ThreadPoolExecutor(8) as many:
        sent = [many.submit(tab.post, "answer", key=view["key"], answer=said) for _ in range(8)]
        statuses = sorted(one.result().status_code for one in sent)

    assert statuses == [200] + [409] * 7
    assert len(scene.told(ConsentGiven)) == 1


def test_an_answer_sent_again_after_its_acknowledgement_was_lost_is_told_what_is_due(scene: Scene) -> None:
    tab = scene.tab("first")
    view = tab.view()
    said = usual_answer(view, (0.25, 0.75))
    tab.post("answer", key=view["key"], answer=said)

    again = tab.post("answer", key=view["key"], answer=said)

    assert (again.status_code, again.json()) == (409, {"code": "not_due", "next_key": "eligibility"})


def test_a_record_that_cannot_be_written_is_no_acknowledgement(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    tab = scene.tab("first")
    tab.answer()
    holder = sqlite3.connect(scene.study.folder.record, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    refused = tab.answer()
    holder.close()

    assert (refused.status_code, refused.json()) == (503, {"code": "storage"})
    assert refused.headers["retry-after"] == "2"
    assert scene.told(EligibilityAssessed) == []
    assert "RecordBusy" in caplog.text
    assert tab.answer().status_code == 200


def test_a_wrong_answer_is_told_what_is_expected(scene: Scene) -> None:
    reply = scene.tab("first").post("answer", key="consent", answer={"agreed": True})

    assert reply.status_code == 422
    assert reply.json()["code"] == "invalid"
    assert "is missing; send en or de" in reply.json()["message"]


def test_a_call_is_heard_from_any_tab_and_once(scene: Scene) -> None:
    first, second = scene.tab("first"), scene.tab("second")
    first.answer()

    replies = [second.post("call-staff", session_id="ses-01") for _ in range(2)]

    assert [r.status_code for r in replies] == [200, 200]
    assert scene.told(SupportOffered) == [SupportOffered(SupportCause.CALLED)]
    assert second.post("call-staff", session_id="ses-77").status_code == 422
    assert first.view()["kind"] == "support"


def test_a_chosen_language_is_kept_and_the_pages_speak_it(scene: Scene) -> None:
    tab = scene.tab("first")

    reply = tab.post("language", language="de")

    assert reply.status_code == 200
    assert "isopath_language=de" in reply.headers["set-cookie"]
    assert "HttpOnly" in reply.headers["set-cookie"]
    spoken = scene.client.get(
        "/api/me/step", headers={"cookie": f"isopath_link={scene.token}; isopath_language=de"}
    )
    assert spoken.json()["language"] == "de"


def test_leaving_takes_the_persons_cookies_and_frees_their_place(scene: Scene) -> None:
    first, second = scene.tab("first"), scene.tab("second")
    first.lease()

    reply = first.post("leave")

    assert reply.json() == {"to": "/"}
    gone = [c for c in reply.headers.get_list("set-cookie") if "Max-Age=0" in c]
    assert {c.split("=")[0] for c in gone} == {"isopath_link", "isopath_language"}
    assert second.lease() == "yours"


def test_whose_sound_is_not_made_here_waits_and_says_no_more(scene: Scene) -> None:
    reply = scene.client.get("/api/me/rendering", headers={"cookie": f"isopath_link={scene.token}"})

    assert reply.json() == {"state": "waiting", "share": 0.0}
