"""What one participant's history says, as rows of the tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.mer.comparison import between, disagreement
from analysis.mer.predictor import AffectSeries
from analysis.tables.answer_rows import answer_rows, shown_columns, sound_check_rows
from analysis.tables.pairing import NO_MUSIC, pair_rows
from analysis.tables.playback_rows import playback_rows
from analysis.tables.prediction_rows import prediction_rows
from study.affect import Affect
from study.corrections import corrected_items
from study.errors import RecordMismatch
from study.events import (
    AdverseEventReported,
    ConsentDeclined,
    ConsentGiven,
    ConsentWithdrawn,
    EligibilityAssessed,
    Event,
    History,
    ParticipantAllocated,
    ParticipantDiscontinued,
    ParticipantEnrolled,
    PlaybackEvent,
    RecordedEvent,
    SelfReportMissed,
    SelfReportSubmitted,
    SessionRendered,
)
from study.listening import covered_s, listening_of
from study.manifest import RenderManifest
from study.protocol import Phase, StudyProtocol
from study.session import session_id_of
from study.starting_moods import path_start
from study.step import AnswerEligibility, Finished, GiveConsent
from study.steps import next_step

Row = dict[str, Any]

_NEVER_TOOK_PART = frozenset({"declined", "not_eligible"})


@dataclass(frozen=True)
class Person:
    """One participant's history with what belongs to it, turned into rows of the tables.

    Args:
        history: with every report as it was corrected last.
        as_given: with every report as it was given: the music followed from that.
    """

    protocol: StudyProtocol
    participant_id: str
    history: History
    as_given: History
    manifests: dict[str, RenderManifest]
    predictions: dict[str, Mapping[str, AffectSeries]]

    def _heard(self, session_id: str) -> dict[str, AffectSeries]:
        """What each predictor hears in a session, the reporting one first; nothing without music."""
        arm, name = self.arms.get(session_id), self.protocol.analysis.agreement.predictor
        if arm is not None and self.protocol.arm(arm).path.kind in NO_MUSIC:
            return {}
        series = self.predictions.get(session_id, {})
        return dict(sorted(series.items(), key=lambda one: one[0] != name))

    def _first(self, kind: type[Event]) -> RecordedEvent | None:
        return next((r for r in self.history if isinstance(r.event, kind)), None)

    @property
    def arms(self) -> dict[str, str]:
        """Session to arm; empty before allocation."""
        allocated = self._first(ParticipantAllocated)
        if allocated is None or not isinstance(allocated.event, ParticipantAllocated):
            return {}
        return {session_id_of(number): arm for number, arm in enumerate(allocated.event.arm_ids, start=1)}

    def check_manifests(self) -> None:
        """Raise RecordMismatch where a manifest is not of the sound that was recorded."""
        for session_id, manifest in self.manifests.items():
            rendered = [
                r.event.audio_sha256
                for r in self.history
                if r.session_id == session_id and isinstance(r.event, SessionRendered)
            ]
            if not rendered or rendered[-1] != manifest.audio_sha256:
                raise RecordMismatch(
                    f"{self.participant_id} {session_id}",
                    "has a manifest of other sound than the record names",
                    "restore the session's folder, or render it again with the same plan",
                )

    def row(self, factors: Sequence[str]) -> Row:
        """The row of `participants`."""
        enrolled = self.history[0].event
        stratum = enrolled.stratum if isinstance(enrolled, ParticipantEnrolled) else {}
        allocated = self._first(ParticipantAllocated)
        eligible = self._first(EligibilityAssessed)
        ended = self._first(ParticipantDiscontinued)
        consented = True if self._first(ConsentGiven) else False if self._first(ConsentDeclined) else None
        return {
            "participant_id": self.participant_id,
            "simulated": enrolled.simulated if isinstance(enrolled, ParticipantEnrolled) else None,
            "enrolled_at": self.history[0].at,
            "consented": consented,
            "eligible": getattr(eligible.event, "eligible", None) if eligible else None,
            "status": self.status,
            "status_note": getattr(ended.event, "note", None) or None if ended else None,
            "erased": any(recorded.event is None for recorded in self.history),
            **{f"stratum_{factor}": stratum.get(factor) for factor in factors},
            "group": getattr(allocated.event, "group_id", None) if allocated else None,
            "allocated_at": allocated.at if allocated else None,
            "allocation_probability": getattr(allocated.event, "probability", None) if allocated else None,
        }

    @property
    def status(self) -> str:
        """Where the person stands, as the column `status` names it."""
        wishes = (r.event for r in self.history if isinstance(r.event, ConsentWithdrawn))
        wish = next((event for event in wishes if not event.keeps_data), None)
        if wish is not None:
            # Whoever was never allocated is counted where they were lost, for the flow.
            return wish.outcome if wish.outcome in _NEVER_TOOK_PART else "erased"
        ended = self._first(ParticipantDiscontinued)
        if ended is not None and isinstance(ended.event, ParticipantDiscontinued):
            return str(ended.event.reason)
        if any(recorded.event is None for recorded in self.history):
            return "erased"
        step = next_step(self.protocol, self.history)
        match step:
            case Finished(outcome=outcome):
                return outcome
            case GiveConsent():
                return "awaiting_consent"
            case AnswerEligibility():
                return "screening"
        return "in_progress" if self._first(ParticipantAllocated) else "screening"

    def session_rows(self) -> Iterator[Row]:
        """The rows of `sessions`."""
        for period, (session_id, arm_id) in enumerate(self.arms.items(), start=1):
            arm = self.protocol.arm(arm_id)
            start = path_start(self.protocol, arm, self._pre_affect(session_id))
            listening = listening_of(self.history, session_id)
            here = [r.event for r in self.history if r.session_id == session_id]
            rendered = [event for event in here if isinstance(event, SessionRendered)]
            duration_s = rendered[-1].duration_s if rendered else None
            end_s = math.inf if duration_s is None else duration_s
            heard_s = listening.heard_within(0.0, end_s)
            yield {
                "participant_id": self.participant_id,
                "session_id": session_id,
                "period": period,
                "arm": arm_id,
                "start_valence": start.valence if start else None,
                "start_arousal": start.arousal if start else None,
                "target_valence": arm.target.valence,
                "target_arousal": arm.target.arousal,
                "rendered": bool(rendered),
                "audio_sha256": rendered[-1].audio_sha256 if rendered else None,
                "duration_s": duration_s,
                "started": listening.started or any(isinstance(event, PlaybackEvent) for event in here),
                "heard_s": heard_s,
                "heard_share": heard_s / duration_s if duration_s else None,
                "heard_planned_s": heard_s / duration_s * self.protocol.duration_s if duration_s else None,
                "muted_s": covered_s(listening.muted_intervals_s, 0.0, end_s),
                "hidden_s": covered_s(listening.hidden_intervals_s, 0.0, end_s),
                "pauses": listening.pauses,
                "stalls": listening.stalls,
                "longest_gap_s": listening.longest_gap_s,
                "ratings": listening.ratings,
                "stop_reason": listening.stop_reason,
                "completed": listening.completed,
            }

    def _pre_affect(self, session_id: str) -> Affect | None:
        for recorded in self.as_given:
            report = recorded.event
            if (
                recorded.session_id == session_id
                and isinstance(report, SelfReportSubmitted)
                and report.phase is Phase.PRE
                and report.instrument_id == self.protocol.analysis.instrument_id
            ):
                return report.affect
        return None

    def clip_rows(self) -> Iterator[Row]:
        """The rows of `clips`."""
        for session_id, manifest in sorted(self.manifests.items()):
            heard, listening = self._heard(session_id), listening_of(self.history, session_id)
            for clip in manifest.clips:
                end_s = clip.onset_s + clip.duration_s
                by = between(heard, clip.onset_s, end_s)
                mean = by.get(self.protocol.analysis.agreement.predictor)
                yield {
                    "participant_id": self.participant_id,
                    "session_id": session_id,
                    "arm": self.arms.get(session_id),
                    "stim_file": clip.stim_file,
                    "clip_sha256": clip.sha256,
                    "onset_s": clip.onset_s,
                    "duration_s": clip.duration_s,
                    "valence_target": clip.affect.valence if clip.affect else None,
                    "arousal_target": clip.affect.arousal if clip.affect else None,
                    "valence_pred": mean.valence_pred if mean else None,
                    "arousal_pred": mean.arousal_pred if mean else None,
                    "valence_disagreement": disagreement([one.valence_pred for one in by.values()]),
                    "arousal_disagreement": disagreement([one.arousal_pred for one in by.values()]),
                    "loudness_lufs": clip.loudness_lufs,
                    "heard_s": listening.heard_within(clip.onset_s, end_s),
                    "muted_s": covered_s(listening.muted_intervals_s, clip.onset_s, end_s),
                    "hidden_s": covered_s(listening.hidden_intervals_s, clip.onset_s, end_s),
                }

    def prediction_rows(self) -> Iterator[Row]:
        """The rows of `predictions`."""
        for session_id, manifest in sorted(self.manifests.items()):
            yield from prediction_rows(
                self.participant_id,
                session_id,
                self.arms.get(session_id),
                manifest.clips,
                self._heard(session_id),
            )

    def report_rows(self) -> Iterator[Row]:
        """The rows of `self_reports`."""
        put_right = corrected_items(self.history)
        for recorded in self.history:
            report = recorded.event
            if not isinstance(report, (SelfReportSubmitted, SelfReportMissed)):
                continue
            if self.protocol.questionnaire(report.instrument_id) is not None:
                continue
            given = report if isinstance(report, SelfReportSubmitted) else None
            affect = given.affect if given else None
            asked = given.asked if given else None
            instrument = self.protocol.instrument(report.instrument_id)
            yield {
                "participant_id": self.participant_id,
                "session_id": recorded.session_id,
                "arm": self.arm_at(recorded.session_id),
                "sequence": recorded.sequence,
                "at": recorded.at,
                "phase": str(report.phase),
                "instrument_id": report.instrument_id,
                "perspective": str(given.perspective if given else instrument.perspective),
                "probe_at_s": report.probe_at_s,
                "missed": given is None,
                "missed_reason": report.reason if isinstance(report, SelfReportMissed) else None,
                "missed_items": " ".join(given.missed_items) or None if given else None,
                "corrected": recorded.sequence in put_right,
                "responses": _json(given.raw) if given else None,
                "scores": _json(given.scores) if given else None,
                "valence": affect.valence if affect else None,
                "arousal": affect.arousal if affect else None,
                **shown_columns(asked),
                "untouched_items": " ".join(asked.untouched_items) or None if asked else None,
            }

    def answer_rows(self) -> Iterator[Row]:
        """The rows of `questionnaire_answers`."""
        return answer_rows(self.protocol, self.history, self.arm_at)

    def sound_check_rows(self) -> Iterator[Row]:
        """The rows of `sound_checks`."""
        return sound_check_rows(self.history)

    def playback_rows(self) -> Iterator[Row]:
        """The rows of `playback`."""
        return playback_rows(self.history)

    def arm_at(self, session_id: str | None) -> str | None:
        """The arm of a session; without one, the arm of a person who has only one."""
        if session_id is not None:
            return self.arms.get(session_id)
        arms = set(self.arms.values())
        return arms.pop() if len(arms) == 1 else None

    def adverse_event_rows(self) -> Iterator[Row]:
        """The rows of `adverse_events`."""
        for recorded in self.history:
            if isinstance(recorded.event, AdverseEventReported):
                yield {
                    "participant_id": self.participant_id,
                    "session_id": recorded.session_id,
                    "arm": self.arm_at(recorded.session_id),
                    "sequence": recorded.sequence,
                    "at": recorded.at,
                    **vars(recorded.event),
                }

    def pair_rows(self) -> Iterator[Row]:
        """The rows of `pairs`."""
        name = self.protocol.analysis.agreement.predictor
        series = {session: heard[name] for session, heard in self.predictions.items() if name in heard}
        return pair_rows(self.protocol, self.history, self.arms, self.manifests, series)


def _json(values: Mapping[str, float]) -> str:
    return json.dumps(dict(values), sort_keys=True, allow_nan=False)
