"""What somebody might try against the server, tried: each against the real process."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from study.access.links import issue_link, revoke_links
from study.conduct import enrol
from study.events import ConsentGiven, EligibilityAssessed, PlaybackLogged
from study.founding import Study
from tests.dashboards.app.person import Person
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.whole_study import whole_protocol, whole_study

BODY_LIMIT = 64 * 1024
_addresses = count(2)


def own_address() -> str:
    """Failures are counted by address: each test has its own, all of this machine."""
    number = next(_addresses)
    return f"127.0.{number // 250}.{number % 250 + 2}"


class Visitor(Person):
    """A person with a link, at an address of their own, who asks for whatever they like."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.close()
        self._client = httpx.Client(
            base_url=self.url,
            cookies={"isopath_link": self.token},
            headers={"origin": self.url},
            transport=httpx.HTTPTransport(local_address=own_address()),
        )

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._client.request(method, path, **more)


@dataclass(frozen=True)
class Scene:
    """A served study, and a person in it who is about to listen."""

    served: ServedStudy
    study: Study
    victim_id: str
    victim: Visitor
    open: ExitStack

    def newcomer(self, **terms: Any) -> tuple[str, Visitor]:
        participant_id = enrol(self.study, "test", {})
        token = issue_link(self.study, "test", participant_id, **terms)
        return participant_id, self.open.enter_context(Visitor(self.served.url, token))

    def stranger(self, **headers: str) -> httpx.Client:
        """Somebody without a link, from an address of their own."""
        transport = httpx.HTTPTransport(local_address=own_address())
        return httpx.Client(base_url=self.served.url, transport=transport, headers=headers)

    def head(self) -> int:
        return self.study.record.head().sequence


@pytest.fixture(scope="module")
def served_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    protocol = whole_protocol(kinds=("noise", "silence"))
    del protocol["sound_check"]
    study = whole_study(tmp_path_factory.mktemp("attacked") / "study", protocol)
    with ServedStudy(study.folder.root) as served, ExitStack() as opened:
        victim_id = enrol(study, "test", {})
        victim = opened.enter_context(Visitor(served.url, issue_link(study, "test", victim_id)))
        victim.take_the_lease()
        victim.go_on_to("player")
        yield Scene(served, study, victim_id, victim, opened)


@pytest.fixture
def scene(served_scene: Scene) -> Iterator[Scene]:
    """The victim has a link and an address of this test's own.

    How often either may ask is counted: what a file of tests asks for within a second on a quick machine
    is a flood, and no test but the one of floods is to meet the limit.
    """
    told = served_scene
    token = issue_link(told.study, "test", told.victim_id)
    with ExitStack() as opened:
        victim = opened.enter_context(Visitor(told.served.url, token, tab_id=told.victim.tab_id))
        yield replace(told, victim=victim, open=opened)


# Other people's sound, events and answers.


def test_a_session_is_heard_by_its_own_person_alone(scene: Scene) -> None:
    _, attacker = scene.newcomer()
    mine = scene.victim.ask("GET", "/api/me/sound/ses-01")

    assert mine.status_code == 200
    assert mine.content.startswith(b"fLaC")
    for path in (
        "/api/me/sound/ses-01",
        f"/api/me/sound/ses-01?participant_id={scene.victim_id}",
        f"/api/me/sound/{scene.victim_id}",
        f"/api/me/sound/{scene.victim_id}%2Fses-01",
        f"/api/me/sound/..%2F{scene.victim_id}%2Fses-01",
        f"/sessions/{scene.victim_id}/ses-01/session.flac",
        f"/static/{scene.victim_id}/ses-01/session.flac",
        f"/media/{scene.victim_id}/ses-01/session.flac",
        f"/api/staff/sound/{scene.victim_id}/ses-01",
    ):
        assert b"fLaC" not in attacker.ask("GET", path).content, path


def test_a_log_is_written_for_the_links_own_person_whatever_it_names(scene: Scene) -> None:
    _, attacker = scene.newcomer()
    entry = {"sequence": 0, "kind": "loaded", "at_ms": 0, "position_s": 0.0}
    body = {"session_id": "ses-01", "player_id": "p", "entries": [entry]}
    before = len(scene.study.record.events(scene.victim_id))

    named = attacker.post("/api/me/playback", body | {"participant_id": scene.victim_id})
    unnamed = attacker.post("/api/me/playback", body)

    assert (named.status_code, unnamed.status_code) == (422, 422)
    assert len(scene.study.record.events(scene.victim_id)) == before


