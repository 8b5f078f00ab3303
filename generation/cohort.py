"""A cohort's sessions: batches filled across participants, or cores shared; the same files either way."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from generation.engine import AffectJudge, PlaceableEngine, Placement, Progress
from generation.registry import load_engine
from generation.render import render_sessions
from generation.session_folder import place_of
from study.canonical import canonical_json
from study.errors import DeviceError
from study.folder import sweep
from study.manifest import RenderManifest
from study.protocol import EngineSpec
from study.session import SessionPlan

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

JudgeLoader = Callable[[str], AffectJudge]
"""Gives the judge of that name, or raises UnknownName. It travels to other processes: it must pickle."""


@dataclass(frozen=True)
class Group:
    """The plans that one engine makes.

    Args:
        spec: the engine; None for the kinds that no engine makes.
        numbers: their places in the cohort, ascending.
        fills_batches: whether the engine makes several sessions at once and wants them all.
    """

    spec: EngineSpec | None
    numbers: tuple[int, ...]
    fills_batches: bool


def render_cohort(
    plans: Sequence[SessionPlan],
    out_dir: Path,
    jobs: int,
    progress: Progress,
    placement: Placement | None = None,
    load_judge: JudgeLoader | None = None,
) -> list[RenderManifest]:
    """Render every plan, each with the engine it names.

    An engine that fills batches gets all its plans at once, in this process; the
    others' are shared among processes. What is rendered already is kept, so that
    an interrupted cohort goes on when called again.

    Args:
        out_dir: gets ``<participant_id>/<session_id>/`` for each.
        jobs: processes, from 1; one session always takes one.
        placement: where engines run that know more than the CPU.
        load_judge: gives the judge that an engine's options name.

    Returns:
        Manifests in plan order.

    Raises:
        UnknownName, OutOfRange: an engine, option or judge will not do; nothing is rendered.
        DeviceError: a process was killed, by the machine for want of memory or by hand.
        The first refusal of a session. Those finished by then are kept.
    """
    groups = grouped(plans, placement, load_judge)
    cohort = _Cohort(plans, out_dir, progress, placement, load_judge)
    apart = [number for group in groups if not group.fills_batches for number in group.numbers]
    if jobs == 1 or len(apart) < 2:
        for number in apart:
            cohort.render_here([number])
    else:
        cohort.render_apart(apart, jobs)
    for group in groups:
        if group.fills_batches:
            cohort.render_here(group.numbers)
    return [cohort.manifests[number] for number in range(len(plans))]


def grouped(
    plans: Sequence[SessionPlan], placement: Placement | None, load_judge: JudgeLoader | None
) -> list[Group]:
    """The plans by engine, in order of first appearance, with every engine and judge found to exist.

    Raises:
        UnknownName, OutOfRange: an engine, option or judge will not do.
    """
    numbers: dict[bytes, list[int]] = {}
    specs = [plan.engine if plan.path.kind.is_composed else None for plan in plans]
    for number, spec in enumerate(specs):
        numbers.setdefault(canonical_json(spec), []).append(number)
    groups = []
    for those in numbers.values():
        spec = specs[those[0]]
        engine = None if spec is None else load_engine(spec, placement)
        judge_of(spec, load_judge)
        groups.append(Group(spec, tuple(those), isinstance(engine, PlaceableEngine)))
    return groups


def judge_of(spec: EngineSpec | None, load_judge: JudgeLoader | None) -> AffectJudge | None:
    """The judge that an engine's options name; None where they name none.

    Raises:
        UnknownName: there is no such judge.
        ValueError: one is named and the caller brought no way to load it.
    """
    name = None if spec is None else spec.options.get("judge")
    if name is None:
        return None
    if load_judge is None:
        raise ValueError(f"the engine's options name a judge ({name}): load_judge is needed")
    return load_judge(str(name))


def _render(
    plans: Sequence[SessionPlan],
    out_dir: Path,
    placement: Placement | None,
    load_judge: JudgeLoader | None,
    progress: Progress = lambda _: None,
) -> list[RenderManifest]:
    """Plans of one group, in whichever process this is."""
    spec = plans[0].engine if plans[0].path.kind.is_composed else None
    engine = None if spec is None else load_engine(spec, placement)
    return render_sessions(plans, engine, out_dir, progress, judge=judge_of(spec, load_judge))


@dataclass
class _Cohort:
    plans: Sequence[SessionPlan]
    out_dir: Path
    progress: Progress
    placement: Placement | None
    load_judge: JudgeLoader | None
    manifests: dict[int, RenderManifest] = field(default_factory=dict)

    def render_here(self, numbers: Sequence[int]) -> None:
        done = len(self.manifests)

        def advance(share: float) -> None:
            self.progress((done + share * len(numbers)) / len(self.plans))

        plans = [self.plans[number] for number in numbers]
        made = _render(plans, self.out_dir, self.placement, self.load_judge, advance)
        self.manifests |= zip(numbers, made, strict=True)

    def render_apart(self, numbers: Sequence[int], jobs: int) -> None:
        # "spawn": a forked child would inherit the locks of running threads.
        context = multiprocessing.get_context("spawn")
        try:
            with (
                _one_thread_each(),
                ProcessPoolExecutor(min(jobs, len(numbers)), context, _stop_silently) as pool,
            ):
                futures: dict[Future[list[RenderManifest]], int] = {
                    pool.submit(_render, [self.plans[n]], self.out_dir, self.placement, self.load_judge): n
                    for n in numbers
                }
                try:
                    for future in as_completed(futures):
                        self.manifests[futures[future]] = future.result()[0]
                        self.progress(len(self.manifests) / len(self.plans))
                finally:
                    for future in futures:
                        future.cancel()
        except BrokenProcessPool as death:
            raise DeviceError(
                "render",
                "one of its processes was killed",
                "give fewer --jobs if memory ran out, and run the command again; finished sessions are kept",
            ) from death
        finally:
            for number in numbers:
                sweep(place_of(self.out_dir, self.plans[number]))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that begin here take one thread for numbers: the cores are shared by process already.

    What the caller's own environment says stands.
    """
    set_here = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(set_here, "1"))
    try:
        yield
    finally:
        for name in set_here:
            os.environ.pop(name, None)


def _stop_silently() -> None:
    """Let Ctrl-C end this process at once; who called it says what there is to say."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
