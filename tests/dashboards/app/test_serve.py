"""`isopath serve`: what it refuses, how it starts, and how it ends."""

from __future__ import annotations

import os
import socket
import sqlite3
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from dashboards.cli.serve_command import serve
from dashboards.server.doors import Doors
from dashboards.server.one_server import only_server
from dashboards.server.response_headers import inline_script_hashes
from dashboards.server.server_log import discreet_record
from study.access.links import issue_link
from study.conduct import enrol
from study.errors import ConductError, IsopathError, OutOfRange, RecordBroken, StorageError
from study.events import SelfReportSubmitted, ServedInsecurely
from study.founding import Study, open_study
from tests.dashboards.app.certificates import certificate_and_key
from tests.dashboards.app.person import Person
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.command_line import isopath, refusal
from tests.dashboards.short_study import short_study

WITHIN_S = 3.0


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return short_study(tmp_path / "study")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate_and_key(tmp_path_factory.mktemp("tls"), "server")


# What it refuses.


@pytest.mark.requirement("21 CFR 11.30")
def test_beyond_this_machine_it_does_not_start_without_tls(study: Study) -> None:
    message = refusal(isopath("serve", study.folder.root, "--host", "0.0.0.0"))

    assert message.startswith("--host 0.0.0.0: other machines could read what people say")
    assert "--tls-cert" in message
    assert study.record.events(kinds=[ServedInsecurely]) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_alone_needs_no_tls(host: str) -> None:
    Doors(host, 8501).check()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "study.example"])
def test_whatever_else_listens_for_others(host: str) -> None:
    with pytest.raises(ConductError, match="other machines"):
        Doors(host, 8501).check()


def test_a_certificate_without_its_key_is_refused(pair: tuple[Path, Path]) -> None:
    with pytest.raises(ConductError, match="--tls-cert: is given alone; give --tls-key too"):
        Doors("0.0.0.0", 8501, certificate=pair[0]).check()


def test_another_certificates_key_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    _, other = certificate_and_key(tmp_path, "other")

    with pytest.raises(StorageError, match="is not the key of"):
        Doors("0.0.0.0", 8501, pair[0], other).check()


def test_a_key_that_is_not_there_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        Doors("0.0.0.0", 8501, pair[0], tmp_path / "missing.key").check()


def test_a_key_that_is_none_is_refused_without_asking_for_a_password(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "text.key").write_text("not a key")

    with pytest.raises(StorageError, match="as PEM, without a password"):
        Doors("0.0.0.0", 8501, pair[0], tmp_path / "text.key").check()


def test_a_proxy_is_named_by_its_address() -> None:
    with pytest.raises(OutOfRange, match="'proxy' is not an address"):
        Doors("0.0.0.0", 8501, proxies=("10.0.0.0/24", "proxy")).check()


def test_a_taken_port_is_one_message(study: Study) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConductError, match=f"127.0.0.1:{port}: another program listens there"):
            serve(study.folder.root, port=port)


def test_an_address_of_another_machine_is_one_message() -> None:
    with pytest.raises(ConductError, match="is not an address of this machine"):
        Doors("192.0.2.7", 8501).listen()


def test_a_folder_that_holds_no_study_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="holds no study record"):
        serve(tmp_path)


def test_a_broken_record_is_not_served(study: Study) -> None:
    study.record.close()
    with sqlite3.connect(study.folder.record) as record:
        record.execute("UPDATE event SET actor = 'somebody else' WHERE sequence = 1")
    record.close()

    with pytest.raises(RecordBroken):
        serve(study.folder.root)


def test_a_language_without_its_words_is_not_served(study: Study) -> None:
    texts = study.folder.root / "texts"
    texts.mkdir()
    (texts / "en.json").write_text('{"page.continued": "On"}')

    with pytest.raises(IsopathError, match=r"page\.continued"):
        serve(study.folder.root)


def test_a_study_is_served_by_one_process_at_a_time(study: Study) -> None:
    with (
        only_server(study.folder.root),
        pytest.raises(ConductError, match=f"is being served already, by process {os.getpid()}"),
    ):
        serve(study.folder.root)


# How it starts and ends.


def test_over_tls_every_cookie_is_secure_and_browsers_are_told_to_come_back_so(
    study: Study, pair: tuple[Path, Path]
) -> None:
    token = issue_link(study, "test", enrol(study, "test", {}))
    trust = ssl.create_default_context(cafile=str(pair[0]))
    options = ("--tls-cert", str(pair[0]), "--tls-key", str(pair[1]))
    with ServedStudy(study.folder.root, *options, trust=trust) as served:
        response = httpx.get(f"{served.url}/go/{token}", verify=trust)
        health = httpx.get(f"{served.url}/_stcore/health", verify=trust)

    assert response.status_code == 303
    assert "Secure" in response.headers["set-cookie"]
    assert "HttpOnly" in response.headers["set-cookie"]
    assert all("secure" in cookie.lower() for cookie in health.headers.get_list("set-cookie"))
    assert response.headers["strict-transport-security"] == "max-age=31536000"


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServedStudy, str]]:
    study = short_study(tmp_path_factory.mktemp("proxied") / "study")
    token = issue_link(study, "test", enrol(study, "test", {}))
    with ServedStudy(
        study.folder.root, "--behind-proxy", "127.0.0.1", "--name", "study.example", "--host", "0.0.0.0"
    ) as served:
        yield served, token


def test_behind_a_proxy_a_request_that_did_not_come_by_https_is_refused(
    proxied: tuple[ServedStudy, str],
) -> None:
    served, token = proxied

    plain = httpx.get(f"{served.url}/go/{token}", headers={"host": "study.example"})
    by_https = httpx.get(
        f"{served.url}/go/{token}", headers={"host": "study.example", "x-forwarded-proto": "https"}
    )

    assert plain.status_code == 403
    assert "set-cookie" not in plain.headers
    assert by_https.status_code == 303
    assert "Secure" in by_https.headers["set-cookie"]


