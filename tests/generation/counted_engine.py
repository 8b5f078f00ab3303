"""An engine that keeps a log of what it makes, installed as a plug-in is: by an entry point."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from generation.composer.engine import ComposerEngine
from generation.engine import AffectJudge, Placement, Progress, SessionAudio
from study.affect import Affect
from study.path import PathKind, PathSpec, make_path
from study.protocol import EngineSpec
from study.session import SessionPlan

ROOT = Path(__file__).parents[2]
TOGETHER = "counted-together"
APART = "counted"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Line:
    """One line of the log."""

    what: str
    pid: int
    detail: str


@dataclass(frozen=True)
class CountedEngine:
    """The composer's sound; a line when a call begins, when a session begins and when it is on disk.

    Args:
        log: the file; none is kept without.
        pause_s: before each session, time to be killed in.
        deadly: participants at whose session the process kills itself.
        judge, model: by those names.
        device: where it was placed.
    """

    log: str = ""
    pause_s: float = 0.0
    deadly: tuple[str, ...] = ()
    judge: str | None = None
    model: str | None = None
    device: str = "cpu"

    name = APART
    version = "1"

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        return cls(**{**options, "deadly": tuple(options.get("deadly", ()))})

    def generate(
        self, plans: Sequence[SessionPlan], progress: Progress, judge: AffectJudge | None = None
    ) -> Iterator[SessionAudio]:
        self._write("call", " ".join(plan.participant_id for plan in plans))
        self._write("device", self.device)
        self._write("threads", " ".join(os.environ.get(name, "-") for name in THREADS))
        if judge is not None:
            self._write("judge", judge.name)
        for number, plan in enumerate(plans):
            self._write("begun", plan.participant_id)
            time.sleep(self.pause_s)
            if plan.participant_id in self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            yield from ComposerEngine().generate([plan], lambda _: None)
            progress((number + 1) / len(plans))
            self._write("written", plan.participant_id)

    def _write(self, what: str, detail: str) -> None:
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{what} {os.getpid()} {detail}\n")


@dataclass(frozen=True)
class TogetherEngine(CountedEngine):
    """The same as an engine whose batches span sessions."""

    name = TOGETHER

    def placed(self, placement: Placement) -> Self:
        return replace(self, device=placement.device)


def install(folder: Path) -> None:
    """Make `folder` a place that, on Python's path, has both engines installed."""
    metadata = folder / "counted-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: counted\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[isopath.engines]\n"
        f"{APART} = {__name__}:CountedEngine.from_options\n"
        f"{TOGETHER} = {__name__}:TogetherEngine.from_options\n"
    )


def lines_of(log: Path) -> list[Line]:
    text = log.read_text() if log.exists() else ""
    parts = [line.split(" ", 2) for line in text.splitlines()]
    return [Line(what, int(pid), detail) for what, pid, detail in parts]


def plan_of(number: int, log: Path, engine: str = APART, **options: Any) -> SessionPlan:
    """One participant's session: 6 s in two steps."""
    length_s = 6.0
    start, target = Affect(-0.6, 0.6), Affect(0.6, -0.4)
    return SessionPlan(
        participant_id=f"sub-{number:02d}",
        session_id="ses-01",
        arm_id="iso",
        path=make_path(PathSpec(PathKind.ISO, 2, length_s / 2), start, target, number),
        start=start,
        target=target,
        clip_s=length_s / 2,
        seed=number,
        loudness_lufs=-23.0,
        engine=EngineSpec(engine, {"log": str(log), **options}),
    )
