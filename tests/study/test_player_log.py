"""A player's log is recorded once, whole and in order, and what was heard follows from it."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study.cohort import SimulatedClock
from study.conduct import discontinue
from study.errors import ConductError, IsopathError, OutOfRange, StorageError
from study.events import (
    EndReason,
    Event,
    PlaybackLogged,
    PlaybackStarted,
    PlaybackStopped,
    PlayerEntry,
    PlayerEntryKind,
    RecordFrozen,
    SelfReportMissed,
    StopReason,
    SupportAnswered,
    SupportCause,
    SupportOffered,
)
from study.founding import Study, initialise_study
from study.listening import Listening, listening_of
from study.playback_states import PlaybackStates
from study.player_log import LogGap, LogOutcome, PlaybackBatch, log_playback
from study.record import Draft
from study.step import AnswerSupport, GiveReport, Listen
from study.support import answer_support
from tests.study.conftest import EXAMPLES
from tests.study.walking import ACTOR, completed, due, rendered

SESSION = "ses-01"
Line = tuple[str, float, float]
"""Kind, seconds by the player's clock, seconds of the sound."""


def entries(*lines: Line, first: int = 0) -> tuple[PlayerEntry, ...]:
    return tuple(
        PlayerEntry(first + number, PlayerEntryKind(kind), round(at_s * 1000), position_s)
        for number, (kind, at_s, position_s) in enumerate(lines)
    )


def batch(
    participant_id: str, *lines: PlayerEntry, player_id: str = "one", session_id: str = SESSION
) -> PlaybackBatch:
    return PlaybackBatch(participant_id, session_id, player_id, tuple(lines))


def send(study: Study, *batches: PlaybackBatch, states: PlaybackStates | None = None) -> list[LogOutcome]:
    return log_playback(study, "participant", batches, states)


def heard(study: Study, participant_id: str) -> Listening:
    return listening_of(study.record.participant(participant_id), SESSION)


def logged(study: Study, participant_id: str) -> list[tuple[str, PlayerEntry]]:
    return [
        (recorded.event.player_id, entry)
        for recorded in study.record.participant(participant_id)
        if isinstance(recorded.event, PlaybackLogged)
        for entry in recorded.event.entries
    ]


@pytest.fixture
def listener(study: Study, clock: SimulatedClock) -> str:
    participant_id = rendered(study)
    clock.advance(900)
    return participant_id


def test_heard_seconds_follow_from_the_log(study: Study, listener: str) -> None:
    lines = entries(
        ("loaded", 1, 0),
        ("play", 2, 0),
        ("position", 7, 5),
        ("pause", 9, 7),
        ("play", 20, 7),
        ("stall", 23, 10),
    )

    (outcome,) = send(study, batch(listener, *lines))

    listening = heard(study, listener)
    assert outcome == LogOutcome(6)
    assert listening.intervals_s == ((0.0, 7.0), (7.0, 10.0))
    assert (listening.heard_s, listening.pauses, listening.stalls) == (10.0, 1, 1)
    assert listening.longest_gap_s == 11.0
    assert due(study, listener) == Listen(SESSION, 10.0, 300.0)


def test_a_log_that_breaks_off_counts_to_its_last_line(study: Study, listener: str) -> None:
    send(study, batch(listener, *entries(("play", 0, 0), ("position", 5, 5), ("hidden", 7, 7))))

    assert heard(study, listener).heard_s == 7.0
    assert heard(study, listener).playing


def test_muted_and_silent_seconds_are_not_heard_and_hidden_ones_are(study: Study, listener: str) -> None:
    lines = [
        *entries(("play", 0, 0), ("muted", 2, 2), ("unmuted", 5, 5)),
        PlayerEntry(3, PlayerEntryKind.VOLUME, 6000, 6.0, (0.0,)),
        PlayerEntry(4, PlayerEntryKind.VOLUME, 8000, 8.0, (0.5,)),
        *entries(("hidden", 9, 9), ("visible", 11, 11), ("pause", 12, 12), first=5),
    ]

    send(study, batch(listener, *lines))

    listening = heard(study, listener)
    assert listening.intervals_s == ((0.0, 2.0), (5.0, 6.0), (8.0, 12.0))
    assert (listening.heard_s, listening.muted_s, listening.hidden_s) == (7.0, 5.0, 2.0)


