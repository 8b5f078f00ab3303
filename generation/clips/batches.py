"""Clips of many sessions made together, so that the device is always full.

What a clip becomes does not depend on its batch; only how long it takes does.
Tokens are small and kept until their session's turn; sound is made then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from generation.clips.clip import Clip, ClipModel, ClipRequest, Codes
from generation.clips.schedule import Window, clip_seed
from generation.engine import Progress
from study.manifest import Take
from study.session import SessionPlan

T = TypeVar("T")


@dataclass(frozen=True)
class ClipSession:
    """A session to be made of clips, and what is made of it so far.

    Args:
        prompts: one for each window.
        made: each window's candidates.
        stream: chained: the tokens so far, parts of shape [codebooks, n].
        takes: chained: a row for each candidate of the windows chosen so far.
        batches: sizes of the batches its clips were in.
    """

    plan: SessionPlan
    windows: tuple[Window, ...]
    prompts: tuple[str, ...]
    made: dict[int, list[Clip]] = field(default_factory=lambda: defaultdict(list))
    stream: list[Codes] = field(default_factory=list)
    takes: list[Take] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    @property
    def layout(self) -> tuple[tuple[int, int], ...]:
        """Frames to generate and frames given, for each window: what must agree to share batches."""
        return tuple((window.n_frames, window.prefix_frames) for window in self.windows)

    def requests(self, number: int, candidates: int) -> list[ClipRequest]:
        """One for each candidate of a window; a chained window continues the stream."""
        window = self.windows[number]
        given = window.prefix_frames
        prefix = np.concatenate(self.stream, axis=1)[:, -given:] if given else None
        return [
            ClipRequest(
                window.affect,
                self.prompts[number],
                clip_seed(self.plan.seed, number, candidate),
                window.n_frames,
                prefix,
            )
            for candidate in range(candidates)
        ]

    def forget(self) -> None:
        """Let go of the tokens."""
        self.made.clear()
        self.stream.clear()


Job = tuple[ClipSession, int, ClipRequest]
"""A clip to make, and the session and window it is for."""

Choose = Callable[[ClipSession, int, Sequence[Clip]], int]
"""Says which of a window's candidates the next window continues."""


@dataclass
class BatchRunner:
    """Has batches made, and tells the share of all decode steps done.

    Args:
        most_clips: the largest batch for a number of frames.
        candidates: clips for each window.
    """

    model: ClipModel
    most_clips: Callable[[int], int]
    candidates: int
    progress: Progress
    steps: int = 0
    total: int = 1

    def parallel(self, sessions: Sequence[ClipSession]) -> Iterator[ClipSession]:
        """Sessions in order, each as soon as its clips are made; clips of one length share batches."""
        jobs = [
            (session, number, request)
            for session in sessions
            for number in range(len(session.windows))
            for request in session.requests(number, self.candidates)
        ]
        batches = _in_order(
            jobs, key=lambda job: job[2].n_frames, most=lambda job: self.most_clips(job[2].n_frames)
        )
        self.total = sum(_steps(batch[0]) for batch in batches)
        waiting = list(sessions)
        for batch in batches:
            self._make(batch)
            while waiting and self._is_made(waiting[0]):
                yield waiting.pop(0)

    def chained(self, sessions: Sequence[ClipSession], choose: Choose) -> Iterator[ClipSession]:
        """The same where each clip continues the one before: window k of a group in one batch."""
        groups = _in_order(
            sessions,
            key=lambda session: session.layout,
            most=lambda session: max(self._most_chained(session) // self.candidates, 1),
        )
        self.total = sum(
            (n_frames - given) * len(_cut(range(len(group) * self.candidates), self.most_clips(n_frames)))
            for group in groups
            for n_frames, given in group[0].layout
        )
        waiting = list(sessions)
        for group in groups:
            for number, window in enumerate(group[0].windows):
                jobs = [
                    (session, number, request)
                    for session in group
                    for request in session.requests(number, self.candidates)
                ]
                for batch in _cut(jobs, self.most_clips(window.n_frames)):
                    self._make(batch)
                for session in group:
                    clips = session.made.pop(number)
                    best = clips[choose(session, number, clips)]
                    session.stream.append(best.codes[:, window.prefix_frames :])
            while waiting and len(waiting[0].stream) == len(waiting[0].windows):
                yield waiting.pop(0)

    def _most_chained(self, session: ClipSession) -> int:
        return min(self.most_clips(window.n_frames) for window in session.windows)

    def _is_made(self, session: ClipSession) -> bool:
        return sum(map(len, session.made.values())) == len(session.windows) * self.candidates

    def _make(self, batch: Sequence[Job]) -> None:
        steps = _steps(batch[0])

        def advance(share: float) -> None:
            self.progress(min((self.steps + share * steps) / self.total, 1.0))

        clips = self.model.generate([request for _, _, request in batch], advance)
        self.steps += steps
        advance(0.0)
        for (session, number, _), clip in zip(batch, clips, strict=True):
            session.made[number].append(clip)
        for session in {id(session): session for session, _, _ in batch}.values():
            session.batches.append(len(batch))


def _steps(job: Job) -> int:
    session, number, request = job
    return request.n_frames - session.windows[number].prefix_frames


def _cut(items: Sequence[T], most: int) -> list[Sequence[T]]:
    return [items[first : first + most] for first in range(0, len(items), most)]


def _in_order(items: Iterable[T], key: Callable[[T], object], most: Callable[[T], int]) -> list[Sequence[T]]:
    """Items of equal key together, at most so many at once; groups in the order of their first items."""
    alike: dict[object, list[tuple[int, T]]] = defaultdict(list)
    for place, item in enumerate(items):
        alike[key(item)].append((place, item))
    groups = [group for same in alike.values() for group in _cut(same, most(same[0][1]))]
    return [[item for _, item in group] for group in sorted(groups, key=lambda group: group[0][0])]
