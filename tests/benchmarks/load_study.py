"""A study in which many people are due to listen, for the load benchmark."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from generation.registry import load_engine
from generation.render import render_sessions
from study.access.links import token_sha256
from study.affect import Affect
from study.allocation import place_at
from study.delivery import plan_of
from study.events import (
    ConsentGiven,
    EligibilityAssessed,
    Event,
    LinkIssued,
    ParticipantAllocated,
    ParticipantEnrolled,
    RecordedEvent,
    SelfReportSubmitted,
    SessionRendered,
)
from study.founding import Study, initialise_study
from study.instruments import Perspective
from study.manifest import RenderManifest
from study.protocol import EngineSpec, Phase
from study.record import Draft
from study.session import SessionPlan, session_id_of
from tests.dashboards.app.whole_study import whole_protocol

SESSION = session_id_of(1)
PRE = Affect(-0.5, 0.5)


@dataclass(frozen=True)
class Listener:
    """Somebody with a link, whose session is rendered."""

    participant_id: str
    token: str


def load_protocol_fields(duration_s: int) -> dict[str, object]:
    """The benchmark's protocol: no sound check, no probe, so that everybody listens from the start."""
    protocol = whole_protocol(duration_s, kinds=("iso", "target_only"))
    for part in ("sound_check", "induction", "questionnaires", "debrief"):
        protocol.pop(part, None)
    protocol["path"] |= {"steps": duration_s // 30, "step_s": 30}
    protocol["session"]["clip_s"] = 30
    protocol["instruments"] = protocol["instruments"][:1]
    protocol["assessments"] = [
        {"phase": "pre", "instruments": ["feeling"]},
        {"phase": "post", "instruments": ["feeling"]},
    ]
    return protocol


def study_with_listeners(root: Path, protocol_path: Path, people: int) -> tuple[Study, list[Listener]]:
    """A study with `people` who are due to listen; one real session of music, linked for each."""
    study = initialise_study(root, protocol_path, "benchmark", "isopath benchmark")
    listeners = [Listener(f"sub-{secrets.token_hex(4)}", secrets.token_hex(16)) for _ in range(people)]
    drafts: list[Draft] = []
    made: RenderManifest | None = None
    seed = study.folder.allocation_seed.read_bytes()
    for index, listener in enumerate(listeners):
        place = place_at(study.protocol.allocation, seed, {}, index)
        pre = SelfReportSubmitted(
            Phase.PRE, "feeling", Perspective.FELT, {"valence": 0.25, "arousal": 0.75}, PRE, {}, ()
        )
        allocated = ParticipantAllocated(place.group_id, place.arm_ids, {}, place.block, place.position)
        history = [_recorded(study, listener, event) for event in (pre, allocated)]
        plan = plan_of(study.protocol, history, 1)
        if made is None:
            (made,) = render_sessions(
                [plan], load_engine(EngineSpec()), study.folder.sessions, lambda *_: None
            )
        rendered = _linked(study, plan, made)
        before: list[Event] = [
            ParticipantEnrolled({}, False),
            LinkIssued(token_sha256(listener.token), None),
            ConsentGiven(study.protocol.consent_version, hashlib.sha256(b"").hexdigest(), "en"),
            EligibilityAssessed({"adult": True}, True),
        ]
        drafts += [Draft(event, listener.participant_id) for event in before]
        drafts += [Draft(pre, listener.participant_id, SESSION), Draft(allocated, listener.participant_id)]
        drafts.append(Draft(rendered, listener.participant_id, SESSION))
    study.record.append("benchmark", lambda _: drafts)
    return study, listeners


def _linked(study: Study, plan: SessionPlan, made: RenderManifest) -> SessionRendered:
    """The one sound there is, as this person's: the load is the same."""
    folder = study.folder.sessions / plan.participant_id / plan.session_id
    if plan.participant_id != made.participant_id:
        folder.mkdir(parents=True)
        first = study.folder.sessions / made.participant_id / made.session_id
        os.link(first / made.stim_file, folder / made.stim_file)
    manifest = replace(
        made, participant_id=plan.participant_id, session_id=plan.session_id, plan_sha256=plan.sha256
    ).to_json()
    (folder / "manifest.json").write_text(manifest)
    sha256 = hashlib.sha256(manifest.encode()).hexdigest()
    return SessionRendered(plan.arm_id, plan.sha256, sha256, made.audio_sha256, made.duration_s)


def _recorded(study: Study, listener: Listener, event: Event) -> RecordedEvent:
    session_id = SESSION if isinstance(event, SelfReportSubmitted) else None
    return RecordedEvent(
        0,
        study.record.clock(),
        "benchmark",
        type(event).__name__,
        study.protocol.sha256,
        listener.participant_id,
        session_id,
        event,
    )
