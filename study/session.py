"""What is handed to an engine: the plan of one participant's session."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from study.affect import Affect
from study.canonical import canonical_sha256
from study.errors import ConductError
from study.path import AffectPath, PathKind, make_path
from study.protocol import Arm, EngineSpec, StudyProtocol
from study.questionnaire import PALETTE
from study.starting_moods import depends_on_start, path_start


@dataclass(frozen=True)
class Allocation:
    """One participant's place in the allocation.

    Args:
        group_id: arm (parallel) or sequence (crossover).
        arm_ids: one arm per session.
        stratum: factor to level.
        block: number of the block within the stratum, from 0.
        position: place within the block, from 0.
    """

    participant_id: str
    group_id: str
    arm_ids: tuple[str, ...]
    stratum: Mapping[str, str]
    block: int
    position: int


@dataclass(frozen=True)
class SessionPlan:
    """Everything an engine needs to make one session.

    Args:
        session_id: ``ses-01`` and so on, unique within a participant.
        path: waypoints that fill the session.
        clip_s: length of the clips the session is divided into.
        seed: 63-bit; the same plan gives the same samples.
        loudness_lufs: integrated loudness to render to.
        files: sound files, absolute or relative to the study folder, for kinds that need them.
    """

    participant_id: str
    session_id: str
    arm_id: str
    path: AffectPath
    start: Affect
    target: Affect
    clip_s: float
    seed: int
    loudness_lufs: float
    engine: EngineSpec = field(default_factory=EngineSpec)
    files: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the session's sound."""
        return self.path.duration_s

    @property
    def sha256(self) -> str:
        """Hash of the plan's canonical JSON."""
        return canonical_sha256(self)


def session_id_of(session_number: int) -> str:
    """``ses-01`` for 1, and so on."""
    return f"ses-{session_number:02d}"


def make_session_plan(
    protocol: StudyProtocol,
    allocation: Allocation,
    session_number: int,
    pre_affect: Affect | None,
    palette: str | None = None,
) -> SessionPlan:
    """The plan of one participant's session.

    Args:
        session_number: from 1.
        pre_affect: the `pre` report; it starts the path unless the protocol fixes the
            start, or a bank holds only moods near it.
        palette: what the person chose, for an arm that plays it; of no account in others.

    Raises:
        ConductError: the allocation has no such session, nothing says where it starts, or the arm
            plays the person's own palette and none was chosen.
    """
    if not 1 <= session_number <= len(allocation.arm_ids):
        raise ConductError(
            f"session {session_number}",
            f"the protocol has {len(allocation.arm_ids)} session(s)",
            "ask for a session from 1",
        )
    arm = protocol.arm(allocation.arm_ids[session_number - 1])
    session_id = session_id_of(session_number)
    start = path_start(protocol, arm, pre_affect)
    if start is None:
        raise ConductError(session_id, "has no pre report to start from", "give the pre report first")
    seed = _seed(protocol.sha256, allocation.participant_id, session_id)
    if protocol.bank_points is not None and is_bankable(arm):
        # Whoever starts here hears the same, so that it can be made before they come.
        seed = make_bank_plan(protocol, arm, start).seed
    plan = _plan(protocol, arm, start, allocation.participant_id, session_id, seed)
    if not arm.plays_preferred_palette:
        return plan
    if palette is None:
        raise ConductError(session_id, "has no palette that the person chose", "have it chosen first")
    return replace(plan, engine=EngineSpec(arm.engine.name, {**arm.engine.options, PALETTE: palette}))


def is_bankable(arm: Arm) -> bool:
    """Whether an arm's sound can be made before its listeners are there."""
    return arm.path.kind is not PathKind.SELF_SELECTED


def make_bank_plan(protocol: StudyProtocol, arm: Arm, start: Affect) -> SessionPlan:
    """The plan of a session that is made ahead, for whoever will start there.

    It stands under the arm's id and the start's name in place of a participant and a session.
    """
    name = f"v{start.valence:+.2f}_a{start.arousal:+.2f}" if depends_on_start(arm) else "any_start"
    return _plan(protocol, arm, start, arm.arm_id, name, _seed(protocol.sha256, arm.arm_id, name))


def _plan(
    protocol: StudyProtocol, arm: Arm, start: Affect, participant_id: str, session_id: str, seed: int
) -> SessionPlan:
    return SessionPlan(
        participant_id=participant_id,
        session_id=session_id,
        arm_id=arm.arm_id,
        path=make_path(arm.path, start, arm.target, seed),
        start=start,
        target=arm.target,
        clip_s=min(protocol.clip_s, arm.path.step_s),
        seed=seed,
        loudness_lufs=protocol.safety.loudness_lufs,
        # A plain dict: plans travel to other processes.
        engine=EngineSpec(arm.engine.name, dict(arm.engine.options)),
        files=arm.files,
    )


def _seed(protocol_sha256: str, participant_id: str, session_id: str) -> int:
    digest = hashlib.sha256(f"{protocol_sha256}/{participant_id}/{session_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
