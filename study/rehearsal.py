"""A rehearsal: simulated participants go through the whole study, by the same use cases as people.

The record says so in its second event, every participant is marked, and a
record that holds simulated participants never takes a person. Interrupted and
called again with the same settings, a rehearsal goes on where it stopped: what
is due follows from the record, and every draw from the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from study.cohort import Cohort, Render, Told
from study.errors import OutOfRange, RecordMismatch
from study.events import ParticipantEnrolled, RehearsalStarted
from study.founding import Study
from study.record import Draft, Reader
from study.simulated_person import ACTOR
from study.simulation import Tendencies


def begin_rehearsal(study: Study, spec: RehearsalStarted) -> Study:
    """Mark the record as a rehearsal, once, and give the study in the rehearsal's time-lapse.

    Raises:
        OutOfRange: a setting is off its range.
        RecordMismatch: people are enrolled, or it was rehearsed with other settings.
    """
    _check(spec)

    def decide(reader: Reader) -> Sequence[Draft]:
        begun = [r.event for r in reader.events(kinds=[RehearsalStarted])]
        if begun == [spec]:
            return []
        where = str(study.folder.record)
        if begun:
            raise RecordMismatch(
                where,
                f"was rehearsed with other settings ({begun[0]})",
                "rehearse a new study folder, or give the same settings to go on",
            )
        if reader.events(kinds=[ParticipantEnrolled]):
            raise RecordMismatch(where, "holds real participants", "rehearse in a new folder (isopath init)")
        return [Draft(spec)]

    study.record.append(ACTOR, decide)
    if study.protocol.duration_s == spec.session_s:
        return study
    return replace(study, protocol=study.protocol.lasting(spec.session_s))


def _check(spec: RehearsalStarted) -> None:
    for name, value, low, high in (
        ("participants", spec.participants, 1, 10_000),
        ("effect", spec.effect, -5.0, 5.0),
        ("agreement", spec.agreement, 0.0, 1.0),
        ("session_s", spec.session_s, 1.0, 4 * 3600.0),
    ):
        if not low <= value <= high:
            raise OutOfRange(name, f"{value:g} is outside {low:g} to {high:g}", f"write {low:g} to {high:g}")


def rehearse(
    study: Study, spec: RehearsalStarted, render: Render, told: Told, tendencies: Tendencies | None = None
) -> None:
    """Run the simulated participants of a begun rehearsal to their end.

    Args:
        study: from `begin_rehearsal`.
        render: makes the sound.
        told: hears of the progress.
        tendencies: how often they do what people do; the defaults, if None.

    Raises:
        RecordMismatch: the record was not begun as this rehearsal.
    """
    if study.rehearsal() != spec:
        raise RecordMismatch(
            str(study.folder.record), "was not begun as this rehearsal", "begin it with these settings"
        )
    cohort = Cohort(study, spec, tendencies or Tendencies())
    cohort.enrol(told)
    for number in range(1, study.protocol.session_count + 1):
        cohort.arrive(number, told)
        cohort.render(render)
        cohort.listen(number, told)
    cohort.follow_up(told)
