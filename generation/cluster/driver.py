"""Hands a cohort's sessions to workers, and goes on when one of them dies."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from generation.engine import Progress
from generation.session_folder import MANIFEST, place_of
from study.errors import DeviceError, IsopathError, ModelError
from study.manifest import RenderManifest
from study.session import SessionPlan

#: So many workers may die at the same sessions, or at their start, before it is no accident.
_ACCIDENTS = 3
_POLL_S = 1.0

# Ray makes handles at run time; their types have no names.
Handle = Any


@dataclass
class Chunk:
    """Sessions handed out together.

    Args:
        numbers: their places in the cohort.
        deaths: how many workers have died at them.
    """

    numbers: tuple[int, ...]
    deaths: int = 0


@dataclass
class Driver:
    """One cohort under way.

    Args:
        plans: the cohort.
        out_dir: where the workers write; absolute.
        progress: told of sessions as they appear in `out_dir`.
    """

    plans: Sequence[SessionPlan]
    out_dir: Path
    progress: Progress
    _waiting: deque[Chunk] = field(default_factory=deque)
    #: What is asked of whom: a chunk, or None for signing on.
    _asked: dict[Handle, tuple[Handle, Chunk | None]] = field(default_factory=dict)
    _idle: list[Handle] = field(default_factory=list)
    _deaths_at_start: int = 0
    _manifests: dict[int, RenderManifest] = field(default_factory=dict)
    _handed_out: set[int] = field(default_factory=set)
    _share: float = 0.0
    _refusal: IsopathError | None = None

    def run(
        self,
        ray: ModuleType,
        chunks: Sequence[Chunk],
        n_workers: int,
        hire: Callable[[], Handle],
        token: tuple[Path, str],
        is_anybody_left: Callable[[], bool],
    ) -> list[RenderManifest]:
        """Hand out every chunk until all are rendered.

        Args:
            ray: connected.
            n_workers: how many to begin with.
            hire: gives a handle of a new `generation.cluster.worker.Worker`.
            token: file and content by which a worker knows the folder.
            is_anybody_left: whether the cluster could still run a worker.

        Returns:
            Manifests in plan order.

        Raises:
            See `generation.cluster.rendering.render_on_cluster`. After a refusal nothing more is
            handed out; what is under way is finished first.
        """
        self._waiting.extend(chunks)

        def sign_on() -> None:
            worker = hire()
            self._asked[worker.sign_on.remote(*token)] = (worker, None)

        try:
            for _ in range(n_workers):
                sign_on()
            while len(self._manifests) < len(self.plans) and not (self._refusal and self._nobody_works()):
                answered, _ = ray.wait(list(self._asked), timeout=_POLL_S)
                for reference in answered:
                    self._hear(ray, reference, sign_on)
                if not answered and self._nobody_works() and not is_anybody_left():
                    self._refuse(
                        DeviceError(
                            "cluster",
                            "its last worker is gone",
                            "start its nodes and run the command again; finished sessions are kept",
                        )
                    )
                self._tell()
        finally:
            for worker, _ in self._asked.values():
                ray.kill(worker)
        if self._refusal is not None:
            raise self._refusal
        return [self._manifests[number] for number in range(len(self.plans))]

    def sweep(self) -> None:
        """Remove what stopped workers left half-written. It never looked whole."""
        unfinished = self._handed_out - self._manifests.keys()
        self._remove_partial(unfinished)
        for number in unfinished:
            with suppress(OSError):
                (self.out_dir / self.plans[number].participant_id).rmdir()

    def _remove_partial(self, numbers: Iterable[int]) -> None:
        # A render removes its own machine's; this one knows of every machine's that they are dead.
        for folder in (place_of(self.out_dir, self.plans[number]) for number in numbers):
            for partial in folder.parent.glob(f".{folder.name}.*"):
                shutil.rmtree(partial, ignore_errors=True)

    def _hear(self, ray: ModuleType, reference: Handle, sign_on: Callable[[], None]) -> None:
        worker, chunk = self._asked.pop(reference)
        try:
            answer = ray.get(reference)
        except ray.exceptions.RayTaskError:
            # A mistake of ours, not a death.
            raise
        except ray.exceptions.RayError as death:
            # It may only be out of reach: it must not go on writing what another is given.
            ray.kill(worker)
            self._mourn(chunk, death, sign_on)
            return
        if isinstance(answer, IsopathError):
            self._refuse(answer)
        elif chunk is not None:
            self._manifests.update(zip(chunk.numbers, answer, strict=True))
        self._hand_out(worker)

    def _refuse(self, refusal: IsopathError) -> None:
        self._refusal = self._refusal or refusal
        self._waiting.clear()

    def _hand_out(self, worker: Handle) -> None:
        if not self._waiting:
            self._idle.append(worker)
            return
        chunk = self._waiting.popleft()
        self._handed_out.update(chunk.numbers)
        self._asked[worker.render.remote([self.plans[number] for number in chunk.numbers])] = (worker, chunk)

    def _mourn(self, chunk: Chunk | None, death: Exception, sign_on: Callable[[], None]) -> None:
        why = str(death).partition("\n")[0].rstrip(". ")
        if chunk is None:
            self._deaths_at_start += 1
            if self._deaths_at_start < _ACCIDENTS:
                sign_on()
            elif not self._asked and not self._idle:
                self._refuse(
                    ModelError(
                        "cluster",
                        f"its workers do not start ({why})",
                        "install the same isopath, with the same extras, on every node",
                    )
                )
            return
        self._remove_partial(chunk.numbers)
        chunk.deaths += 1
        if self._refusal is not None:
            return
        if chunk.deaths == _ACCIDENTS:
            self._refuse(
                DeviceError(
                    self._names(chunk),
                    f"{_ACCIDENTS} workers died at this ({why})",
                    "give the workers more memory, or lower --batch-clips; finished sessions are kept",
                )
            )
            return
        # Last in line: what ends workers must not keep others from being rendered.
        self._waiting.append(chunk)
        if self._idle:
            self._hand_out(self._idle.pop())
        else:
            sign_on()

    def _names(self, chunk: Chunk) -> str:
        plans = [self.plans[number] for number in chunk.numbers]
        return ", ".join(f"{p.participant_id} {p.session_id}" for p in plans if not self._is_there(p))

    def _is_there(self, plan: SessionPlan) -> bool:
        return (place_of(self.out_dir, plan) / MANIFEST).exists()

    def _nobody_works(self) -> bool:
        return all(chunk is None for _, chunk in self._asked.values())

    def _tell(self) -> None:
        under_way = [n for _, chunk in self._asked.values() if chunk is not None for n in chunk.numbers]
        there = sum(self._is_there(self.plans[number]) for number in under_way)
        # A dead worker's sessions count again only once another has taken them up.
        self._share = max(self._share, (len(self._manifests) + there) / len(self.plans))
        self.progress(self._share)
