"""A study in full swing: people at every stage, harm, help, and texts that would do harm if they could."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from study.access.links import issue_link
from study.conduct import decline_consent, discontinue, enrol, record_deviation, report_adverse_event
from study.delivery import record_playback
from study.events import AdverseEventReported, EndReason, PlaybackStarted, PlaybackStopped, StopReason
from study.founding import Study
from study.instruments import instrument_kind
from study.self_reports import submit_questionnaire, submit_report
from study.step import AnswerSupport, Finished, GiveReport, Listen, RenderSession
from study.support import answer_support
from tests.dashboards.app.two_arms import render
from tests.dashboards.app.whole_study import whole_protocol, whole_study
from tests.study.every_step import take
from tests.study.walking import due

ACTOR = "test"
SESSION = "ses-01"
HOSTILE = (
    '<script>window.harmed = 1</script> <img src=x onerror="window.harmed = 1"> '
    "[a link](javascript:alert(1)) :material/warning: $x^2$ **bold** :red[red] </table> & \u202eback"
)
"""What somebody may write into a free text: none of it may become anything but letters."""


@dataclass(frozen=True)
class BusyStudy:
    """The study, and who is where in it."""

    study: Study
    whole: str
    stopped: str
    in_distress: str
    listening: str
    new: str


def busy_study(root: Path) -> BusyStudy:
    """Two arms of quick sound, a stop rule for two people in distress, and seven people."""
    protocol = whole_protocol()
    protocol["safety"]["stop_rules"] = [{"id": "much_distress", "counts": "distress", "at_least": 1}]
    protocol["sound_check"] |= {"trials": 3, "pass_at": 3}
    protocol["allocation"]["strata"] = [{"factor": "site", "levels": ["north", "south"]}]
    study = whole_study(root, protocol)
    whole, stopped, in_distress, listening, declining, leaving, new = (
        enrol(study, ACTOR, {"site": site})
        for site in ("north", "south", "north", "south", "north", "south", "north")
    )
    decline_consent(study, ACTOR, declining)
    walk(study, whole)
    report_adverse_event(
        study, ACTOR, whole, AdverseEventReported("emotional", "mild", "possible", HOSTILE), SESSION
    )
    record_deviation(study, ACTOR, whole, HOSTILE, HOSTILE)
    walk(study, stopped, Listen)
    record_playback(study, ACTOR, stopped, SESSION, PlaybackStarted(0.0))
    record_playback(study, ACTOR, stopped, SESSION, PlaybackStopped(1.5, StopReason.CHOSE_TO_STOP))
    answer_if_asked(study, stopped)
    walk(study, stopped)
    walk(study, in_distress, Listen)
    while not isinstance(step := due(study, in_distress), GiveReport):
        take(study, in_distress)
    submit_report(study, ACTOR, in_distress, step, {"valence": 0.0, "arousal": 1.0})
    answer_support(study, ACTOR, in_distress, SESSION, "worse", True, False)
    walk(study, listening, Listen)
    record_playback(study, ACTOR, listening, SESSION, PlaybackStarted(0.0))
    discontinue(study, ACTOR, leaving, EndReason.WITHDREW, HOSTILE)
    issue_link(study, ACTOR, new)
    return BusyStudy(study, whole, stopped, in_distress, listening, new)


def answer_if_asked(study: Study, who: str) -> None:
    if isinstance(due(study, who), AnswerSupport):
        answer_support(study, ACTOR, who, SESSION, "same", False, False)


def walk(study: Study, who: str, to: type[Listen | Finished] = Finished) -> None:
    """Take ordinary steps; where free text is asked for, a hostile one is given."""
    while not isinstance(step := due(study, who), to):
        if isinstance(step, RenderSession):
            render(study, who)
        elif isinstance(step, GiveReport) and step.instrument_id == "afterwards":
            answers: dict[str, str | float] = {"preference": 6.0, "guess": "iso", "remarks": HOSTILE}
            submit_questionnaire(study, ACTOR, who, step, answers)
        elif isinstance(step, GiveReport) and step.instrument_id != "feeling":
            kind = instrument_kind(study.protocol.instrument(step.instrument_id).kind)
            submit_report(study, ACTOR, who, step, {item: scale.high for item, scale in kind.items.items()})
        else:
            take(study, who)