def test_another_persons_step_cannot_be_answered(scene: Scene) -> None:
    attacker_id, attacker = scene.newcomer()
    key = scene.victim.view()["key"]
    before = scene.head()

    reply = attacker.post("/api/me/answer", {"key": key, "answer": {}, "response_time_s": None})
    named = attacker.post(
        "/api/me/answer",
        {"key": "consent", "answer": {}, "response_time_s": None, "participant_id": scene.victim_id},
    )

    assert (reply.status_code, reply.json()) == (409, {"code": "not_due", "next_key": "consent"})
    assert named.status_code == 422
    assert scene.head() == before
    assert attacker_id != scene.victim_id


def test_the_views_of_one_person_say_nothing_of_another(scene: Scene) -> None:
    _, attacker = scene.newcomer()

    text = json.dumps(attacker.view())

    assert scene.victim_id not in text


# Links that open nothing.

OWN_ROUTES = [
    ("GET", "/api/me/step"),
    ("GET", "/api/me/rendering"),
    ("GET", "/api/me/sound/ses-01"),
    ("POST", "/api/me/answer"),
    ("POST", "/api/me/lease"),
    ("POST", "/api/me/playback"),
    ("POST", "/api/me/call-staff"),
    ("POST", "/api/me/withdraw"),
    ("POST", "/api/me/language"),
]


@pytest.mark.parametrize("link", ["expired", "revoked", "unknown", "malformed", "none"])
def test_a_link_that_does_not_open_opens_no_route(scene: Scene, link: str) -> None:
    participant_id, person = scene.newcomer(**({"lasts": timedelta(0)} if link == "expired" else {}))
    token = {"unknown": "0" * 32, "malformed": "../" * 10}.get(link, person.token)
    if link == "revoked":
        assert person.view()["kind"] == "consent"
        revoke_links(scene.study, "test", participant_id, "lost")
    cookie = {} if link == "none" else {"cookie": f"isopath_link={token}"}
    before = scene.head()

    with scene.stranger(origin=scene.served.url, **cookie) as client:
        body = {"tab_id": "t", "language": "de", "session_id": "ses-01"}
        for method, path in OWN_ROUTES:
            reply = client.request(method, path, json=body if method == "POST" else None)
            assert (reply.status_code, reply.json()) == (401, {"code": "link"}), path
        opened = client.get(f"/go/{token if link != 'malformed' else 'x' * 32}")

    assert opened.headers["location"] == "/"
    assert ("Max-Age=0" in opened.headers["set-cookie"]) is (link != "none")
    assert scene.head() == before


def test_guessing_links_is_slowed_down_and_those_who_have_one_go_on(scene: Scene) -> None:
    with scene.stranger() as guesser:
        statuses: list[int] = []
        # As many as even a slow machine needs to be quicker than the limit, which forgives five a second.
        while 429 not in statuses[-1:] and len(statuses) < 5_000:
            statuses.append(guesser.get(f"/go/{len(statuses):032x}").status_code)
    _, honest = scene.newcomer()

    assert statuses[0] == 303
    assert len(statuses) > 300
    assert statuses[-1] == 429
    # Another address, and whoever is known at this one, notice nothing.
    assert honest.view()["kind"] == "consent"
    assert scene.victim.view()["kind"] == "player"


def test_a_flood_of_one_link_is_told_when_to_come_back(scene: Scene) -> None:
    _, flooding = scene.newcomer()

    for _ in range(1_000):
        reply = flooding.ask("GET", "/api/me/rendering")
        if reply.status_code == 429:
            break

    assert reply.status_code == 429
    assert 1 <= int(reply.headers["retry-after"]) <= 2
    assert scene.victim.view()["kind"] == "player"


# Forged, oversized and replayed batches.


def entries(*lines: tuple[str, int, float], start: int = 0) -> list[dict[str, Any]]:
    return [
        {"sequence": start + i, "kind": kind, "at_ms": at_ms, "position_s": position_s}
        for i, (kind, at_ms, position_s) in enumerate(lines)
    ]


def logged(scene: Scene, batch: list[dict[str, Any]], player_id: str) -> httpx.Response:
    body = {"session_id": "ses-01", "player_id": player_id, "entries": batch}
    return scene.victim.post("/api/me/playback", body)


