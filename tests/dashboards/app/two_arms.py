"""A study whose arms have names that stand nowhere else, people in both, and all that tells their arm."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from generation.registry import load_engine
from generation.render import render_sessions
from study.conduct import assess_eligibility, enrol, give_consent, report_adverse_event
from study.delivery import plan_session, record_playback, record_render
from study.events import (
    AdverseEventReported,
    ParticipantAllocated,
    PlaybackEnded,
    PlaybackEvent,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    SessionRendered,
)
from study.founding import Study, initialise_study
from study.self_reports import submit_report
from study.session import SessionPlan
from study.step import GiveReport
from study.steps import next_step
from tests.dashboards.short_study import short_protocol

ARMS = {"amberly": "random_order", "cobaltine": "target_only"}
TARGET = {"valence": 0.617, "arousal": -0.433}
SESSION = "ses-01"
ACTOR = "test"


def two_arm_study(root: Path) -> Study:
    """Two arms with sound of one engine, blocks of two, and a stop rule."""
    path = short_protocol(root.parent / f"{root.name}-protocol.json")
    text = path.read_text()
    for known, (arm_id, kind) in zip(("iso", "silence"), ARMS.items(), strict=True):
        text = text.replace(f'"{known}_minus', f'"{arm_id}_minus').replace(f'"{known}"', f'"{arm_id}"')
        text = text.replace(f'"kind": "{arm_id}"', f'"kind": "{kind}"')
    protocol = json.loads(text)
    for arm in protocol["arms"]:
        arm["label"] = f"The {arm['id'].title()} way"
        arm["path"]["kind"] = ARMS[arm["id"]]
    protocol["path"]["target"] = TARGET
    protocol["analysis"]["contrasts"][0]["id"] = "primary"
    protocol["safety"]["stop_rules"] = [{"id": "much_harm", "counts": "serious_adverse_event", "at_least": 1}]
    path.write_text(json.dumps(protocol))
    return initialise_study(root, path, ACTOR, "isopath test")


Act = Callable[[Study, str], object]


def _play(event: PlaybackEvent) -> Act:
    return lambda study, who: record_playback(study, ACTOR, who, SESSION, event)


def _report(valence: float, arousal: float) -> Act:
    def report(study: Study, who: str) -> None:
        due = next_step(study.protocol, study.record.participant(who))
        assert isinstance(due, GiveReport)
        submit_report(study, ACTOR, who, due, {"valence": valence, "arousal": arousal})

    return report


def render(study: Study, who: str) -> SessionPlan:
    """Make and record the sound that is due."""
    plan = plan_session(study, who)
    assert plan.engine is not None
    (manifest,) = render_sessions([plan], load_engine(plan.engine), study.folder.sessions, lambda _: None)
    record_render(study, ACTOR, plan, manifest)
    return plan


#: The way through the study, step by step.
WAY: tuple[Act, ...] = (
    lambda study, who: give_consent(study, ACTOR, who, "en"),
    lambda study, who: assess_eligibility(study, ACTOR, who, {"adult": True}),
    _report(0.2, 0.8),
    render,
    _play(PlaybackStarted(0.0)),
    _play(PlaybackPaused(3.0)),
    _report(0.3, 0.6),
    _play(PlaybackResumed(3.0)),
    _play(PlaybackEnded(6.0)),
    _report(0.6, 0.3),
)
TO_LISTENING = 4


def a_pair(study: Study, way: Iterable[Act] = WAY) -> dict[str, str]:
    """Two people who do the same, side by side, one in each arm: arm to person."""
    people = [enrol(study, ACTOR, {}) for _ in range(2)]
    for act in way:
        for who in people:
            act(study, who)
    return {arm_of(study, who): who for who in people}


def harm(study: Study, who: str) -> None:
    """Something serious, so that a stop rule is reached."""
    report_adverse_event(
        study,
        ACTOR,
        who,
        AdverseEventReported("emotional", "severe", "possible", "wept for an hour"),
        SESSION,
    )


def arm_of(study: Study, who: str) -> str:
    (place,) = (r.event for r in study.record.participant(who) if isinstance(r.event, ParticipantAllocated))
    return place.arm_ids[0]


def what_tells_the_arm(study: Study) -> frozenset[str]:
    """Every name and number from which somebody could learn an arm."""
    found = {*ARMS, *ARMS.values(), *(name.replace("_", " ") for name in ARMS.values())}
    found |= {arm.label for arm in study.protocol.arms}
    found |= {arm.engine.name for arm in study.protocol.arms if arm.engine is not None}
    found |= {str(TARGET["valence"]), str(abs(TARGET["arousal"])), "session.flac", "manifest.json"}
    found.add(study.folder.allocation_seed.read_bytes().hex())
    for recorded in study.record.events(kinds=[SessionRendered]):
        assert isinstance(recorded.event, SessionRendered)
        assert recorded.participant_id is not None
        rendered = recorded.event
        found |= {rendered.plan_sha256, rendered.manifest_sha256, rendered.audio_sha256}
        folder = study.folder.sessions / recorded.participant_id / str(recorded.session_id)
        manifest = (folder / "manifest.json").read_text()
        found |= set(re.findall(r"\b[0-9a-f]{64}\b", manifest))
        found |= {str(seed) for seed in re.findall(r'"seed": (\d+)', manifest)}
    return frozenset(found)
