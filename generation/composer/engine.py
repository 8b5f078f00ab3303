"""The embedded engine: rule-based, on a CPU, without a download."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from generation.composer.compose import compose
from generation.composer.cues import CueCurves, checked_weights
from generation.composer.palettes import DEFAULT_PALETTE, PALETTES
from generation.composer.score import Score
from generation.composer.sound.bank import LICENCE, bank_hashes
from generation.composer.sound.mix import render_score
from generation.composer.sound.sampler import shared_sampler
from generation.engine import AffectJudge, Progress, SessionAudio
from study.errors import OutOfRange, UnknownName
from study.session import SessionPlan

VERSION = "3"


@dataclass(frozen=True)
class ComposerEngine:
    """Composes a session from its path and plays it on sampled instruments.

    Args:
        palette: a name of `PALETTES`.
        cue_weights: cue of `CUE_NAMES` to 0 (held neutral) .. 1 (full, the default):
            a study can move one cue alone.
    """

    palette: str = DEFAULT_PALETTE
    cue_weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    name = "composer"
    version = VERSION

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> ComposerEngine:
        """The engine a protocol asks for.

        Raises:
            UnknownName: an option, palette or cue that does not exist.
            OutOfRange: a cue weight that is no number in [0, 1], or all cues held.
        """
        for option in options:
            if option not in ("palette", "cue_weights"):
                raise UnknownName(
                    "engine.options", f"{option!r} is not an option", "write palette or cue_weights"
                )
        palette = options.get("palette", DEFAULT_PALETTE)
        if not isinstance(palette, str) or palette not in PALETTES:
            raise UnknownName(
                "engine.options.palette", f"{palette!r} is not a palette", "write " + ", ".join(PALETTES)
            )
        return cls(palette, MappingProxyType(checked_weights(options.get("cue_weights", {}))))

    def generate(
        self,
        plans: Sequence[SessionPlan],
        progress: Progress,
        judge: AffectJudge | None = None,
    ) -> Iterator[SessionAudio]:
        """The plans' sound, in order; see `MusicEngine.generate`. There are no candidates to judge.

        Raises:
            OutOfRange: a plan has no planned affect, or lasts no time.
            StorageError, AudioError: the bank cannot be read.
        """
        total_s = sum(plan.duration_s for plan in plans)
        done_s = 0.0
        for plan in plans:

            def report(share: float, before_s: float = done_s, length_s: float = plan.duration_s) -> None:
                progress((before_s + share * length_s) / total_s)

            curves = self.curves(plan)
            score = compose(curves, plan.seed, PALETTES[self.palette])
            samples = render_score(score, curves, shared_sampler(), report)
            done_s += plan.duration_s
            yield SessionAudio(
                plan=plan,
                sound=samples,
                models={"composer": self.version, **bank_hashes()},
                licences={"composer": "Apache-2.0", "bank": LICENCE},
            )

    def compose(self, plan: SessionPlan) -> Score:
        """The plan's notes, without sound.

        Raises:
            OutOfRange: the plan has no planned affect, or lasts no time.
        """
        return compose(self.curves(plan), plan.seed, PALETTES[self.palette])

    def curves(self, plan: SessionPlan) -> CueCurves:
        """The plan's cues, as this engine sees them.

        Raises:
            OutOfRange: the plan has no planned affect, or lasts no time.
        """
        if not plan.duration_s > 0:
            raise OutOfRange(
                "path", f"{plan.duration_s:g} s is no length for music", "plan more than 0 seconds"
            )
        return CueCurves(plan.path, self.cue_weights, PALETTES[self.palette].cue_bias)
