"""An engine that makes sessions of clips, whichever model makes the clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Self

import numpy as np

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.batches import BatchRunner, ClipSession
from generation.clips.clip import Clip, ClipModel, Codes, Stereo
from generation.clips.joins import faded_at_the_ends, join_clips, stream_seams
from generation.clips.options import ClipOptions
from generation.clips.schedule import check_plan, schedule
from generation.clips.selection import chosen
from generation.conditioning import PromptTable, installed_prompts, load_prompts
from generation.engine import AffectJudge, Placement, Progress, SessionAudio
from study.affect import Affect
from study.errors import AudioError, OutOfRange
from study.manifest import Seam, Take
from study.session import SessionPlan

NEAR_TIES = (
    "draws near a tie, counted for each take, may be decided otherwise on another machine or in another batch"
)


@dataclass(frozen=True)
class ClipEngine:
    """A `PlaceableEngine` whose sessions are joined clips.

    Args:
        name: as the protocol names it.
        version: changes whenever the same plan, weights and seeds would give other samples.
        options: read from the protocol.
        load_model: gives the model; called once, at the first `generate`.
        placement: the device, the largest batch and where weights are.
    """

    name: str
    version: str
    options: ClipOptions
    load_model: Callable[[ClipOptions, Placement], ClipModel]
    placement: Placement = field(default_factory=Placement)

    def placed(self, placement: Placement) -> Self:
        """The same engine elsewhere; see `PlaceableEngine`."""
        return replace(self, placement=placement)

    def generate(
        self, plans: Sequence[SessionPlan], progress: Progress, judge: AffectJudge | None = None
    ) -> Iterator[SessionAudio]:
        """The plans' sound, in order; see `MusicEngine.generate`. Batches span the sessions.

        The sound of one session is held at a time; of the others, tokens.

        Raises:
            OutOfRange: a plan has no planned affect or lasts less than a second, a prefix
                leaves no room, or there are candidates and no judge.
            ModelError, DeviceError: weights, adapter, prompt, device or memory will not do.
            AudioError: the judge cannot hear a clip; names the session.
        """
        for plan in plans:
            check_plan(plan)
        judge = self._judge(judge)
        table = load_prompts(self.options.prompts) if "prompt" in self.options.conditioning else None
        model = self._model
        sessions = [self._session(plan, table, model) for plan in plans]
        runner = BatchRunner(model, self._most_clips, self.options.candidates, progress)
        if self.options.mode == "chained":
            for session in runner.chained(sessions, partial(self._continued, judge)):
                yield self._chained_audio(session, table)
                session.forget()
        else:
            for session in runner.parallel(sessions):
                yield self._parallel_audio(session, table, judge)
                session.forget()

    # A cached property writes past the frozen fields: the model is no part of what the engine is.
    @cached_property
    def _model(self) -> ClipModel:
        return self.load_model(self.options, self.placement)

    def _most_clips(self, n_frames: int) -> int:
        most = self._model.most_clips(n_frames)
        return most if self.placement.batch_clips is None else min(most, self.placement.batch_clips)

    def _judge(self, given: AffectJudge | None) -> AffectJudge | None:
        """The judge, where there is something to choose."""
        if self.options.candidates == 1:
            return None
        if given is None:
            raise OutOfRange(
                "engine.options.candidates",
                f"{self.options.candidates} clips for each place, and no judge was given to choose",
                f"give the judge {self.options.judge!r}, or write candidates 1",
            )
        if given.name != self.options.judge:
            raise OutOfRange(
                "engine.options.judge",
                f"the protocol names {self.options.judge!r} and {given.name!r} was given",
                "give the judge that the protocol names",
            )
        return given

    def _session(self, plan: SessionPlan, table: PromptTable | None, model: ClipModel) -> ClipSession:
        windows = schedule(plan, self.options, model.longest_s, model.frame_rate_hz)
        prompts: dict[Affect, str] = {}
        for window in windows:
            prompts[window.affect] = table.prompt(window.affect) if table is not None else ""
        return ClipSession(plan, windows, tuple(prompts[window.affect] for window in windows))

    def _parallel_audio(
        self, session: ClipSession, table: PromptTable | None, judge: AffectJudge | None
    ) -> SessionAudio:
        takes: list[Take] = []

        def heard() -> Iterator[Stereo]:
            for number, window in enumerate(session.windows):
                clips = session.made[number]
                sounds = self._sounds([clip.codes for clip in clips])
                choice = chosen(window, clips, sounds, judge)
                takes.extend(choice.takes)
                yield sounds[choice.best]

        with _naming(session.plan):
            onsets = [self._sample(window.first_frame) for window in session.windows]
            samples, seams = join_clips(heard(), onsets, _n_samples(session.plan))
        return self._audio(session, table, samples, seams, takes)

    def _continued(
        self, judge: AffectJudge | None, session: ClipSession, number: int, clips: Sequence[Clip]
    ) -> int:
        window = session.windows[number]
        with _naming(session.plan):
            given = self._sample(window.prefix_frames)
            sounds = [] if judge is None else self._sounds([clip.codes for clip in clips])
            choice = chosen(window, clips, [sound[given:] for sound in sounds], judge)
        session.takes.extend(choice.takes)
        return choice.best

    def _chained_audio(self, session: ClipSession, table: PromptTable | None) -> SessionAudio:
        with _naming(session.plan):
            (samples,) = self._sounds([np.concatenate(session.stream, axis=1)])
        samples = samples[: _n_samples(session.plan)].copy()
        seams = stream_seams(samples, [self._sample(window.first_frame) for window in session.windows[1:]])
        return self._audio(session, table, faded_at_the_ends(samples), seams, session.takes)

    def _sounds(self, codes: Sequence[Codes]) -> list[Stereo]:
        sounds = self._model.sound(codes)
        for clip, sound in zip(codes, sounds, strict=True):
            expected = self._sample(clip.shape[1])
            if sound.shape != (expected, 2):
                raise AudioError(
                    "session",
                    f"the model made {sound.shape} samples of {clip.shape[1]} frames, not {(expected, 2)}",
                    "report this to the model's makers",
                )
        return sounds

    def _sample(self, frame: int) -> int:
        return round(frame * SAMPLE_RATE_HZ / self._model.frame_rate_hz)

    def _audio(
        self,
        session: ClipSession,
        table: PromptTable | None,
        samples: Stereo,
        seams: tuple[Seam, ...],
        takes: Sequence[Take],
    ) -> SessionAudio:
        card = self._model.card
        has_near_ties = any(take.near_ties for take in takes)
        rendering: dict[str, Any] = {
            **card.rendering,
            "clips_per_batch": list(session.batches),
            "rows_per_batch": [clips * self.options.rows_per_clip for clips in session.batches],
        }
        if self.options.candidates > 1:
            rendering["judge"] = self.options.judge
        return SessionAudio(
            plan=session.plan,
            sound=samples,
            models={**card.models, **({f"prompts {table.name}": table.sha256} if table else {})},
            licences={**card.licences, **({f"prompts {table.name}": _licence(table)} if table else {})},
            notes=(*card.notes, *([NEAR_TIES] * has_near_ties)),
            takes=tuple(takes),
            seams=seams,
            rendering=rendering,
        )


def _licence(table: PromptTable) -> str:
    return "Apache-2.0" if table.name in installed_prompts() else "not stated"


def _n_samples(plan: SessionPlan) -> int:
    return round(plan.duration_s * SAMPLE_RATE_HZ)


@contextmanager
def _naming(plan: SessionPlan) -> Iterator[None]:
    """Refusals of a sound name its session."""
    try:
        yield
    except AudioError as refusal:
        session = f"{plan.participant_id} {plan.session_id}"
        problem = refusal.problem if refusal.where == "session" else f"{refusal.where} {refusal.problem}"
        raise AudioError(session, problem, refusal.remedy) from refusal
