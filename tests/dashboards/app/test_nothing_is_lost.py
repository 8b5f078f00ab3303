"""kill -9 of the server at any moment: what was acknowledged is in the record, once, and the chain holds."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from study.access.links import issue_link
from study.conduct import enrol
from study.events import (
    ConsentGiven,
    DebriefRead,
    EligibilityAssessed,
    History,
    PlaybackLogged,
    QuestionnaireSubmitted,
    SelfReportSubmitted,
    SoundChecked,
)
from study.founding import Study, open_study
from tests.dashboards.app.person import Person
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.whole_study import whole_study

_KINDS = {
    "consent": ConsentGiven,
    "eligibility": EligibilityAssessed,
    "sound_check": SoundChecked,
    "instrument": SelfReportSubmitted,
    "questionnaire": QuestionnaireSubmitted,
    "debrief": DebriefRead,
}


def _new_person(study: Study, url: str) -> tuple[str, Person]:
    participant_id = enrol(study, "test", {})
    return participant_id, Person(url, issue_link(study, "test", participant_id))


def _walk_until_the_server_dies(person: Person) -> bool:
    """Whether the person came to the end before it did."""
    try:
        return person.walk()[-1] == "finished"
    except (httpx.TransportError, httpx.HTTPStatusError, AssertionError):
        return False


def _check(person: Person, history: History) -> None:
    """Everything acknowledged is there, once."""
    found = Counter(recorded.kind for recorded in history)
    for kind, event in _KINDS.items():
        said = {a.key for a in person.acknowledged if a.kind == kind}
        # An answer may be on disk whose acknowledgement the kill cut off; none may be missing or double.
        assert len(said) <= found[event.__name__] <= len(said) + person.kills, kind
    lines = Counter(
        f"{r.event.player_id}/{entry.sequence}"
        for r in history
        if isinstance(r.event, PlaybackLogged)
        for entry in r.event.entries
    )
    acknowledged = {a.key for a in person.acknowledged if a.kind == "playback"}
    assert acknowledged <= set(lines)
    assert max(lines.values(), default=1) == 1
    steps = [
        (r.event.phase, r.event.instrument_id, r.session_id, r.event.probe_at_s)
        for r in history
        if isinstance(r.event, SelfReportSubmitted)
    ]
    assert len(steps) == len(set(steps))


def _kill_at_random_points(root: Path, points: int, seed: int) -> None:
    drawn = random.Random(seed)
    study = whole_study(root)
    served = ServedStudy(study.folder.root)
    served.start()
    participant_id, person = _new_person(study, served.url)
    try:
        for _ in range(points):
            walking = threading.Thread(target=_walk_until_the_server_dies, args=(person,))
            walking.start()
            time.sleep(drawn.uniform(0.0, 1.5))
            served.kill()
            walking.join()
            person.kills += 1
            study.record.verify()
            history = study.record.participant(participant_id)
            _check(person, history)
            served.start()
            if person.view()["kind"] == "finished":
                person.close()
                participant_id, person = _new_person(study, served.url)
        assert person.walk()[-1] == "finished"
        _check(person, open_study(study.folder.root).record.participant(participant_id))
    finally:
        person.close()
        served.stop()


def test_what_was_acknowledged_outlives_kill_9_at_five_random_points(tmp_path: Path) -> None:
    _kill_at_random_points(tmp_path / "study", 5, seed=20261122)


@pytest.mark.soak
def test_what_was_acknowledged_outlives_kill_9_at_many_random_points(tmp_path: Path) -> None:
    points = int(os.environ.get("ISOPATH_SOAK_POINTS", "200"))
    _kill_at_random_points(tmp_path / "study", points, seed=4)