@pytest.mark.parametrize(
    "forged",
    [
        entries(("play", 0, 0.0), ("ended", 10, 4.0)),
        entries(("play", 0, 400.0)),
        entries(("play", 0, -1.0)),
        entries(("play", 10, 0.0), ("position", 5, 0.0)),
        entries(("conquered", 0, 0.0)),
        entries(*[("position", 0, 0.0)] * 201),
        entries(("play", 0, 0.0), start=-1),
        [{"sequence": 0, "kind": "play", "at_ms": 0}],
        [{"sequence": 0, "kind": "play", "at_ms": 0, "position_s": 0.0, "arm": "iso"}],
        [{"sequence": 0, "kind": "play", "at_ms": "0", "position_s": 0.0}],
        [{"sequence": True, "kind": "play", "at_ms": 0, "position_s": 0.0}],
        ["play"],
        [],
    ],
)
def test_a_log_that_cannot_be_true_is_not_recorded(scene: Scene, forged: list[Any]) -> None:
    before = scene.head()

    reply = logged(scene, forged, "forger")

    assert reply.status_code == 422
    assert scene.head() == before


def test_a_batch_sent_again_is_acknowledged_again_and_recorded_once(scene: Scene) -> None:
    batch = entries(("loaded", 0, 0.0))

    first, again = logged(scene, batch, "replayed"), logged(scene, batch, "replayed")

    assert [r.json()["acknowledged"] for r in (first, again)] == [first.json()["acknowledged"]] * 2
    rows = scene.study.record.events(scene.victim_id, kinds=[PlaybackLogged])
    assert sum(isinstance(r.event, PlaybackLogged) and r.event.player_id == "replayed" for r in rows) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"NaN",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"tab_id": NaN}',
        b"[" * 30_000,
        b'{"tab_id": "' + b"x" * 70 + b'", "take_over": false}',
        b'{"tab_id": "t", "take_over": false, "arm": 1}',
    ],
)
def test_a_body_that_is_none_is_refused(scene: Scene, body: bytes) -> None:
    headers = {"content-type": "application/json"}

    reply = scene.victim.ask("POST", "/api/me/lease", content=body, headers=headers)

    assert reply.status_code == 422


def test_a_huge_body_is_refused_whether_it_says_its_length_or_not(scene: Scene) -> None:
    big = b'{"tab_id": "' + b"x" * BODY_LIMIT + b'"}'
    headers = {"content-type": "application/json"}

    said = scene.victim.ask("POST", "/api/me/lease", content=big, headers=headers)
    chunks = iter([big[:1000], big[1000:]])
    unsaid = scene.victim.ask("POST", "/api/me/lease", content=chunks, headers=headers)

    assert (said.status_code, unsaid.status_code) == (413, 413)


def test_slow_bodies_hold_up_nobody_else(scene: Scene) -> None:
    head = (
        f"POST /api/me/lease HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {scene.served.url}\r\n"
        "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"
    )
    source, server = (own_address(), 0), ("127.0.0.1", scene.served.port)
    slow = [socket.create_connection(server, source_address=source) for _ in range(60)]
    for connection in slow:
        connection.sendall(head.encode())

    began = time.monotonic()
    assert scene.victim.view()["kind"] == "player"
    took_s = time.monotonic() - began

    for connection in slow:
        connection.close()
    assert took_s < 2.0


# Posts from other sites' pages.


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "https://{host}"},
        {"origin": "http://{host}.evil.example"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {},
    ],
)
def test_a_post_from_another_sites_page_is_refused(scene: Scene, headers: dict[str, str]) -> None:
    participant_id, person = scene.newcomer()
    host = scene.served.url.removeprefix("http://")
    sent = {name: value.format(host=host) for name, value in headers.items()}
    before = scene.head()

    with scene.stranger(cookie=f"isopath_link={person.token}", **sent) as client:
        for path in ("/api/me/withdraw", "/api/me/answer", "/api/me/leave", "/kiosk/begin"):
            reply = client.post(path, json={"tab_id": "t"})
            assert (reply.status_code, reply.json()) == (403, {"code": "origin"}), path

    assert scene.head() == before
    assert participant_id


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""]
)
def test_what_a_form_can_send_is_refused(scene: Scene, content_type: str) -> None:
    reply = scene.victim.ask(
        "POST", "/api/me/withdraw", content=b'{"tab_id": "t"}', headers={"content-type": content_type}
    )

    assert reply.status_code == 415
    assert scene.victim.view()["kind"] == "player"