def test_what_two_players_played_is_united(study: Study, listener: str) -> None:
    send(study, batch(listener, *entries(("play", 0, 0), ("position", 10, 10))))

    send(study, batch(listener, *entries(("play", 0, 8), ("closed", 7, 15)), player_id="two"))

    assert heard(study, listener).heard_s == 15.0
    assert heard(study, listener).position_s == 15.0


def test_a_probe_is_neither_a_pause_nor_a_gap(study: Study, listener: str) -> None:
    to_probe = [*entries(("play", 0, 0)), PlayerEntry(1, PlayerEntryKind.PAUSE, 300_000, 300.0, (), "probe")]

    send(study, batch(listener, *to_probe), batch(listener, *entries(("play", 400, 300), first=2)))

    assert (heard(study, listener).pauses, heard(study, listener).longest_gap_s) == (0, 0.0)
    assert isinstance(due(study, listener), GiveReport)


def test_a_stop_makes_the_support_page_due_in_the_same_transaction(study: Study, listener: str) -> None:
    head = study.record.head().sequence

    send(study, batch(listener, *entries(("play", 0, 0), ("stop", 9, 9), ("closed", 10, 9))))

    added = study.record.events(after=head)
    assert [recorded.kind for recorded in added] == ["PlaybackLogged", "SupportOffered"]
    assert due(study, listener) == AnswerSupport(SESSION)
    assert heard(study, listener).stop_reason == "chose_to_stop"


def test_after_a_stop_the_sound_may_go_on_from_where_it_was(study: Study, listener: str) -> None:
    send(study, batch(listener, *entries(("play", 0, 0), ("stop", 9, 9))))

    answer_support(study, ACTOR, listener, SESSION, "better", wants_staff=False, goes_on=True)

    assert due(study, listener) == Listen(SESSION, 9.0, 300.0)
    assert heard(study, listener).stop_reason is None


def test_after_a_stop_the_sound_may_end_there_for_the_reason_that_was_given(
    study: Study, listener: str
) -> None:
    stop = replace(entries(("stop", 9, 9), first=1)[0], detail="distress")
    send(study, batch(listener, *entries(("play", 0, 0)), stop))

    answer_support(study, ACTOR, listener, SESSION, "worse", wants_staff=True, goes_on=False)

    listening = heard(study, listener)
    assert (listening.finished, listening.completed, listening.stop_reason) == (True, False, "distress")


def test_distress_in_a_later_report_changes_nothing_about_sound_that_was_stopped(
    study: Study, listener: str
) -> None:
    happened: list[Event] = [
        PlaybackStarted(0.0),
        PlaybackStopped(60.0, StopReason.TECHNICAL),
        SupportOffered(SupportCause.DISTRESS),
        SupportAnswered(None, False, True),
    ]
    study.record.append(ACTOR, lambda _: [Draft(event, listener, SESSION) for event in happened])

    listening = heard(study, listener)

    assert (listening.finished, listening.stop_reason) == (True, "technical")


def test_the_end_completes_the_session(study: Study, listener: str) -> None:
    send(study, batch(listener, *entries(("play", 0, 0), ("ended", 900, 900))))

    assert heard(study, listener).completed
    assert heard(study, listener).heard_s == 900.0


def test_probes_that_the_log_passed_by_are_recorded_as_missed_once(study: Study, listener: str) -> None:
    states = PlaybackStates()
    send(study, batch(listener, *entries(("play", 0, 0), ("position", 310, 310))), states=states)
    send(study, batch(listener, *entries(("position", 315, 315), first=2)), states=states)

    missed = [
        recorded.event.probe_at_s
        for recorded in study.record.participant(listener)
        if isinstance(recorded.event, SelfReportMissed)
    ]
    assert missed == [300.0]


