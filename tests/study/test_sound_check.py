"""The sound check: trials a reload does not change, a score, a second attempt, and what failing means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from study.cohort import SimulatedClock
from study.conduct import enrol
from study.errors import ConductError, OutOfRange
from study.events import SoundChecked
from study.founding import Study
from study.sound_check import record_sound_check, trial_answers
from study.step import CheckSound, Finished, GoThroughInduction
from tests.study.every_step import CHECK, study_with_every_step, walk_to
from tests.study.walking import ACTOR, due, right_answers


@pytest.fixture
def study(tmp_path: Path, clock: SimulatedClock) -> Iterator[Study]:
    with study_with_every_step(tmp_path / "study", clock) as made:
        yield made


def arrived(study: Study) -> str:
    participant_id = enrol(study, ACTOR, {})
    walk_to(study, participant_id, CheckSound)
    return participant_id


def wrong(study: Study, participant_id: str, how_many: int) -> list[int]:
    right = right_answers(study, participant_id)
    return [answer % 3 + 1 if i < how_many else answer for i, answer in enumerate(right)]


def test_a_reload_shows_the_same_trials_and_another_attempt_shows_others(study: Study) -> None:
    first = trial_answers(study.protocol, "sub-1", "sound-check/ses-01/1")

    assert trial_answers(study.protocol, "sub-1", "sound-check/ses-01/1") == first
    assert trial_answers(study.protocol, "sub-1", "sound-check/ses-01/2") != first
    assert trial_answers(study.protocol, "sub-2", "sound-check/ses-01/1") != first


def test_every_interval_holds_the_tone_about_equally_often(study: Study) -> None:
    drawn = Counter(
        interval
        for number in range(1000)
        for interval in trial_answers(study.protocol, f"sub-{number}", "sound-check/ses-01/1")
    )

    assert set(drawn) == {1, 2, 3}
    # 6000 draws: 2000 each, standard deviation 36.5.
    assert all(abs(count - 2000) < 150 for count in drawn.values())


def test_a_check_is_passed_at_the_protocols_bar_and_not_one_below(study: Study) -> None:
    passing, failing = arrived(study), arrived(study)

    passed = record_sound_check(study, ACTOR, passing, "ses-01", 0.5, wrong(study, passing, 1))
    failed = record_sound_check(study, ACTOR, failing, "ses-01", 0.5, wrong(study, failing, 2))

    assert passed == SoundChecked(0.5, "huggins", correct=5, trials=6, passed=True, attempt=1)
    assert failed == SoundChecked(0.5, "huggins", correct=4, trials=6, passed=False, attempt=1)
    assert due(study, passing) == GoThroughInduction("ses-01")
    assert due(study, failing) == CheckSound("ses-01")


def test_after_the_last_failed_attempt_the_study_goes_on_where_the_protocol_says_so(study: Study) -> None:
    participant_id = arrived(study)
    for attempt in (1, 2):
        failed = record_sound_check(
            study, ACTOR, participant_id, "ses-01", None, wrong(study, participant_id, 6)
        )
        assert (failed.attempt, failed.correct, failed.passed) == (attempt, 0, False)

    assert due(study, participant_id) == GoThroughInduction("ses-01")


def test_after_the_last_failed_attempt_the_part_ends_where_the_protocol_says_so(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    strict = replace(CHECK, ends_on_failure=True)
    with study_with_every_step(tmp_path / "strict", clock, check=strict) as study:
        participant_id = arrived(study)
        for _ in range(2):
            record_sound_check(study, ACTOR, participant_id, "ses-01", 1.0, wrong(study, participant_id, 6))

        assert due(study, participant_id) == Finished("sound_check_failed")


def test_without_a_headphone_test_setting_the_loudness_is_the_whole_check(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    loudness_only = replace(CHECK, headphone_test=None, trials=0, pass_at=0)
    with study_with_every_step(tmp_path / "loud", clock, check=loudness_only) as study:
        participant_id = arrived(study)

        checked = record_sound_check(study, ACTOR, participant_id, "ses-01", 0.25, [])

        assert checked == SoundChecked(0.25, None, correct=0, trials=0, passed=True, attempt=1)


@pytest.mark.parametrize(
    ("volume", "responses", "problem"),
    [
        (1.5, [1] * 6, "volume: 1.5 is outside 0 to 1"),
        (float("nan"), [1] * 6, "volume: nan is outside 0 to 1"),
        (0.5, [0] * 6, "0 is not an interval"),
        (0.5, [4] * 6, "4 is not an interval"),
        (0.5, [1] * 5, r"5 response\(s\) to 6 trial\(s\)"),
        (0.5, [], r"0 response\(s\) to 6 trial\(s\)"),
    ],
)
def test_answers_that_are_none_are_refused_and_cost_no_attempt(
    study: Study, volume: float, responses: list[int], problem: str
) -> None:
    participant_id = arrived(study)
    before = study.record.head()

    with pytest.raises((OutOfRange, ConductError), match=problem):
        record_sound_check(study, ACTOR, participant_id, "ses-01", volume, responses)

    assert study.record.head() == before


def test_a_sound_check_that_is_not_due_is_refused(study: Study) -> None:
    participant_id = enrol(study, ACTOR, {})

    with pytest.raises(ConductError, match="the sound check is not the next step; next is: consent"):
        record_sound_check(study, ACTOR, participant_id, "ses-01", 0.5, [1] * 6)


def test_an_attempt_whose_payload_was_erased_is_not_asked_again(study: Study) -> None:
    participant_id = arrived(study)
    record_sound_check(study, ACTOR, participant_id, "ses-01", 0.5, wrong(study, participant_id, 6))
    study.record.erase_payload(ACTOR, study.record.head().sequence, "asked for it")

    assert due(study, participant_id) == GoThroughInduction("ses-01")
