"""Logs in and sound out, by HTTP: each for the cookie's own person, while it is due, and as RFC 9110 says."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboards.server import playback_routes, sound_routes
from dashboards.server.byte_ranges import Selection, select
from dashboards.server.identity import LINK_COOKIE
from dashboards.server.playback_writer import PlaybackWriter
from dashboards.server.serving import Served, begin_serving
from study.access.links import issue_link, revoke_links
from study.conduct import assess_eligibility, enrol, give_consent
from study.errors import StorageError
from study.events import PlaybackLogged, PlayerEntry, PlayerEntryKind
from study.founding import Study, open_study
from study.player_log import LogOutcome, PlaybackBatch
from study.step import CheckSound
from study.steps import next_step
from tests.dashboards.app.listeners import SESSION, Listener, listeners, listening_protocol
from tests.dashboards.app.whole_study import whole_protocol, whole_study

SIZE, TAG = 1000, '"abc"'

RANGES = {
    "nothing asked": ({}, Selection(200, 0, 1000)),
    "a part": ({"range": "bytes=10-19"}, Selection(206, 10, 20)),
    "from a byte on": ({"range": "bytes=990-"}, Selection(206, 990, 1000)),
    "beyond the end is cut": ({"range": "bytes=990-5000"}, Selection(206, 990, 1000)),
    "the last bytes": ({"range": "bytes=-10"}, Selection(206, 990, 1000)),
    "more last bytes than there are": ({"range": "bytes=-5000"}, Selection(206, 0, 1000)),
    "no last byte": ({"range": "bytes=-0"}, Selection(416)),
    "nothing that is there": ({"range": "bytes=1000-"}, Selection(416)),
    "several parts may be given whole": ({"range": "bytes=0-1, 5-6"}, Selection(200, 0, 1000)),
    "several parts, none there": ({"range": "bytes=1000-1001,2000-"}, Selection(416)),
    "backwards is no range": ({"range": "bytes=20-10"}, Selection(200, 0, 1000)),
    "no digits are no range": ({"range": "bytes=-"}, Selection(200, 0, 1000)),
    "letters are no range": ({"range": "bytes=a-b"}, Selection(200, 0, 1000)),
    "another unit is passed over": ({"range": "seconds=1-2"}, Selection(200, 0, 1000)),
    "digits without end are no range": ({"range": "bytes=" + "9" * 40 + "-"}, Selection(200, 0, 1000)),
    "if it is still this": ({"range": "bytes=0-1", "if-range": TAG}, Selection(206, 0, 2)),
    "if it is still another": ({"range": "bytes=0-1", "if-range": '"old"'}, Selection(200, 0, 1000)),
    "weak is not the same": ({"range": "bytes=0-1", "if-range": f"W/{TAG}"}, Selection(200, 0, 1000)),
    "if it is a date": (
        {"range": "bytes=0-1", "if-range": "Sun, 01 Mar 2026 09:00:00 GMT"},
        Selection(200, 0, 1000),
    ),
    "kept already": ({"if-none-match": TAG}, Selection(304)),
    "kept already, weakly, among others": ({"if-none-match": f'"x", W/{TAG}'}, Selection(304)),
    "anything kept": ({"if-none-match": "*"}, Selection(304)),
    "another kept": ({"if-none-match": '"x"'}, Selection(200, 0, 1000)),
    "kept goes before a part": ({"if-none-match": TAG, "range": "bytes=0-1"}, Selection(304)),
    "only if it is another": ({"if-match": '"x"'}, Selection(412)),
    "only if it is this": ({"if-match": TAG}, Selection(200, 0, 1000)),
}


@pytest.mark.parametrize("what", RANGES)
def test_a_part_of_a_file_is_chosen_as_rfc_9110_says(what: str) -> None:
    headers, wanted = RANGES[what]

    assert select("GET", headers, SIZE, TAG) == wanted


def test_a_range_is_defined_for_get_alone() -> None:
    assert select("HEAD", {"range": "bytes=0-1"}, SIZE, TAG) == Selection(200, 0, 1000)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Listener]]:
    root = tmp_path_factory.mktemp("routes") / "study"
    made = listeners(root, listening_protocol(), 4)
    yield made
    made[0].study.record.close()


@pytest.fixture(scope="module")
def client(people: list[Listener]) -> Iterator[TestClient]:
    yield from client_of(people[0].study)


def client_of(study: Study) -> Iterator[TestClient]:
    served = Served(study, is_secure=False)
    joined = [*playback_routes.routes(served), *sound_routes.routes(served)]
    with TestClient(Starlette(routes=joined)) as client:
        SERVED[client] = served
        yield client


def as_person(client: TestClient, token: str) -> TestClient:
    begin_serving(SERVED[client])
    client.cookies.set(LINK_COOKIE, token)
    return client


SERVED: dict[TestClient, Served] = {}


def test_a_session_is_sent_byte_for_byte_whole_or_in_part(client: TestClient, people: list[Listener]) -> None:
    as_person(client, people[0].token)
    whole = people[0].sound.read_bytes()
    tag = f'"{hashlib.sha256(whole).hexdigest()}"'

    got = client.get(f"/api/me/sound/{SESSION}")
    part = client.get(f"/api/me/sound/{SESSION}", headers={"range": "bytes=5-"})
    head = client.head(f"/api/me/sound/{SESSION}")
    kept = client.get(f"/api/me/sound/{SESSION}", headers={"if-none-match": tag})
    beyond = client.get(f"/api/me/sound/{SESSION}", headers={"range": f"bytes={len(whole)}-"})

    assert (got.status_code, got.content, got.headers["etag"]) == (200, whole, tag)
    assert got.headers["content-type"] == "audio/flac"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["cache-control"] == "private, no-cache"
    assert (part.status_code, part.content) == (206, whole[5:])
    assert part.headers["content-range"] == f"bytes 5-{len(whole) - 1}/{len(whole)}"
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(whole)))
    assert (kept.status_code, kept.content) == (304, b"")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")


ELSEWHERE = (
    "ses-02",
    "..",
    "%2e%2e%2f%2e%2e%2frecord.sqlite",
    "../../protocol.json",
    "ses-01%00",
    "/etc/passwd",
)


@pytest.mark.parametrize("asked", ELSEWHERE)
def test_no_name_leads_to_any_other_file(client: TestClient, people: list[Listener], asked: str) -> None:
    as_person(client, people[0].token)

    assert client.get(f"/api/me/sound/{asked}").status_code == 404


def test_without_an_open_link_there_is_no_sound_and_no_log(
    client: TestClient, people: list[Listener]
) -> None:
    closed = people[3]
    revoke_links(closed.study, "test", closed.participant_id, "lost")

    for token in ("", "0" * 32, closed.token):
        as_person(client, token)
        assert client.get(f"/api/me/sound/{SESSION}").status_code == 401
        assert client.post("/api/me/playback", json=body(line())).status_code == 401


def test_each_person_hears_their_own(client: TestClient, people: list[Listener]) -> None:
    mine = as_person(client, people[1].token).get(f"/api/me/sound/{SESSION}").content

    assert mine == people[1].sound.read_bytes()
    assert mine != people[0].sound.read_bytes()


def line(sequence: int = 0, kind: str = "online", **changes: Any) -> dict[str, Any]:
    return {"sequence": sequence, "kind": kind, "at_ms": 0, "position_s": 0} | changes


def body(*entries: Any, **changes: Any) -> dict[str, Any]:
    return {"tab_id": "tab", "session_id": SESSION, "player_id": "p", "entries": list(entries)} | changes


def test_a_log_sent_twice_is_recorded_once(client: TestClient, people: list[Listener]) -> None:
    listener = people[1]
    as_person(client, listener.token)

    answers = [client.post("/api/me/playback", json=body(line(0, "play"), line(1))) for _ in range(2)]
    gap = client.post("/api/me/playback", json=body(line(5)))

    assert [answer.json() for answer in answers] == [{"acknowledged": 2, "lease": "yours"}] * 2
    assert (gap.status_code, gap.json()) == (409, {"code": "gap", "acknowledged": 2})
    assert [entry.sequence for entry in listener.lines()] == [0, 1]


MALFORMED: dict[str, Any] = {
    "no entries": body(),
    "too many": body(*[line(n) for n in range(201)]),
    "an unknown field": body(line(), arm="iso"),
    "another person named": body(line(), participant_id="sub-0"),
    "an unknown kind": body(line(0, "explode")),
    "a missing field": body({"sequence": 0}),
    "a path as player": body(line(), player_id="../p"),
    "an id without end": body(line(), player_id="p" * 65),
    "a negative number": body(line(-1)),
    "a truth value for a number": body(line(True)),
    "a text for a position": body(line(position_s="0")),
    "a number without end": body(line(position_s=1e300)),
    "a long detail": body(line(detail="x" * 200)),
    "values without end": body(line(values=[0.0] * 9)),
    "a list": [1],
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_not_a_log_is_refused(client: TestClient, people: list[Listener], what: str) -> None:
    as_person(client, people[2].token)

    answer = client.post("/api/me/playback", json=MALFORMED[what])

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert people[2].lines() == []


def test_what_nobody_could_have_heard_is_refused(client: TestClient, people: list[Listener]) -> None:
    as_person(client, people[2].token)

    answer = client.post("/api/me/playback", json=body(line(0, "play"), line(1, "ended", position_s=6)))

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert people[2].lines() == []


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Study, str, str]]:
    protocol = whole_protocol()
    protocol["sound_check"] |= {"trials": 3, "pass_at": 3}
    study = whole_study(tmp_path_factory.mktemp("check") / "study", protocol)
    participant_id = enrol(study, "test", {})
    give_consent(study, "test", participant_id, "en")
    assess_eligibility(study, "test", participant_id, {"adult": True})
    token = issue_link(study, "test", participant_id)
    for client in client_of(study):
        yield as_person(client, token), study, participant_id, token
    study.record.close()


def test_the_sound_check_is_the_same_at_every_look_and_tells_nothing_by_name(
    checker: tuple[TestClient, Study, str, str],
) -> None:
    client, study, participant_id, _ = checker
    step = next_step(study.protocol, study.record.participant(participant_id))
    assert isinstance(step, CheckSound)

    sounds = {name: client.get(f"/api/me/sound-check/{name}.wav") for name in ("level", "1", "2", "3")}
    again = client.get("/api/me/sound-check/2.wav?attempt=1")

    assert [answer.status_code for answer in sounds.values()] == [200] * 4
    assert len({answer.content for answer in sounds.values()}) == 4
    assert len({len(sounds[name].content) for name in "123"}) == 1
    assert again.content == sounds["2"].content
    for name in ("4", "0", "answer", "level.wav%2f..", "-1"):
        assert client.get(f"/api/me/sound-check/{name}.wav").status_code == 404


def test_sounds_and_pictures_that_are_not_due_are_not_there(
    client: TestClient, people: list[Listener]
) -> None:
    as_person(client, people[0].token)

    assert client.get("/api/me/sound-check/level.wav").status_code == 404
    assert client.get("/api/me/picture/feeling/valence/1").status_code == 404


def entry(sequence: int) -> PlayerEntry:
    return PlayerEntry(sequence, PlayerEntryKind.ONLINE, 0, 0.0)


def batches(people: list[Listener], player_id: str) -> list[PlaybackBatch]:
    return [
        PlaybackBatch(person.participant_id, SESSION, f"{player_id}{n}", (entry(0),))
        for person in people
        for n in range(10)
    ]


def test_what_arrives_together_shares_transactions_and_is_on_disk_when_acknowledged(
    people: list[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = people[0].study
    transactions: list[int] = []
    insert = type(study.record)._insert

    def counted(*given: Any) -> Any:
        rows = insert(*given)
        transactions.append(len(rows))
        return rows

    monkeypatch.setattr(type(study.record), "_insert", counted)

    async def together() -> list[bool]:
        writer = PlaybackWriter(study)

        async def one(batch: PlaybackBatch) -> bool:
            outcome = await writer.log(batch)
            return outcome == LogOutcome(1) and batch.player_id in players_on_disk(study)

        found = await asyncio.gather(*(one(batch) for batch in batches(people[:3], "together")))
        await writer.close()
        return found

    assert asyncio.run(together()) == [True] * 30
    assert sum(transactions) == 30
    assert len(transactions) <= 3


def players_on_disk(study: Study) -> set[str]:
    """Read anew, by a connection of its own."""
    again = open_study(study.folder.root)
    found = [recorded.event for recorded in again.record.events(kinds=[PlaybackLogged])]
    again.record.close()
    return {event.player_id for event in found if isinstance(event, PlaybackLogged)}


def test_everybody_who_waits_is_told_of_a_full_disk_and_may_send_again(
    people: list[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = people[0].study
    is_full = threading.Event()
    is_full.set()
    insert = type(study.record)._insert

    def filling(*given: Any) -> Any:
        if is_full.is_set():
            raise StorageError("the record", "the disk is full", "make room")
        return insert(*given)

    monkeypatch.setattr(type(study.record), "_insert", filling)

    async def twice() -> tuple[list[Any], list[Any]]:
        writer = PlaybackWriter(study)
        sent = batches(people[:3], "full")
        # Whoever is not told would wait for ever.
        async with asyncio.timeout(20):
            refused = await asyncio.gather(*map(writer.log, sent), return_exceptions=True)
        is_full.clear()
        return refused, await asyncio.gather(*map(writer.log, sent), return_exceptions=True)

    refused, again = asyncio.run(twice())

    assert [type(outcome) for outcome in refused] == [StorageError] * 30
    assert again == [LogOutcome(1)] * 30