LAWLESS = {
    "a position beyond the sound": (entries(("play", 0, 0), ("position", 5, 902)), OutOfRange),
    "an end in the middle": (entries(("play", 0, 0), ("ended", 10, 10)), OutOfRange),
    "sound that runs ahead of the player's clock": (entries(("play", 0, 0), ("position", 5, 8)), OutOfRange),
    "a player that begins where nobody was": (entries(("play", 0, 200)), OutOfRange),
    "a clock ahead of the server's": (entries(("play", 0, 0), ("pause", 2000, 0)), OutOfRange),
    "a clock that runs backwards": (entries(("play", 5, 0), ("position", 4, 0)), OutOfRange),
    "no line": ((), OutOfRange),
    "too many lines": (entries(*[("online", 0, 0)] * 201), OutOfRange),
    "lines out of order": (tuple(reversed(entries(("play", 0, 0), ("pause", 1, 1)))), OutOfRange),
    "a rating off the scale": ((PlayerEntry(0, PlayerEntryKind.RATING, 0, 0.0, (0.0, 1.2)),), OutOfRange),
    "not a number": ((PlayerEntry(0, PlayerEntryKind.RATE, 0, 0.0, (math.nan,)),), OutOfRange),
    "a reason nobody has": ((PlayerEntry(0, PlayerEntryKind.STOP, 0, 0.0, (), "bored"),), IsopathError),
    "a line before its turn": (entries(("play", 0, 0), first=3), LogGap),
}


@pytest.mark.parametrize("what", LAWLESS)
def test_what_no_player_could_have_written_is_refused_and_nothing_of_it_kept(
    study: Study, listener: str, what: str
) -> None:
    lines, refusal = LAWLESS[what]
    head = study.record.head()

    (outcome,) = send(study, batch(listener, *lines))

    assert isinstance(outcome.refusal, refusal)
    assert outcome.acknowledged == 0
    assert study.record.head() == head


def test_small_steps_ahead_of_the_clock_do_not_add_up_unseen(study: Study, listener: str) -> None:
    lines: list[Line] = [("play", 0, 0), *[("position", n, 3.0 * n) for n in range(1, 5)]]

    (outcome,) = send(study, batch(listener, *entries(*lines)))

    assert isinstance(outcome.refusal, OutOfRange)


def test_a_gap_is_told_and_can_be_filled(study: Study, listener: str) -> None:
    states, lines = PlaybackStates(), entries(*[("online", n, 0) for n in range(6)])
    send(study, batch(listener, *lines[:2]), states=states)

    (gap,) = send(study, batch(listener, *lines[4:]), states=states)
    (filled,) = send(study, batch(listener, *lines[gap.acknowledged :]), states=states)

    assert (gap.acknowledged, filled) == (2, LogOutcome(6))
    assert [entry.sequence for _, entry in logged(study, listener)] == [0, 1, 2, 3, 4, 5]


def test_one_refused_batch_leaves_the_others_alone(
    study: Study, listener: str, clock: SimulatedClock
) -> None:
    other = rendered(study)
    clock.advance(60)

    outcomes = send(
        study,
        batch("sub-nobody", *entries(("play", 0, 0))),
        batch(other, *entries(("play", 0, 0), ("position", 1, 500))),
        batch(listener, *entries(("play", 0, 0), ("position", 5, 5))),
    )

    assert [outcome.refusal is None for outcome in outcomes] == [False, False, True]
    assert heard(study, listener).heard_s == 5.0
    assert not logged(study, other)


def test_no_log_is_taken_before_there_is_sound_or_after_a_part_is_over(
    study: Study, listener: str, clock: SimulatedClock
) -> None:
    states = PlaybackStates()
    (known,) = send(study, batch(listener, *entries(("play", 0, 0))), states=states)
    discontinue(study, ACTOR, listener, EndReason.WITHDREW)

    over, again, unknown = send(
        study,
        batch(listener, *entries(("position", 5, 5), first=1)),
        batch(listener, *entries(("play", 0, 0))),
        batch(completed(study), *entries(("play", 0, 0)), session_id="ses-02"),
        states=states,
    )

    assert known.refusal is None
    assert isinstance(over.refusal, ConductError)
    assert again == LogOutcome(1)
    assert isinstance(unknown.refusal, ConductError)


def test_a_frozen_record_takes_no_more_of_a_log(study: Study, listener: str) -> None:
    states = PlaybackStates()
    send(study, batch(listener, *entries(("play", 0, 0))), states=states)
    study.record.append(
        ACTOR, lambda _: [Draft(RecordFrozen("ab" * 32, "cd" * 32, "the last visit is done"))]
    )

    (outcome,) = send(study, batch(listener, *entries(("pause", 5, 5), first=1)), states=states)

    assert isinstance(outcome.refusal, ConductError)


