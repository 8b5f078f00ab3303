"""A participant without a browser: asks what is due and answers it, over HTTP, as a page would."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import httpx


@dataclass(frozen=True)
class Acknowledged:
    """One thing the server said it had saved."""

    key: str
    kind: str
    answer: Mapping[str, Any]


@dataclass
class Person:
    """Somebody with a link.

    Args:
        url: of the server.
        token: the link's.
        feeling: what an instrument with valence and arousal is answered with, from 0 to 1.
        acknowledged: everything the server said was saved, in order.
        kills: how often the server was killed meanwhile: so many answers may be saved without the
            person having heard of it.
    """

    url: str
    token: str
    feeling: tuple[float, float] = (0.25, 0.75)
    tab_id: str = field(default_factory=lambda: secrets.token_hex(8))
    acknowledged: list[Acknowledged] = field(default_factory=list)
    kills: int = 0

    def __post_init__(self) -> None:
        self._client = httpx.Client(
            base_url=self.url, cookies={"isopath_link": self.token}, headers={"origin": self.url}, timeout=20
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def view(self) -> dict[str, Any]:
        response = self._client.get("/api/me/step")
        response.raise_for_status()
        view: dict[str, Any] = response.json()
        return view

    def post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        return self._client.post(path, json={"tab_id": self.tab_id, **body})

    def take_the_lease(self) -> None:
        assert self.post("/api/me/lease", {"take_over": True}).json()["lease"] == "yours"

    def answer(self, view: Mapping[str, Any], answer: Mapping[str, Any] | None = None) -> httpx.Response:
        """Answer the step of a view; what is acknowledged is noted."""
        said = usual_answer(view, self.feeling) if answer is None else answer
        body = {"key": view["key"], "answer": said, "response_time_s": 2.5}
        response = self.post("/api/me/answer", body)
        if response.status_code == 200:
            self.acknowledged.append(Acknowledged(view["key"], view["kind"], said))
        return response

    def listen(self, view: Mapping[str, Any], step_s: float = 1.0) -> None:
        """Hear the sound to the next probe or the end, in real time, telling the server as it goes."""
        data = view["data"]
        at_s, until_s = float(data["position_s"]), float(data["until_s"])
        player_id, began = secrets.token_hex(8), time.monotonic()
        entries = [("loaded", at_s), ("play", at_s)]
        sequence = 0
        while entries:
            now_ms = round((time.monotonic() - began) * 1000)
            batch = [
                {"sequence": sequence + i, "kind": kind, "at_ms": now_ms, "position_s": where}
                for i, (kind, where) in enumerate(entries)
            ]
            body = {"session_id": data["session_id"], "player_id": player_id, "entries": batch}
            response = self.post("/api/me/playback", body)
            response.raise_for_status()
            for line in batch:
                self.acknowledged.append(Acknowledged(f"{player_id}/{line['sequence']}", "playback", line))
            sequence += len(batch)
            if at_s >= until_s:
                return
            step = min(step_s, until_s - at_s)
            time.sleep(step)
            at_s += step
            last = "ended" if data["until"] == "end" else "pause"
            entries = [(last if at_s >= until_s else "position", at_s)]

    def go_on(self) -> str:
        """Do the one thing that is due; gives its kind."""
        return self._do(self.view())

    def go_on_to(self, kind: str) -> dict[str, Any]:
        """Do what is due until a kind of step is, and leave that to somebody else; gives its view.

        What is done is what was looked at: a sound that is ready a moment later is not heard by mistake.
        """
        while (view := self.view())["kind"] != kind:
            self._do(view)
        return view

    def _do(self, view: Mapping[str, Any]) -> str:
        match view["kind"]:
            case "waiting":
                time.sleep(0.1)
            case "player":
                self.listen(view)
            case "finished" | "early" | "closed":
                pass
            case _:
                response = self.answer(view)
                assert response.status_code == 200, (view, response.status_code, response.text)
        kind: str = view["kind"]
        return kind

    def walk(self, within_s: float = 120.0) -> list[str]:
        """Go the whole way; gives the kinds of steps met, each once in a row."""
        self.take_the_lease()
        met: list[str] = []
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            kind = self.go_on()
            if not met or met[-1] != kind:
                met.append(kind)
            if kind in ("finished", "early", "closed"):
                return met
        raise AssertionError(f"not finished within {within_s:g} s: {met}")


def usual_answer(view: Mapping[str, Any], feeling: tuple[float, float]) -> dict[str, Any]:
    """What a willing person says to a step."""
    data = view["data"]
    match view["kind"]:
        case "consent":
            return {"agreed": True, "language": view["language"], "text_sha256": data["text_sha256"]}
        case "eligibility":
            return {"answers": {q["id"]: q["id"] in ELIGIBLE_IF_YES for q in data["questions"]}}
        case "sound_check":
            return {"volume": 0.6, "responses": [1] * int(data["trials"])}
        case "instrument":
            return _instrument_answer(data, feeling)
        case "questionnaire":
            items = data["items"]
            return {
                "answers": {i["id"]: _item_answer(i) for i in items},
                "item_order": [i["id"] for i in items],
            }
        case "support":
            return {"feeling": "same", "wants_staff": False, "goes_on": True}
        case _:
            return {}


#: The examples' questions that let a person take part when answered with yes.
ELIGIBLE_IF_YES = frozenset({"adult", "quiet_place", "in_contact"})


def _instrument_answer(data: Mapping[str, Any], feeling: tuple[float, float]) -> dict[str, Any]:
    shares = dict(zip(("valence", "arousal"), feeling, strict=True))
    responses = {}
    for item in data["items"]:
        low, high = float(item["low"]), float(item["high"])
        value = low + shares.get(item["id"], 0.5) * (high - low)
        continuous = data["instrument_kind"] in ("affective_slider", "vas")
        responses[item["id"]] = value if continuous else float(round(value))
    return {
        "responses": responses,
        "untouched": [],
        "item_order": [item["id"] for item in data["items"]],
        "question": data["question"],
    }


def _item_answer(item: Mapping[str, Any]) -> Any:
    match item["kind"]:
        case "scale":
            return 3
        case "choice":
            return item["options"][0]["id"]
        case _:
            return "It was quiet."
