"""Whatever people do, in whatever order, exactly one step is due, it can be taken, and the way ends."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from study.cohort import SimulatedClock
from study.conduct import discontinue, enrol, move_participation, report_adverse_event
from study.errors import ConductError
from study.events import AdverseEventReported, EndReason
from study.founding import Study
from study.protocol import Phase
from study.self_reports import miss_report, submit_report
from study.sound_check import record_sound_check
from study.step import (
    AnswerSupport,
    CheckSound,
    Finished,
    GiveReport,
    GoThroughInduction,
    ReadDebrief,
    Step,
    describe,
)
from study.steps import step_key
from study.support import answer_support, call_staff
from study.visits import miss_visit
from tests.study.conftest import ONE_SESSION
from tests.study.every_step import CHECK, history_of, study_with_every_step, take, walk_to
from tests.study.walking import ACTOR, FEELING, MEMORY, STRATUM, due

EVENT = AdverseEventReported("emotional", "mild", "possible", "wept")

ASIDES: dict[str, Callable[[Study, str], object]] = {
    "call": lambda study, pid: call_staff(study, ACTOR, pid, "ses-01"),
    "call in the second session": lambda study, pid: call_staff(study, ACTOR, pid, "ses-02"),
    "miss the second session": lambda study, pid: miss_visit(study, ACTOR, pid, "ses-02", "no time"),
    "move": lambda study, pid: move_participation(study, ACTOR, pid, "tab"),
    "adverse event": lambda study, pid: report_adverse_event(study, ACTOR, pid, EVENT, "ses-01"),
    "leave": lambda study, pid: discontinue(study, ACTOR, pid, EndReason.WITHDREW),
}


def try_aside(study: Study, participant_id: str, name: str) -> None:
    """What may come between two steps; refused where it cannot."""
    before = study.record.head()
    try:
        ASIDES[name](study, participant_id)
    except ConductError:
        assert study.record.head() == before


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    ways=st.lists(
        st.one_of(st.integers(0, 9), st.integers(0, 9), st.sampled_from(sorted(ASIDES))),
        max_size=60,
    ),
    ends_on_failure=st.booleans(),
)
def test_whatever_people_do_one_step_is_due_it_can_be_taken_and_the_way_ends(
    ways: list[int | str], ends_on_failure: bool
) -> None:
    check = replace(CHECK, ends_on_failure=ends_on_failure)
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        clock = SimulatedClock(datetime(2026, 3, 1, tzinfo=UTC))
        with study_with_every_step(Path(folder) / "study", clock, check=check) as study:
            participant_id = enrol(study, ACTOR, {})
            for way in ways:
                clock.advance(600)
                if isinstance(way, str):
                    try_aside(study, participant_id, way)
                elif not isinstance(due(study, participant_id), Finished):
                    take(study, participant_id, way)

            # From wherever they are, plainly on: 2 sessions of at most 20 steps, and what is around them.
            keys = []
            while not isinstance(due(study, participant_id), Finished):
                keys.append(step_key(due(study, participant_id), history_of(study, participant_id)))
                assert len(keys) < 70, keys
                clock.advance(600)
                take(study, participant_id)
            study.record.verify()

    answered = [key for key in keys if not key.startswith("listening")]
    assert len(set(answered)) == len(answered)


def test_the_whole_way_with_every_step(tmp_path: Path, clock: SimulatedClock) -> None:
    seen: list[str] = []
    with study_with_every_step(tmp_path / "study", clock, ONE_SESSION) as study:
        participant_id = enrol(study, ACTOR, STRATUM)
        while not isinstance(due(study, participant_id), Finished):
            clock.advance(60)
            said = describe(take(study, participant_id))
            if not seen or seen[-1] != said:
                seen.append(said)

    assert seen == [
        "consent",
        "the eligibility questions",
        "the sound check of ses-01",
        "the baseline report with feeling",
        "the baseline report with anxiety",
        "the induction of ses-01",
        "the pre report with feeling (ses-01)",
        "the pre report with expectations (ses-01)",
        "rendering ses-01",
        "listening to ses-01 from 0 s to 300 s",
        "the probe report at 300 s with feeling (ses-01)",
        "listening to ses-01 from 300 s to 600 s",
        "the probe report at 600 s with feeling (ses-01)",
        "listening to ses-01 from 600 s to 900 s",
        "the post report with feeling (ses-01)",
        "the post report with expressed (ses-01)",
        "the post report with anxiety (ses-01)",
        "the post report with afterwards (ses-01)",
        "the debriefing",
        # Two follow-ups: feeling, then feeling again and the questionnaire.
        "the follow_up report with feeling",
        "the follow_up report with afterwards",
    ]


OTHERS: list[tuple[Step, Callable[[Study, str], object]]] = [
    (CheckSound("ses-01"), lambda study, pid: record_sound_check(study, ACTOR, pid, "ses-01", 0.5, [1] * 6)),
    (
        AnswerSupport("ses-01"),
        lambda study, pid: answer_support(study, ACTOR, pid, "ses-01", None, False, True),
    ),
    (
        GiveReport(Phase.POST, "feeling", "ses-01"),
        lambda study, pid: submit_report(
            study, ACTOR, pid, GiveReport(Phase.POST, "feeling", "ses-01"), FEELING
        ),
    ),
    (
        GiveReport(Phase.POST, "afterwards", "ses-01"),
        lambda study, pid: miss_report(
            study, ACTOR, pid, GiveReport(Phase.POST, "afterwards", "ses-01"), "blank"
        ),
    ),
]


@pytest.mark.parametrize("kind", [CheckSound, GoThroughInduction, GiveReport, AnswerSupport, ReadDebrief])
def test_every_step_but_the_due_one_is_refused_and_leaves_no_trace(
    tmp_path: Path, clock: SimulatedClock, kind: type[Step]
) -> None:
    with study_with_every_step(tmp_path / "study", clock) as study:
        participant_id = enrol(study, ACTOR, {})
        if kind is AnswerSupport:
            walk_to(study, participant_id, GoThroughInduction)
            call_staff(study, ACTOR, participant_id, "ses-01")
        step = walk_to(study, participant_id, kind)
        before = study.record.head()

        for other, attempt in OTHERS:
            if other != step:
                with pytest.raises(ConductError, match="is not the next step"):
                    attempt(study, participant_id)

        assert study.record.head() == before