def test_a_page_posts_to_the_name_that_the_proxy_is_called_by(proxied: tuple[ServedStudy, str]) -> None:
    served, token = proxied
    headers = {"host": "study.example", "x-forwarded-proto": "https", "cookie": f"isopath_link={token}"}

    def lease(origin: str) -> int:
        body = {"tab_id": "t", "take_over": False}
        sent = httpx.post(f"{served.url}/api/me/lease", json=body, headers=headers | {"origin": origin})
        return sent.status_code

    assert lease("https://study.example") == 200
    assert lease("http://study.example") == 403
    assert lease("https://other.example") == 403


def test_without_tls_it_is_recorded_and_what_a_stranger_says_of_itself_is_not_believed(study: Study) -> None:
    options = ("--host", "0.0.0.0", "--insecure")
    with ServedStudy(study.folder.root, *options) as served, httpx.Client(base_url=served.url) as client:
        response = client.get("/", headers={"x-forwarded-proto": "https"})
        # Failures are counted by the sender's address, not by the one that it names.
        statuses = [401]
        while statuses[-1] == 401 and len(statuses) < 500:
            forged = {"x-forwarded-for": f"192.0.2.{len(statuses) % 250}"}
            statuses.append(client.get("/api/me/step", headers=forged).status_code)

    (recorded,) = study.record.events(kinds=[ServedInsecurely])
    assert recorded.event == ServedInsecurely("0.0.0.0")
    assert "strict-transport-security" not in response.headers
    assert statuses[-1] == 429
    assert len(statuses) > 300


@dataclass(frozen=True)
class Life:
    """What was seen of a server that was killed, started again, and told to end while it worked.

    Args:
        due_after_kill: the kind of step that was due when it was there again.
        answered_after_kill: the status of the next answer.
        answered_at_end: the status of the answer that was under way when it was told to end.
        took_s: from being told to its end.
    """

    study: Study
    token: str
    due_after_kill: str
    answered_after_kill: int
    answered_at_end: int
    took_s: float
    log: str


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    study = short_study(tmp_path_factory.mktemp("life") / "study")
    token = issue_link(study, "test", enrol(study, "test", {}))
    served = ServedStudy(study.folder.root)
    served.start()
    with Person(served.url, token) as person, ThreadPoolExecutor(2) as meanwhile:
        httpx.get(f"{served.url}/go/{token}")
        httpx.get(f"{served.url}/go/{'0' * 32}")
        person.take_the_lease()
        assert person.answer(person.view()).status_code == 200
        served.kill()
        served.start()
        # The lease was forgotten with the server: whoever speaks first has it.
        due = person.view()["kind"]
        answered = person.answer(person.view()).status_code
        view = person.view()
        idle = socket.create_connection(("127.0.0.1", served.port))
        idle.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        # A writer elsewhere holds the record, so that the answer waits for it.
        holder = sqlite3.connect(study.folder.record, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        answering = meanwhile.submit(person.answer, view)
        with pytest.raises(TimeoutError):
            answering.result(0.3)
        began = time.monotonic()
        stopping = meanwhile.submit(served.stop)
        with pytest.raises(TimeoutError):
            stopping.result(0.3)
        holder.execute("ROLLBACK")
        holder.close()
        stopping.result()
        took_s = time.monotonic() - began
        idle.close()
    at_end = answering.result().status_code
    return Life(study, token, due, answered, at_end, took_s, served.log.read_text())


def test_after_kill_9_it_is_served_again_and_the_person_goes_on(life: Life) -> None:
    assert (life.due_after_kill, life.answered_after_kill) == ("eligibility", 200)
    assert open_study(life.study.folder.root).record.verify().sequence > 0


def test_told_to_end_it_saves_the_answer_that_is_under_way(life: Life) -> None:
    kinds = [recorded.kind for recorded in life.study.record.events()]

    assert life.answered_at_end == 200
    assert kinds.count(SelfReportSubmitted.__name__) == 1


def test_it_ends_within_three_seconds_whoever_is_connected(life: Life) -> None:
    # Seconds of a machine that has nothing else to do.
    crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert life.took_s < WITHIN_S * crowd
    assert "Traceback" not in life.log


def test_the_log_holds_no_link_no_answer_and_no_arm(life: Life) -> None:
    assert "/staff/log-in" in life.log
    assert life.token not in life.log
    assert "0" * 32 not in life.log
    assert not [arm for arm in life.study.protocol.arms if arm.arm_id in life.log or arm.label in life.log]
    assert "valence" not in life.log


def test_a_log_line_says_where_it_happened_and_not_what_somebody_wrote() -> None:
    token = "0123456789abcdef0123456789abcdef"
    try:
        raise ValueError("I feel alone")
    except ValueError as problem:
        found = (ValueError, problem, problem.__traceback__)
    record = discreet_record("server", 40, __file__, 1, "GET /go/%s", (token,), found)

    assert record.getMessage() == "GET /go/…"
    assert "I feel alone" not in str(record.exc_text)
    assert "ValueError" in str(record.exc_text)
    assert "test_serve.py" in str(record.exc_text)


def test_the_scripts_of_a_page_are_named_by_their_text(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("<script>let a</script><script src='/b.js'></script>")

    # echo -n 'let a' | openssl dgst -sha256 -binary | base64
    assert inline_script_hashes(page) == ("'sha256-IfEXP/8HLuXoAiy0hZVrCAcjcLsZqYFpLOHDGj8enqE='",)
