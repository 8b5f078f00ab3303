"""What was heard of a session, from its playback events and its players' logs alone.

Sound comes from tracks: each player of a page is one, and so is whoever writes
down what another player did. What the tracks played is united: a second heard
twice counts once, and what no log tells was not heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from study.events import (
    PlaybackEnded,
    PlaybackEvent,
    PlaybackLogged,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    PlayerEntry,
    PlayerEntryKind,
    RecordedEvent,
    SessionRendered,
    StopReason,
    SupportAnswered,
    SupportCause,
    SupportOffered,
)
from study.track import HALTS, MOVES, STARTS, Track

Interval = tuple[float, float]

PROBE = "probe"
"""The detail of a pause that a probe asked for: it is no gap in the listening."""


@dataclass(frozen=True)
class Listening:
    """What one session's playback events amount to.

    Args:
        intervals_s: audible stretches of session time, in the order heard.
        position_s: the furthest the sound came; 0 before it starts.
        started: sound ran at all.
        playing: sound is running, as far as the record tells.
        finished: stopped or ended.
        stop_reason: why it was stopped early, or None.
        pauses: how often a person paused it; probes are none.
        muted_intervals_s: stretches that ran muted or at volume zero.
        hidden_intervals_s: stretches that ran while the page was hidden.
        stalls: how often sound halted for want of data.
        longest_gap_s: longest silence by the clock between two stretches, but for a probe's.
        ratings: continuous ratings given while listening.
        completed: the session's end was reached.
    """

    intervals_s: tuple[Interval, ...] = ()
    position_s: float = 0.0
    started: bool = False
    playing: bool = False
    finished: bool = False
    stop_reason: str | None = None
    pauses: int = 0
    muted_intervals_s: tuple[Interval, ...] = ()
    hidden_intervals_s: tuple[Interval, ...] = ()
    stalls: int = 0
    longest_gap_s: float = 0.0
    ratings: int = 0
    completed: bool = False

    @property
    def heard_s(self) -> float:
        """Seconds of the session heard at least once; muted sound is not heard."""
        return self.heard_within(0.0, float("inf"))

    def heard_within(self, start_s: float, end_s: float) -> float:
        """Seconds of [start_s, end_s) heard at least once."""
        return covered_s(self.intervals_s, start_s, end_s)

    @property
    def muted_s(self) -> float:
        """Seconds of the session that ran muted or at volume zero."""
        return covered_s(self.muted_intervals_s)

    @property
    def hidden_s(self) -> float:
        """Seconds of the session that ran while the page was hidden, heard or not."""
        return covered_s(self.hidden_intervals_s)


def covered_s(intervals_s: Iterable[Interval], start_s: float = 0.0, end_s: float = float("inf")) -> float:
    """Seconds of [start_s, end_s) that lie in at least one of the stretches."""
    total, reached = 0.0, start_s
    for low, high in sorted(intervals_s):
        onset_s, offset_s = max(low, reached), min(high, end_s)
        if offset_s > onset_s:
            total += offset_s - onset_s
            reached = offset_s
    return total


def listening_of(history: Iterable[RecordedEvent], session_id: str) -> Listening:
    """The state of one session's playback.

    Args:
        history: one participant's events, in order.
    """
    fold = ListeningFold()
    for recorded in history:
        if recorded.session_id == session_id:
            fold.take(recorded)
    return fold.listening()


@dataclass
class ListeningFold:
    """One session's playback, taken in event by event."""

    tracks: dict[str, Track] = field(default_factory=dict)
    rendered: SessionRendered | None = None
    rendered_at_s: float = 0.0
    position_s: float = 0.0
    is_stopped: bool = False
    is_completed: bool = False
    stop_reason: str | None = None
    _heard: list[Interval] = field(default_factory=list)
    _muted: list[Interval] = field(default_factory=list)
    _hidden: list[Interval] = field(default_factory=list)
    _pauses: int = 0
    _stalls: int = 0
    _ratings: int = 0
    _longest_gap_s: float = 0.0
    _causes: frozenset[SupportCause] = frozenset()
    _latest: str | None = None
    _is_excused: bool = False

    def copy(self) -> ListeningFold:
        """A fold that takes in more without touching this one."""
        return replace(
            self,
            tracks={player_id: replace(track) for player_id, track in self.tracks.items()},
            _heard=list(self._heard),
            _muted=list(self._muted),
            _hidden=list(self._hidden),
        )

    @property
    def is_finished(self) -> bool:
        """Stopped or ended."""
        return self.is_stopped or self.is_completed

    def take(self, recorded: RecordedEvent) -> None:
        """Take in the session's next event; what is none of playback changes nothing."""
        match recorded.event:
            case PlaybackLogged(player_id=player_id, entries=entries):
                self.take_entries(player_id, entries, recorded.at.timestamp())
            case SessionRendered() as rendered:
                self.rendered, self.rendered_at_s = rendered, recorded.at.timestamp()
            case SupportOffered(cause=cause):
                self.offer_support(cause)
            case SupportAnswered(goes_on=goes_on):
                self._take_answer(goes_on)
            case (
                PlaybackStarted()
                | PlaybackPaused()
                | PlaybackResumed()
                | PlaybackStopped()
                | PlaybackEnded() as event
            ):
                self._take_event(event, recorded.at.timestamp())

    def offer_support(self, cause: SupportCause) -> None:
        """The support page became due."""
        self._causes |= {cause}

    def take_entries(self, player_id: str, entries: Sequence[PlayerEntry], at_s: float) -> None:
        """Take in lines of a player's log; lines that are known already change nothing.

        Args:
            at_s: when they arrived, in seconds since 1970.
        """
        track = self.tracks.setdefault(player_id, Track())
        if entries:
            # The batch that was under way for the shortest time tells best when the player was made.
            track.made_at_s = min(track.made_at_s, at_s - entries[-1].at_ms / 1000)
        for entry in entries:
            if entry.sequence >= track.next_sequence:
                track.note(entry)
                self._take_entry(player_id, track, entry)

    def _take_entry(self, player_id: str, track: Track, entry: PlayerEntry) -> None:
        kind, at_s = entry.kind, track.made_at_s + entry.at_ms / 1000
        self._advance(track, entry.position_s, at_s)
        if kind in STARTS:
            self._start(player_id, track, entry.position_s, at_s)
        elif kind in HALTS:
            track.since_s = None
        if kind in MOVES:
            self.position_s = max(self.position_s, entry.position_s)
        match kind:
            case PlayerEntryKind.PAUSE:
                self._is_excused = entry.detail == PROBE
                self._pauses += not self._is_excused
            case PlayerEntryKind.STALL:
                self._stalls += 1
            case PlayerEntryKind.STOP if not self.is_finished:
                self.is_stopped, self.stop_reason = True, entry.detail or str(StopReason.CHOSE_TO_STOP)
            case PlayerEntryKind.ENDED:
                self.is_completed = True
            case PlayerEntryKind.RATING:
                self._ratings += 1
        track.set(entry)

    def _take_event(self, event: PlaybackEvent, at_s: float) -> None:
        track = self.tracks.setdefault("", Track())
        self._advance(track, event.position_s, at_s)
        if isinstance(event, (PlaybackStarted, PlaybackResumed)):
            self._start("", track, event.position_s, at_s)
        else:
            track.since_s = None
        self.position_s = max(self.position_s, event.position_s)
        self._pauses += isinstance(event, PlaybackPaused)
        self.is_completed = self.is_completed or isinstance(event, PlaybackEnded)
        if isinstance(event, PlaybackStopped):
            self.is_stopped, self.stop_reason = True, str(event.reason)

    def _take_answer(self, goes_on: bool) -> None:
        # Only a stop that the page was offered for is undone or explained by its answer: distress in a
        # later report changes nothing about sound that had ended by then.
        is_about_sound = not self.is_finished or SupportCause.STOPPED in self._causes
        if is_about_sound and goes_on:
            self.is_stopped, self.stop_reason = False, None
        elif is_about_sound and self.rendered is not None and not self.is_completed:
            is_distress = SupportCause.DISTRESS in self._causes
            why = StopReason.DISTRESS if is_distress else self.stop_reason or StopReason.CHOSE_TO_STOP
            self.is_stopped, self.stop_reason = True, str(why)
        self._causes = frozenset()

    def _start(self, player_id: str, track: Track, position_s: float, at_s: float) -> None:
        before = None if self._latest is None else self.tracks[self._latest]
        if before is not None and not self._is_excused:
            # Within one player its own clock tells exactly; between two, the record's time is all there is.
            own = (track.at_ms - track.sounded_at_ms) / 1000 if player_id else at_s - track.sounded_at_s
            gap_s = own if before is track else at_s - before.sounded_at_s
            self._longest_gap_s = max(self._longest_gap_s, gap_s)
        self._latest, self._is_excused = player_id, False
        track.since_s, track.has_begun = position_s, False
        track.sounded_at_s, track.sounded_at_ms = at_s, track.at_ms

    def _advance(self, track: Track, position_s: float, at_s: float) -> None:
        if track.since_s is None:
            return
        if position_s > track.since_s:
            heard = self._heard if track.is_audible else self._muted
            for stretches in (heard, self._hidden) if track.is_hidden else (heard,):
                if track.has_begun and stretches and stretches[-1][1] == track.since_s:
                    stretches[-1] = (stretches[-1][0], position_s)
                else:
                    stretches.append((track.since_s, position_s))
            track.has_begun = True
        track.since_s = position_s
        track.sounded_at_s, track.sounded_at_ms = at_s, track.at_ms

    def listening(self) -> Listening:
        """What the events so far amount to."""
        latest = None if self._latest is None else self.tracks[self._latest]
        return Listening(
            intervals_s=tuple(self._heard),
            position_s=self.position_s,
            started=latest is not None,
            playing=latest is not None and latest.since_s is not None and not self.is_finished,
            finished=self.is_finished,
            stop_reason=self.stop_reason,
            pauses=self._pauses,
            muted_intervals_s=tuple(self._muted),
            hidden_intervals_s=tuple(self._hidden),
            stalls=self._stalls,
            longest_gap_s=self._longest_gap_s,
            ratings=self._ratings,
            completed=self.is_completed,
        )