def test_what_a_failed_transaction_took_in_is_not_remembered(
    study: Study, listener: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    states, lines = PlaybackStates(), entries(("play", 0, 0), ("pause", 5, 5))
    send(study, batch(listener, lines[0]), states=states)

    def full(*_: object) -> None:
        raise StorageError("the record", "the disk is full", "make room")

    with monkeypatch.context() as broken:
        broken.setattr(type(study.record), "_insert", full)
        with pytest.raises(StorageError):
            send(study, batch(listener, lines[1]), states=states)
    (again,) = send(study, batch(listener, lines[1]), states=states)

    assert again == LogOutcome(2)
    assert [entry.sequence for _, entry in logged(study, listener)] == [0, 1]


def test_a_remembered_state_sees_what_others_wrote(study: Study, listener: str) -> None:
    states, lines = PlaybackStates(), entries(("play", 0, 0), ("position", 5, 5), ("position", 10, 10))
    send(study, batch(listener, lines[0]), states=states)
    send(study, batch(listener, lines[1]))

    outcome = send(study, batch(listener, *lines), states=states)

    assert outcome == [LogOutcome(3)]
    assert [entry.sequence for _, entry in logged(study, listener)] == [0, 1, 2]


KINDS = ("play", "position", "pause", "stall", "muted", "unmuted", "hidden", "visible", "rating")


def a_log(rng: random.Random) -> tuple[PlayerEntry, ...]:
    """A log such as a player writes: it plays, pauses, stalls, is muted, is hidden."""
    at_s, position_s, is_playing, lines = 0.0, 0.0, False, []
    for _ in range(rng.randint(3, 25)):
        waits_s = rng.choice([0.0, 0.5, 5.0])
        at_s += waits_s
        position_s += waits_s if is_playing else 0.0
        kind = rng.choice(
            ["play", "position", "pause", "stall", "muted", "unmuted", "hidden", "visible", "rating"]
        )
        is_playing = (is_playing or kind == "play") and kind not in ("pause", "stall")
        lines.append((kind, at_s, position_s))
    return tuple(
        replace(entry, values=(0.1, 0.2)) if entry.kind is PlayerEntryKind.RATING else entry
        for entry in entries(*lines)
    )


def deliver(study: Study, participant_id: str, lines: Sequence[PlayerEntry], rng: random.Random) -> None:
    """Split a log, lose, repeat and reorder its parts, and send again what is not acknowledged."""
    states = [PlaybackStates(), None]
    acknowledged, waiting = 0, []
    while acknowledged < len(lines):
        start = rng.choice([acknowledged, rng.randrange(len(lines))])
        part = lines[start : start + rng.randint(1, len(lines))]
        waiting += [batch(participant_id, *part)] * rng.randint(1, 2)
        rng.shuffle(waiting)
        taken = [waiting.pop() for _ in range(rng.randint(0, min(3, len(waiting))))]
        if taken:
            outcomes = send(study, *taken, states=rng.choice(states))
            acknowledged = max(acknowledged, *(outcome.acknowledged for outcome in outcomes))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, SimulatedClock]:
    clock = SimulatedClock(datetime(2026, 3, 1, 9, 0, tzinfo=UTC))
    root = tmp_path_factory.mktemp("many") / "study"
    return initialise_study(root, EXAMPLES / "iso_vs_target_only.json", "test", "isopath test", clock), clock


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=0))
def test_any_split_repetition_or_order_with_retries_tells_the_same_once(
    many: tuple[Study, SimulatedClock], seed: int
) -> None:
    study, clock = many
    rng = random.Random(seed)
    lines = a_log(rng)
    whole, parts = rendered(study), rendered(study)
    clock.advance(900)

    for start in range(0, len(lines), 200):
        send(study, batch(whole, *lines[start : start + 200]))
    deliver(study, parts, lines, rng)

    assert heard(study, parts) == heard(study, whole)
    assert Counter(logged(study, parts)) == Counter(("one", entry) for entry in lines)
    assert [entry.sequence for _, entry in logged(study, parts)] == list(range(len(lines)))


def test_many_peoples_batches_cost_one_commit(study: Study, clock: SimulatedClock) -> None:
    people = [rendered(study) for _ in range(3)]
    clock.advance(60)
    head = study.record.head().sequence

    outcomes = send(study, *(batch(pid, *entries(("play", 0, 0), ("position", 5, 5))) for pid in people))

    assert outcomes == [LogOutcome(2)] * 3
    assert study.record.verify().sequence == head + 3
