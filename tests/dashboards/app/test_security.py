"""The guard before every route, and the patience of the server behind it."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboards.server import running, security
from dashboards.server.request_checks import host_name, is_plain_path
from dashboards.server.response_headers import security_headers
from dashboards.server.running import PromptProtocol
from dashboards.server.security import Guard
from dashboards.server.serving import Served
from study.founding import Study
from tests.dashboards.short_study import short_study

URL = "http://study.example"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return short_study(tmp_path / "study")


async def agreeable(scope: Scope, receive: Receive, send: Send) -> None:
    """Behind the guard: takes whatever comes."""
    await JSONResponse({})(scope, receive, send)


async def unknowing(scope: Scope, receive: Receive, send: Send) -> None:
    """Behind the guard: knows nobody."""
    await Response(status_code=401)(scope, receive, send)


def guarded(study: Study, app: ASGIApp, **terms: Any) -> Guard:
    served = Served(study, False, **terms)
    return Guard(app, served, security_headers(False, ()), lambda _: False)


async def post(client: httpx.AsyncClient, link: str, path: str = "/api/me/playback") -> int:
    headers = {"origin": URL, "cookie": f"isopath_link={link}"}
    return (await client.post(path, json={}, headers=headers)).status_code


def test_a_whole_clinic_behind_one_address_is_let_through(study: Study) -> None:
    async def arrive() -> set[int]:
        transport = httpx.ASGITransport(guarded(study, agreeable), client=("192.0.2.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            return {await post(client, secrets.token_hex(16)) for _ in range(1500)}

    assert asyncio.run(arrive()) == {200}


def test_one_link_is_not_asked_of_without_end(study: Study) -> None:
    async def flood() -> list[int]:
        transport = httpx.ASGITransport(guarded(study, agreeable))
        link = secrets.token_hex(16)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            return [await post(client, link) for _ in range(100)]

    statuses = asyncio.run(flood())

    assert statuses[:60] == [200] * 60
    assert statuses.count(429) > 20


def test_links_that_open_nothing_use_up_their_addresss_patience_and_no_others(study: Study) -> None:
    async def guess() -> tuple[list[int], int]:
        guard = guarded(study, unknowing)
        one = httpx.ASGITransport(guard, client=("192.0.2.1", 1))
        other = httpx.ASGITransport(guard, client=("192.0.2.2", 1))
        async with (
            httpx.AsyncClient(transport=one, base_url=URL) as guessing,
            httpx.AsyncClient(transport=other, base_url=URL) as beside,
        ):
            statuses = [await post(guessing, secrets.token_hex(16)) for _ in range(400)]
            return statuses, await post(beside, secrets.token_hex(16))

    statuses, beside = asyncio.run(guess())

    assert statuses[:300] == [401] * 300
    assert statuses[300:].count(429) > 50
    assert beside == 401


def test_whoever_is_known_goes_on_while_somebody_beside_them_guesses(study: Study) -> None:
    known = secrets.token_hex(16)

    async def knowing(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        is_known = known.encode() in headers[b"cookie"]
        await (agreeable if is_known else unknowing)(scope, receive, send)

    async def meanwhile() -> tuple[list[int], int]:
        transport = httpx.ASGITransport(guarded(study, knowing))
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            assert await post(client, known) == 200
            guessed = [await post(client, secrets.token_hex(16)) for _ in range(400)]
            return guessed, await post(client, known)

    guessed, honest = asyncio.run(meanwhile())

    assert 429 in guessed
    assert honest == 200


def test_a_body_that_does_not_come_is_not_waited_for(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "BODY_WITHIN_S", 0.05)

    async def dripping() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    async def send() -> int:
        guard = guarded(study, agreeable)
        return (await asked(guard, dripping())).status_code

    began = time.monotonic()
    assert asyncio.run(send()) == 408
    assert time.monotonic() - began < 2


async def asked(guard: Guard, body: AsyncIterator[bytes]) -> Response:
    """What the guard answers to a body in parts; httpx's own transport would gather it first."""
    head = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/api/me/lease",
        "headers": [
            (b"host", b"study.example"),
            (b"origin", URL.encode()),
            (b"content-type", b"application/json"),
        ],
        "client": ("192.0.2.9", 1),
    }
    response = Response()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": await anext(body), "more_body": True}

    async def send(message: Any) -> None:
        response.status_code = message.get("status", response.status_code)

    await guard(head, receive, send)
    return response


def test_a_request_whose_head_does_not_come_is_not_waited_for(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "HEAD_WITHIN_S", 0.2)

    async def hold() -> tuple[bytes, bytes, float]:
        config = uvicorn.Config(
            guarded(study, agreeable), http=PromptProtocol, log_level="error", lifespan="off"
        )
        server = uvicorn.Server(config)
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        address = listening.getsockname()
        slow_reader, slow_writer = await asyncio.open_connection(*address)
        slow_writer.write(b"GET / HTTP/1.1\r\nHo")
        # One that asked once, and then leaves its second request hanging.
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: study.example\r\n\r\n")
        answered = await reader.readuntil(b"{}")
        writer.write(b"GET /")
        began = time.monotonic()
        left = await asyncio.wait_for(slow_reader.read(), 5) + await asyncio.wait_for(reader.read(), 5)
        took_s = time.monotonic() - began
        for one in (slow_writer, writer):
            one.close()
        server.should_exit = True
        await serving
        return answered, left, took_s

    answered, left, took_s = asyncio.run(hold())

    assert answered.startswith(b"HTTP/1.1 200")
    assert left == b""
    assert took_s < 2


@pytest.mark.parametrize(
    "path",
    ["relative", "//host/x", "/a/../b", "/..", "/a\\b", "/%2e%2e/", "/a%00", "/a\x00", "/a\r\nb", "/a\x7f"],
)
def test_a_path_that_does_not_go_down_is_none(path: str) -> None:
    assert not is_plain_path(path)


@pytest.mark.parametrize("path", ["/", "/api/me/step", "/static/js/index.D5rm..js", "/a/...", "/ä", "/100%"])
def test_a_path_that_goes_down_is_one(path: str) -> None:
    assert is_plain_path(path)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Study.Example", "study.example"),
        ("study.example.", "study.example"),
        ("study.example:8501", "study.example"),
        ("[::1]:80", "::1"),
        ("study.example:port", None),
        ("study.example:99999", None),
        ("user@study.example", None),
        ("study.example/x", None),
        ("a b", None),
        ("", None),
    ],
)
def test_the_name_in_a_host_header(host: str, name: str | None) -> None:
    assert host_name(host) == name
