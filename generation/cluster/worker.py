"""What runs on a node of the cluster: one engine, and the sessions it is handed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from socket import gethostname

from generation.cohort import JudgeLoader, judge_of
from generation.engine import MusicEngine, Placement
from generation.registry import load_engine
from generation.render import render_sessions
from study.errors import IsopathError, StorageError
from study.manifest import RenderManifest
from study.protocol import EngineSpec
from study.session import SessionPlan


class Worker:
    """Renders what it is handed, and keeps its engine, with its weights, in between.

    Refusals are handed back as values: they must arrive as what they are.

    Args:
        out_dir: gets the sessions; absolute.
        placement: where engines run; on a GPU, the one this worker was given.
        load_judge: gives the judge that an engine's options name.
        folder: the caller's working folder, where relative names start if this node has it too.
    """

    def __init__(
        self, out_dir: Path, placement: Placement, load_judge: JudgeLoader | None, folder: Path
    ) -> None:
        self._out_dir, self._placement, self._load_judge = out_dir, placement, load_judge
        self._made: tuple[EngineSpec, MusicEngine] | None = None
        if folder.is_dir():
            os.chdir(folder)

    def sign_on(self, token: Path, content: str) -> StorageError | None:
        """Tell whether this node sees the caller's folder, which holds `content` in `token`."""
        try:
            if token.read_text(encoding="utf-8") == content:
                return None
        except OSError:
            pass
        return StorageError(
            str(self._out_dir),
            f"is not the same folder on {gethostname()} as on this machine",
            "put the study on storage that every node has under this path",
        )

    def render(self, plans: Sequence[SessionPlan]) -> list[RenderManifest] | IsopathError:
        """Manifests of plans that one engine makes; what is on disk already is kept.

        Returns:
            Manifests in plan order, or the refusal.
        """
        try:
            spec = plans[0].engine if plans[0].path.kind.is_composed else None
            engine = None if spec is None else self._engine(spec)
            judge = judge_of(spec, self._load_judge)
            return render_sessions(plans, engine, self._out_dir, lambda _: None, judge=judge)
        except IsopathError as refusal:
            return refusal

    def _engine(self, spec: EngineSpec) -> MusicEngine:
        if self._made is None or self._made[0] != spec:
            # One at a time: a GPU that holds one model may not hold two.
            self._made = None
            self._made = (spec, load_engine(spec, self._placement))
        return self._made[1]
