"""A study whose sessions last 6 seconds, and people who are due for rendering."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from study.conduct import assess_eligibility, enrol, give_consent
from study.events import ParticipantAllocated
from study.founding import Study, initialise_study
from study.self_reports import submit_report
from study.step import GiveReport
from study.steps import next_step

ACTOR = "test"
SMALLEST = Path(__file__).parents[1] / "protocols" / "valid" / "smallest.json"


def short_protocol(path: Path, other: str = "silence", engine: dict[str, Any] | None = None) -> Path:
    """Write a protocol of two arms: ``iso``, and one of the kind `other`."""
    protocol = json.loads(SMALLEST.read_text())
    protocol["session"] |= {"duration_s": 6, "clip_s": 2}
    protocol["path"] |= {"steps": 3, "step_s": 2, "dwell_start_steps": 0, "dwell_end_steps": 0}
    protocol["arms"][1]["path"]["kind"] = other
    for arm in protocol["arms"]:
        if engine is not None:
            arm["engine"] = engine
    protocol["allocation"]["block_sizes"] = [2]
    protocol["assessments"][1]["at_s"] = [3]
    protocol["analysis"]["agreement"] |= {"probe_window_s": 3, "post_window_s": 3}
    path.write_text(json.dumps(protocol))
    return path


def short_study(root: Path, other: str = "silence", engine: dict[str, Any] | None = None) -> Study:
    return initialise_study(
        root, short_protocol(root.parent / "short.json", other, engine), ACTOR, "isopath test"
    )


def waiting(study: Study) -> str:
    """A new participant who is due for rendering."""
    participant_id = enrol(study, ACTOR, {})
    give_consent(study, ACTOR, participant_id, "en")
    assess_eligibility(study, ACTOR, participant_id, {"adult": True})
    report = next_step(study.protocol, study.record.participant(participant_id))
    assert isinstance(report, GiveReport)
    submit_report(study, ACTOR, participant_id, report, {"valence": 0.2, "arousal": 0.8})
    return participant_id


def arm_of(study: Study, participant_id: str) -> str:
    (place,) = (
        recorded.event
        for recorded in study.record.participant(participant_id)
        if isinstance(recorded.event, ParticipantAllocated)
    )
    return place.arm_ids[0]


def one_of_each(study: Study) -> dict[str, str]:
    """A participant of each arm: a block of two."""
    people = [waiting(study) for _ in range(2)]
    return {arm_of(study, participant_id): participant_id for participant_id in people}
