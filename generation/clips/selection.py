"""Best of N: of several clips for one place, the one a judge hears nearest to the aim.

Which N and which judge is the protocol's to say. Clips passed over leave their
row in the manifest, with what the judge heard in them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.clip import Clip, Codes, Stereo
from generation.clips.schedule import Window
from generation.engine import AffectJudge
from study.affect import Affect
from study.errors import AudioError
from study.manifest import Take


@dataclass(frozen=True)
class Choice:
    """Which candidate is heard, and a take for each."""

    best: int
    takes: tuple[Take, ...]


def chosen(
    window: Window, clips: Sequence[Clip], sounds: Sequence[Stereo], judge: AffectJudge | None
) -> Choice:
    """The candidate nearest to the window's aim; the first of equals, and the only one without a judge.

    Args:
        clips: one for each candidate, in order.
        sounds: each one's own part; not looked at without a judge.

    Raises:
        AudioError: the judge cannot hear one of them.
    """
    if judge is None:
        return Choice(0, tuple(_take(window, clip, k, k == 0, None) for k, clip in enumerate(clips)))
    heard = [_judged(judge, sound) for sound in sounds]
    best = min(range(len(clips)), key=lambda k: (_distance(heard[k], window.affect), k))
    return Choice(best, tuple(_take(window, clip, k, k == best, heard[k]) for k, clip in enumerate(clips)))


def codes_sha256(codes: Codes) -> str:
    """SHA-256 of a clip's tokens, prefix included: int16, little-endian, shape [codebooks, frames]."""
    return hashlib.sha256(codes.astype("<i2").tobytes()).hexdigest()


def _judged(judge: AffectJudge, sound: Stereo) -> tuple[float, float]:
    seconds = len(sound) / SAMPLE_RATE_HZ
    where, remedy = f"judge {judge.name}", "plan longer sessions or clips, or write candidates 1"
    try:
        valence, arousal = judge.judge(sound, SAMPLE_RATE_HZ)
    except AudioError as refusal:
        raise AudioError(
            where, f"cannot hear a clip of {seconds:g} s ({refusal.problem})", remedy
        ) from refusal
    if not (math.isfinite(valence) and math.isfinite(arousal)):
        raise AudioError(where, f"gave no number for a clip of {seconds:g} s", "choose another judge")
    return round(valence, 6), round(arousal, 6)


def _distance(heard: tuple[float, float], aim: Affect) -> float:
    # A judge may leave the plane, so this is not Affect.distance_to.
    return math.dist(heard, (aim.valence, aim.arousal))


def _take(
    window: Window, clip: Clip, candidate: int, is_heard: bool, heard: tuple[float, float] | None
) -> Take:
    return Take(
        onset_s=window.onset_s,
        duration_s=round(window.duration_s, 6),
        affect=window.affect,
        prompt=clip.request.prompt,
        seed=clip.request.seed,
        candidate=candidate,
        is_heard=is_heard,
        codes_sha256=codes_sha256(clip.codes),
        near_ties=clip.near_ties,
        valence_pred=heard[0] if heard else None,
        arousal_pred=heard[1] if heard else None,
    )