def test_another_sites_page_reads_nothing_of_ours(scene: Scene) -> None:
    for site in ("cross-site", "same-site"):
        reply = scene.victim.ask("GET", "/api/me/step", headers={"sec-fetch-site": site})
        assert reply.status_code == 403

    reply = scene.victim.ask("GET", "/api/me/step", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in reply.headers
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_another_sites_page_opens_no_websocket(scene: Scene, origin: str) -> None:
    status, _, _ = raw(
        scene,
        f"GET /_stcore/stream HTTP/1.1\r\nHost: 127.0.0.1:{scene.served.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Cookie: isopath_link={scene.victim.token}\r\nOrigin: {origin}\r\n\r\n",
    )

    assert status == 403


# Paths that climb, headers that inject, names that are not ours.

CLIMBS = [
    "../" * 8,
    "..%2f" * 8,
    "%2e%2e/" * 8,
    "%2e%2e%2f" * 8,
    "%252e%252e%252f" * 8,
    "..%5c" * 8,
    "..\\" * 8,
    "%c0%ae%c0%ae/" * 8,
    "....//" * 8,
    "%00/../" * 4,
    "//",
    "\\\\127.0.0.1\\",
]
PLACES = [
    "/",
    "/static/",
    "/static/js/",
    "/component/x/",
    "/_stcore/bidi-components/x/",
    "/media/",
    "/app/static/",
    "/go/",
    "/api/me/sound/",
    "/api/me/sound-check/",
    "/api/me/picture/",
    "/api/staff/export/",
    "/api/staff/sound/",
    "/staff/",
    "/kiosk/",
]


@pytest.mark.parametrize("climb", CLIMBS)
def test_no_path_leads_out_of_its_place(scene: Scene, climb: str) -> None:
    secrets = [b"root:", b"StudyInitialised", scene.study.folder.protocol.read_bytes()[:40]]
    source = (own_address(), 0)
    connection = http.client.HTTPConnection("127.0.0.1", scene.served.port, source_address=source)
    for place in PLACES:
        for target in ("etc/passwd", str(scene.study.folder.protocol).lstrip("/")):
            connection.putrequest("GET", place + climb + target)
            connection.putheader("Cookie", f"isopath_link={scene.victim.token}")
            connection.endheaders()
            reply = connection.getresponse()
            body = reply.read()
            assert reply.status < 500, (place, climb)
            assert not any(secret in body for secret in secrets), (place, climb)
            assert reply.getheader("location", "").startswith(("/", "")), (place, climb)
            assert "//" not in reply.getheader("location", ""), (place, climb)
    connection.close()


@pytest.mark.parametrize("place", [*PLACES, "/sessions/", "/dashboards/", "/api/", "/api/me/"])
def test_no_folder_is_listed(scene: Scene, place: str) -> None:
    with scene.stranger() as client:
        body = client.get(place, follow_redirects=True).text

    for name in ("Index of", "Directory listing", "record.sqlite", "session.flac", "index.html", "app.py"):
        assert name not in body


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1@evil.example", "evil.example:80", "127.0.0.1/evil", "", "[::1"]
)
def test_a_server_called_by_another_name_does_not_answer(scene: Scene, host: str) -> None:
    status, head, _ = raw(scene, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")

    assert status in (400, 421)
    assert b"evil" not in head


def test_two_names_at_once_are_refused(scene: Scene) -> None:
    names = "Host: 127.0.0.1\r\nHost: evil.example\r\n"

    status, _, _ = raw(scene, f"GET / HTTP/1.1\r\n{names}Connection: close\r\n\r\n")

    assert status in (400, 421)


@pytest.mark.parametrize("language", ["de\r\nSet-Cookie: a=b", "xx", "../de", "<script>", None, 3, ["de"]])
def test_a_language_that_is_none_reaches_no_header(scene: Scene, language: Any) -> None:
    reply = scene.victim.post("/api/me/language", {"language": language})

    assert reply.status_code == 422
    assert "set-cookie" not in reply.headers
    assert "<script>" not in reply.text


def test_a_language_cookie_of_ones_own_making_comes_to_nothing(scene: Scene) -> None:
    cookie = f'isopath_link={scene.victim.token}; isopath_language="><script>alert(1)</script>'

    with scene.stranger(cookie=cookie, **{"accept-language": '"><script>'}) as client:
        page = client.get("/")

    assert page.status_code == 200
    assert '<html lang="en">' in page.text
    assert "alert(1)" not in page.text


def test_bytes_after_a_request_are_no_second_one(scene: Scene) -> None:
    """CL.TE: both lengths at once."""
    status, _, body = raw(
        scene,
        f"POST /api/me/lease HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {scene.served.url}\r\n"
        "Content-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\nGET /_stcore/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    )

    assert status == 400
    assert body == b"Bad request"


# Streamlit's own doors, and what every response carries.


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/_stcore/upload_file/session/file"),
        ("DELETE", "/_stcore/upload_file/session/file"),
        ("GET", "/media/0123456789abcdef.csv"),
        ("GET", "/_stcore/metrics"),
        ("GET", "/_stcore/agent/openapi.json"),
        ("POST", "/_stcore/agent/interact"),
        ("GET", "/component/streamlit.anything/index.html"),
        ("GET", "/_stcore/script-health-check"),
        ("GET", "/api/nothing/here"),
        ("GET", "/api/staff/export/study.zip"),
        ("GET", "/api/staff/sound/sub-1/ses-01"),
    ],
)
def test_what_participants_have_no_use_for_is_closed_to_them(scene: Scene, method: str, path: str) -> None:
    reply = scene.victim.ask(
        method, path, headers={"cookie": f"isopath_link={scene.victim.token}; isopath_staff=guessed"}
    )

    assert reply.status_code in (401, 403, 404)


def test_every_response_carries_the_headers_that_keep_it_in_its_place(scene: Scene) -> None:
    with scene.stranger(origin=scene.served.url) as client:
        replies = [
            client.get("/"),
            client.get("/static/nothing.js"),
            client.get("/_stcore/health"),
            client.get("/api/me/step"),
            client.get("/staff/log-in"),
            client.get("/kiosk"),
            client.get("/go/" + "0" * 32),
            client.get("/%2e%2e%5c"),
            client.get("/", headers={"host": "evil.example"}),
            client.post("/api/me/lease", content=b"", headers={"origin": "https://evil.example"}),
        ]

    for reply in replies:
        policy = reply.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "script-src 'self' blob: 'wasm-unsafe-eval' 'sha256-" in policy
        assert "'unsafe-inline'" not in policy.split("style-src")[0]
        assert "frame-ancestors 'none'" in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] in ("no-referrer", "same-origin")
        assert reply.headers["cross-origin-opener-policy"] == "same-origin"
        assert "server" not in reply.headers
    assert all(r.headers["cache-control"] == "no-store" for r in replies if "/api/" in str(r.url))


