"""Eight questions in plain words, and the protocol that follows from the answers.

Each answer is tried out at once: the protocol it would lead to is checked by
the same rules as every file, and the person hears the reason if it fails.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from dashboards.cli.protocol_drafts import draft_protocol
from study.affect import NAMED_STATES
from study.errors import ProtocolErrors
from study.path import PathKind
from study.protocol_file import parse_protocol
from study.protocol_file.text import did_you_mean


class NotUnderstood(Exception):
    """An answer that is not one; its text is the reason."""


@dataclass(frozen=True)
class Question:
    """One question.

    Args:
        name: of the answer.
        text: as asked.
        hint: what may be written.
        proposed: the answer of an empty line; empty if there is none.
        understand: text to answer.
        assumed: stands for the answer until it is given.
    """

    name: str
    text: str
    hint: str
    proposed: str
    understand: Callable[[str], Any]
    assumed: Any


def _text(answer: str) -> str:
    if not answer:
        raise NotUnderstood("Please write something.")
    return answer


def _point(answer: str) -> dict[str, Any]:
    name = answer.lower()
    if name in NAMED_STATES:
        return {"state": name}
    try:
        valence, arousal = (float(part) for part in answer.split(","))
    except ValueError:
        near = did_you_mean(name, NAMED_STATES)
        raise NotUnderstood(
            f"{answer!r} is not a mood I know; {near}write one of {', '.join(NAMED_STATES)},"
            " or valence,arousal such as -0.6,0.5"
        ) from None
    return {"valence": valence, "arousal": arousal}


def _start(answer: str) -> Any:
    return "pre" if answer.lower() == "own" else _point(answer)


_KINDS = tuple(kind.value for kind in PathKind if not kind.needs_files)


def _arms(answer: str) -> tuple[str, ...]:
    kinds = tuple(part.strip().lower().replace(" ", "_") for part in answer.split(",") if part.strip())
    for kind in kinds:
        if kind in (PathKind.FILES, PathKind.SPEECH, PathKind.SELF_SELECTED):
            raise NotUnderstood(f"{kind} needs sound files: take another now, and add it to the file later")
        if kind not in _KINDS:
            raise NotUnderstood(
                f"{kind!r} is not a kind I know; {did_you_mean(kind, _KINDS)}"
                f"write some of {', '.join(_KINDS)}"
            )
    if len(kinds) < 2 or len(set(kinds)) < len(kinds):
        raise NotUnderstood("write two or more different kinds, such as iso, target_only")
    return kinds


def _minutes(answer: str) -> float:
    try:
        minutes = float(answer.lower().removesuffix("minutes").removesuffix("min"))
    except ValueError:
        raise NotUnderstood(f"{answer!r} is not a number; write minutes such as 15") from None
    if not 1 <= minutes <= 240 or minutes * 2 % 1:
        raise NotUnderstood("write whole or half minutes from 1 to 240, such as 15")
    return minutes


def _people(answer: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", answer):
        raise NotUnderstood(f"{answer!r} is not a number of people; write a whole number such as 64")
    return int(answer)


def _strata(answer: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if answer.lower() in ("", "none", "no", "one place"):
        return ()
    strata = []
    for part in answer.split(";"):
        name, colon, levels = part.partition(":")
        if not colon:
            raise NotUnderstood("write a name, a colon and the groups, such as site: north, south")
        strata.append((slug(name, "group"), tuple(level.strip() for level in levels.split(","))))
    return tuple(strata)


def slug(text: str, otherwise: str) -> str:
    """A short name for tables from any text: small letters, digits and _."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    name = re.sub(r"^[0-9_]+", "", name)[:40].rstrip("_")
    return name or otherwise


QUESTIONS = (
    Question("title", "What is the study called?", "the full title", "", _text, "A study of music"),
    Question(
        "start",
        "In which mood does the music begin? The iso principle meets each person's own mood.",
        "own (each person says it before listening), a mood such as anxious, or valence,arousal",
        "own",
        _start,
        "pre",
    ),
    Question(
        "target",
        "To which mood should the music lead?",
        "a mood such as calm, happy or energetic, or valence,arousal",
        "calm",
        _point,
        MappingProxyType({"valence": 0.01, "arousal": -0.01}),
    ),
    Question(
        "arms",
        "What do you want to compare? The first is compared with the second.",
        "some of " + ", ".join(_KINDS),
        "iso, target_only",
        _arms,
        ("iso", "target_only"),
    ),
    Question("minutes", "How many minutes does one session last?", "minutes", "15", _minutes, 15.0),
    Question("people", "How many people will take part?", "all groups together", "", _people, 100_000),
    Question(
        "strata",
        "Where does it take place, and is there anything else in which the groups should be alike?",
        "such as site: north, south; training: little, much (or none)",
        "none",
        _strata,
        (),
    ),
    Question(
        "contact",
        "Whom can people turn to if they feel distressed or have a question?",
        "a name with a telephone number or an e-mail address",
        "",
        _text,
        "the study team",
    ),
)


@dataclass
class Interview:
    """An interview under way."""

    answers: dict[str, Any] = field(default_factory=dict)

    @property
    def next_question(self) -> Question | None:
        """The question to ask now; None when all are answered."""
        return QUESTIONS[len(self.answers)] if len(self.answers) < len(QUESTIONS) else None

    @property
    def number(self) -> int:
        """Number of the question to ask now, from 1."""
        return len(self.answers) + 1

    def answer(self, text: str) -> str | None:
        """Take an answer; the reason where it cannot be taken, else None."""
        question = QUESTIONS[len(self.answers)]
        try:
            answers = {**self.answers, question.name: question.understand(text)}
            parse_protocol(_bytes_of(answers), "protocol")
        except NotUnderstood as reason:
            return str(reason)
        except ProtocolErrors as refused:
            return f"{refused.problem}; {refused.remedy}"
        self.answers = answers
        return None

    def protocol_bytes(self) -> bytes:
        """The protocol that follows from the answers."""
        return _bytes_of(self.answers)


def _bytes_of(answers: Mapping[str, Any]) -> bytes:
    assumed = {question.name: question.assumed for question in QUESTIONS}
    draft = draft_protocol(**{**assumed, **answers}, study_id=slug(answers.get("title", ""), "study"))
    text = json.dumps(draft, indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "surrogatepass")
