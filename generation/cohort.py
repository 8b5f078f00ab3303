"""A cohort's sessions on several cores: the same files, however many processes share the work."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path

from generation.engine import Progress
from generation.registry import load_engine
from generation.render import render_sessions
from study.manifest import RenderManifest
from study.session import SessionPlan


def render_cohort(
    plans: Sequence[SessionPlan], out_dir: Path, jobs: int, progress: Progress
) -> list[RenderManifest]:
    """Render every plan, each with the engine it names.

    Args:
        out_dir: gets ``<participant_id>/<session_id>/`` for each.
        jobs: processes, from 1; one session always takes one.

    Returns:
        Manifests in plan order.

    Raises:
        The first refusal of a session. Those finished by then are kept.
    """
    # An unknown engine or option is refused before anything is rendered.
    for spec in [plan.engine for plan in plans if plan.path.kind.is_composed]:
        load_engine(spec)
    if jobs == 1 or len(plans) < 2:
        return _in_this_process(plans, out_dir, progress)
    # "spawn": a forked child would inherit the locks of running threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(plans)), mp_context=context) as pool:
        futures = {pool.submit(_render_one, plan, out_dir): number for number, plan in enumerate(plans)}
        return _collected(futures, progress)


def _in_this_process(plans: Sequence[SessionPlan], out_dir: Path, progress: Progress) -> list[RenderManifest]:
    manifests: list[RenderManifest] = []

    def advance(share: float) -> None:
        progress((len(manifests) + share) / len(plans))

    for plan in plans:
        manifests += _render_one(plan, out_dir, advance)
    return manifests


def _render_one(
    plan: SessionPlan, out_dir: Path, progress: Progress = lambda _: None
) -> list[RenderManifest]:
    engine = load_engine(plan.engine) if plan.path.kind.is_composed else None
    return render_sessions([plan], engine, out_dir, progress)


def _collected(futures: dict[Future[list[RenderManifest]], int], progress: Progress) -> list[RenderManifest]:
    manifests: dict[int, RenderManifest] = {}
    try:
        for future in as_completed(futures):
            manifests[futures[future]] = future.result()[0]
            progress(len(manifests) / len(futures))
    finally:
        for future in futures:
            future.cancel()
    return [manifests[number] for number in range(len(futures))]