def test_a_script_in_an_answer_is_a_text_in_the_record_and_nowhere_else(scene: Scene) -> None:
    participant_id, person = scene.newcomer()
    person.take_the_lease()
    person.go_on()
    script = "<script>alert(1)</script>"

    reply = person.post("/api/me/answer", {"key": "eligibility", "answer": {script: True}})
    named = person.post(f"/api/me/{script}", {})

    assert reply.status_code == 422
    assert script not in reply.text
    assert script not in named.text
    assert reply.headers["content-type"] == "application/json"
    kinds = [r.kind for r in scene.study.record.participant(participant_id)]
    assert ConsentGiven.__name__ in kinds
    assert EligibilityAssessed.__name__ not in kinds


def _is_whole(said: bytes) -> bool:
    """Whether the head is there, and as much body as it announces; without a word of that, all there is."""
    head, ended, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
    return bool(ended) and length is not None and len(body) >= int(length[1])


def raw(scene: Scene, request: str) -> tuple[int, bytes, bytes]:
    """Status, head and body of what the server says to exactly these bytes."""
    server, source = ("127.0.0.1", scene.served.port), (own_address(), 0)
    with socket.create_connection(server, timeout=5, source_address=source) as connection:
        connection.sendall(request.encode("latin-1"))
        said = b""
        try:
            while not _is_whole(said):
                part = connection.recv(65536)
                if not part:
                    break
                said += part
        except TimeoutError:
            pass
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


def test_the_scene_is_as_the_tests_believe(scene: Scene) -> None:
    assert Path(scene.study.folder.protocol).is_file()
    scene.study.record.verify()
