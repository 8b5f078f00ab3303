"""Staff take steps at the command line: sound check, questionnaire, support, visits, debriefing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest
import soundfile

from dashboards.cli.main import main
from study.conduct import assess_eligibility, complete_induction, enrol, give_consent
from study.delivery import plan_session, record_playback, record_render
from study.events import PlaybackEnded, PlaybackStarted, ReportCorrected, Role, StaffAdded
from study.founding import Study, initialise_study
from study.record import Draft
from study.self_reports import submit_report
from study.step import AnswerSupport, CheckSound, Finished, GiveReport, GoThroughInduction
from study.support import call_staff
from tests.dashboards.app.whole_study import whole_study
from tests.dashboards.command_line import Outcome, refusal
from tests.study.conftest import EXAMPLES
from tests.study.walking import ACTOR, due, manifest_of, right_answers


def isopath(*arguments: str | Path) -> Outcome:
    """The command in this process: what it prints, and how it ends."""
    out, err, code = StringIO(), StringIO(), 0
    with (
        patch.object(sys, "argv", ["isopath", *map(str, arguments)]),
        patch.dict(os.environ, {"COLUMNS": "200", "NO_COLOR": "1"}),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


CALM = {"valence": 0.6, "arousal": 0.4}


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    made = whole_study(tmp_path / "study")
    yield made
    made.record.close()


def arrived(study: Study) -> str:
    participant_id = enrol(study, ACTOR, {})
    give_consent(study, ACTOR, participant_id, "en")
    answers = {q.question_id: q.eligible_if for q in study.protocol.eligibility}
    assess_eligibility(study, ACTOR, participant_id, answers)
    assert due(study, participant_id) == CheckSound("ses-01")
    return participant_id


def at_questionnaire(study: Study) -> str:
    """Everything up to the questionnaire after the session, without the command line."""
    from study.sound_check import record_sound_check

    participant_id = arrived(study)
    right = right_answers(study, participant_id)
    record_sound_check(study, ACTOR, participant_id, "ses-01", 0.5, right)
    while True:
        step = due(study, participant_id)
        match step:
            case GiveReport(instrument_id="afterwards"):
                return participant_id
            case GiveReport(instrument_id=instrument_id):
                high = {"expressed": 5.0, "mood": 5.0, "tension": 50.0}.get(instrument_id)
                responses = CALM if high is None else dict.fromkeys(CALM, high)
                submit_report(study, ACTOR, participant_id, step, responses)
            case GoThroughInduction(session_id=session_id):
                complete_induction(study, ACTOR, participant_id, session_id)
            case _ if type(step).__name__ == "RenderSession":
                plan = plan_session(study, participant_id)
                record_render(study, ACTOR, plan, manifest_of(plan))
            case _:
                for event in (PlaybackStarted(0.0), PlaybackEnded(study.protocol.duration_s)):
                    record_playback(study, ACTOR, participant_id, "ses-01", event)


def test_a_sound_check_is_prepared_failed_and_passed(study: Study, tmp_path: Path) -> None:
    participant_id = arrived(study)
    command = ("sound-check", study.folder.root, participant_id)
    prepared = isopath(*command, "--sounds", tmp_path / "trials", "--key")
    right = ",".join(map(str, right_answers(study, participant_id)))
    wrong = ",".join(str(int(answer) % 3 + 1) for answer in right.split(","))

    assert prepared.out.strip() == right
    assert sorted(path.name for path in (tmp_path / "trials").iterdir()) == [
        "1.wav",
        "2.wav",
        "3.wav",
        "level.wav",
    ]
    # Three intervals of a second, half a second between.
    assert soundfile.info(tmp_path / "trials" / "1.wav").duration == pytest.approx(4.0)
    failed = isopath(*command, "--volume", "0.5", "--responses", wrong)
    assert failed.out == "Sound check not passed (0 of 3). Next: the sound check of ses-01.\n"

    again = isopath(*command, "--key", "--json").facts["key"]
    passed = isopath(*command, "--volume", "0.5", "--responses", ",".join(map(str, again)), "--json")

    facts = passed.facts
    assert (facts["passed"], facts["correct"], facts["attempt"], facts["volume"]) == (True, 3, 2, 0.5)
    assert facts["next"] == "the baseline report with tension"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--responses", "1,two,3"), "--responses: 'two' is not an interval; write e.g. --responses 1,3,2"),
        (("--responses", "1,2"), "the sound check: 2 response(s) to 3 trial(s); give one for every trial"),
        (("--volume", "2", "--responses", "1,1,1"), "volume: 2 is outside 0 to 1; write 0 to 1"),
    ],
)
def test_a_sound_check_typed_wrongly_is_refused(
    study: Study, arguments: tuple[str, ...], problem: str
) -> None:
    participant_id = arrived(study)
    before = study.record.head()

    assert refusal(isopath("sound-check", study.folder.root, participant_id, *arguments)) == problem
    assert study.record.head() == before


def test_a_questionnaire_is_shown_refused_and_recorded(study: Study) -> None:
    participant_id = at_questionnaire(study)
    command = ("answer", study.folder.root, participant_id)

    shown = isopath(*command).out
    assert shown.splitlines() == [
        "preference: Did you like the music? (1 = not at all, 7 = very much)",
        "guess: Which kind did you hear? (iso = one that moved; silence = one that stayed; "
        "do_not_know = I do not know)",
        "remarks: What else? (in their own words)",
    ]
    # Every problem at once.
    told = refusal(isopath(*command, "--item", "preference=9", "--item", "guess=reverse"))
    assert told.splitlines() == [
        "afterwards.preference: 9.0 is outside 1 to 7; write a whole number from 1 to 7, or leave it out",
        "afterwards.guess: 'reverse' is not one of its answers; "
        "write one of iso, silence, do_not_know, or leave it out",
    ]
    assert "'much' is not a number" in refusal(isopath(*command, "--item", "preference=much"))
    assert "is a questionnaire, not an instrument; record it with isopath answer" in refusal(
        isopath("self-report", study.folder.root, participant_id, "--phase", "post", "--valence", "0.5")
    )

    done = isopath(*command, "--phase", "post", "--item", "preference=5", "--item", "guess=iso", "--json")

    assert done.facts["missed_items"] == ["remarks"]
    assert done.facts["next"] == "the debriefing"


def test_a_questionnaire_nobody_answered_is_recorded_as_missed_and_the_debriefing_ends_the_way(
    study: Study,
) -> None:
    participant_id = at_questionnaire(study)
    root = study.folder.root

    assert isopath("answer", root, participant_id, "--missed", "had to leave").code == 0
    assert "made by a computer" in isopath("debrief", root, participant_id, "--show").out
    told = refusal(isopath("debrief", root, participant_id, "--language", "fr"))
    assert told == "language: 'fr' has no debriefing; write one of en, de"
    assert isopath("debrief", root, participant_id, "--language", "de").code == 0

    assert due(study, participant_id) == Finished("completed")
    said = refusal(isopath("answer", root, participant_id, "--item", "preference=5"))
    assert said.startswith(f"{participant_id}: a questionnaire is not the next step")


def test_the_support_page_is_called_for_read_and_answered(study: Study) -> None:
    participant_id = arrived(study)
    command = ("support", study.folder.root, participant_id)

    assert "You did well to stop" in isopath(*command).out
    assert "is not the next step" in refusal(isopath(*command, "--goes-on"))
    assert isopath(*command, "--call").code == 0
    assert due(study, participant_id) == AnswerSupport("ses-01")
    assert isopath(*command, "--feeling", "better", "--wants-staff", "--goes-on").code == 0
    assert due(study, participant_id) == CheckSound("ses-01")

    call_staff(study, ACTOR, participant_id, "ses-01")
    stopped = isopath(*command, "--stops", "--json")

    assert stopped.facts["next"] == "nothing, this participant's part is over (stopped for safety)"


def test_status_shows_visits_and_a_missed_one(tmp_path: Path) -> None:
    study = initialise_study(tmp_path / "study", EXAMPLES / "crossover_2x2.json", "test", "isopath test")
    participant_id = enrol(study, ACTOR, {})
    root = study.folder.root

    refused = isopath("miss-visit", root, participant_id, "ses-01", "--why", "ill")
    assert "is the session that all others are counted from" in refusal(refused)
    assert isopath("miss-visit", root, participant_id, "ses-02", "--why", "moved away").code == 0

    visits = isopath("status", root, "--json").facts["visits"][participant_id]
    assert [(visit["name"], visit["status"]) for visit in visits] == [
        ("session 1", "open"),
        ("session 2", "missed"),
    ]
    assert visits[0] == {
        "name": "session 1",
        "session_id": "ses-01",
        "status": "open",
        "opens_at": None,
        "closes_at": None,
    }
    lines = [line.split() for line in isopath("status", root).out.splitlines()]
    assert ["visit", "open", "missed"] in lines
    assert ["session", "2", "1"] in lines
    study.record.close()


@pytest.mark.requirement("ALCOA+ attributable")
def test_a_wrong_answer_is_corrected_by_its_row_and_by_who_may(study: Study) -> None:
    folder, who = study.folder.root, at_questionnaire(study)
    listed = isopath("correct", folder, who, "--json").facts["reports"]
    row = next(report["sequence"] for report in listed if report["instrument_id"] == "mood")
    put_right = ("correct", folder, who, "--row", str(row), "--item", "valence")

    assert f"row {row}: ses-01 post mood (valence, arousal)" in isopath("correct", folder, who).out
    assert "outside 1 to 9" in refusal(isopath(*put_right, "--value", "10", "--reason", "misread"))
    assert "has no reason" in refusal(isopath(*put_right, "--value", "7"))
    assert "one of --value and --missed" in refusal(isopath(*put_right, "--reason", "misread"))
    assert "needs a row and an item" in refusal(isopath("correct", folder, who, "--value", "7"))

    done = isopath(*put_right, "--value", "7", "--reason", "misread", "--actor", "coordinator:cora", "--json")

    assert done.facts["corrected_sequence"] == row
    made = study.record.participant(who)[-1]
    assert (made.sequence, made.actor) == (done.facts["sequence"], "coordinator:cora")
    assert made.event == ReportCorrected(row, "mood", "valence", 5.0, 7.0, "misread")

    study.record.append(ACTOR, lambda _: [Draft(StaffAdded("cora", Role.COORDINATOR))])
    assert "is for cora" in refusal(isopath(*put_right, "--missed", "--reason", "misread"))
