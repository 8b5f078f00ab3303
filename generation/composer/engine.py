"""The embedded engine: rule-based, on a CPU, without a download."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.compose import Composition, PhraseMusic, compose
from generation.composer.cues import CueCurves, checked_weights
from generation.composer.palettes import DEFAULT_PALETTE, PALETTES
from generation.composer.score import Part, Score
from generation.composer.sound.mix import Stereo, render_blocks
from generation.composer.sound.sampler import Sampler
from generation.composer.sound.sources import BankChoice, check_choice, provenance, sampler_of
from generation.engine import AffectJudge, Progress, SessionAudio
from generation.sound_blocks import collected
from study.errors import IsopathError, OutOfRange, UnknownName, refuse
from study.session import SessionPlan

VERSION = "5"
_MOST_THREADS = 4
_OPTIONS = ("palette", "cue_weights", "bank", "compression")


@dataclass(frozen=True)
class ComposerEngine:
    """Composes a session from its path and plays it on recorded or synthesised instruments.

    Args:
        palette: a name of `PALETTES`.
        cue_weights: cue of `CUE_NAMES` to 0 (held neutral) .. 1 (full, the default):
            a study can move one cue alone.
        bank: who plays; see `BankChoice`.
        compression: of the whole mix, 0 (none, the default) to 1.
        folder: whose disk holds a session while it is made; None: memory does. No option of a
            protocol's: the samples are the same.
    """

    palette: str = DEFAULT_PALETTE
    cue_weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    bank: BankChoice = BankChoice.AUTO
    compression: float = 0.0
    folder: Path | None = None

    name = "composer"
    version = VERSION

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> ComposerEngine:
        """The engine a protocol asks for.

        Raises:
            UnknownName: an option, palette, cue or bank that does not exist.
            OutOfRange: a cue weight or compression that is no number in [0, 1], all cues held, or
                recordings only where the palette has none.
            Refusals: several of these.
        """
        refusals: list[IsopathError] = [
            UnknownName(
                "engine.options",
                f"{option!r} is not an option",
                f"write {', '.join(_OPTIONS[:-1])} or {_OPTIONS[-1]}",
            )
            for option in options
            if option not in _OPTIONS
        ]
        palette, bank = options.get("palette", DEFAULT_PALETTE), options.get("bank", BankChoice.AUTO)
        weights: Mapping[str, float] = {}
        if not isinstance(palette, str) or palette not in PALETTES:
            refusals.append(
                UnknownName(
                    "engine.options.palette",
                    f"{palette!r} is not a palette",
                    "write " + ", ".join(PALETTES),
                )
            )
        try:
            weights = checked_weights(options.get("cue_weights", {}))
        except IsopathError as refusal:
            refusals.append(refusal)
        if not isinstance(bank, str) or bank not in set(BankChoice):
            refusals.append(
                UnknownName(
                    "engine.options.bank", f"{bank!r} is not a bank", "write " + ", ".join(BankChoice)
                )
            )
        elif not refusals:
            try:
                check_choice(BankChoice(bank), PALETTES[palette])
            except IsopathError as refusal:
                refusals.append(refusal)
        compression = options.get("compression", 0.0)
        if not _is_share(compression):
            refusals.append(
                OutOfRange(
                    "engine.options.compression",
                    f"{compression!r} is not in [0, 1]",
                    "write a number from 0 (none) to 1",
                )
            )
        refuse(refusals)
        return cls(palette, MappingProxyType(dict(weights)), BankChoice(bank), float(compression))

    def generate(
        self,
        plans: Sequence[SessionPlan],
        progress: Progress,
        judge: AffectJudge | None = None,
    ) -> Iterator[SessionAudio]:
        """The plans' sound, in order; see `MusicEngine.generate`. There are no candidates to judge.

        Raises:
            OutOfRange: a plan has no planned affect, or lasts no time.
            StorageError, AudioError: the recordings cannot be read.
        """
        sampler = self.sampler()
        total_s = sum(plan.duration_s for plan in plans)
        done_s = 0.0
        for plan in plans:

            def report(share: float, before_s: float = done_s, length_s: float = plan.duration_s) -> None:
                progress((before_s + share * length_s) / total_s)

            instruments: set[str] = set()
            blocks = self._blocks(plan, sampler, SAMPLE_RATE_HZ, None, instruments)
            sound = collected(blocks, round(plan.duration_s * SAMPLE_RATE_HZ), self.folder, report)
            done_s += plan.duration_s
            # After the sound, since the hash of the decoded recordings takes a third of a second once.
            hashes, licences = provenance(sampler, instruments)
            yield SessionAudio(
                plan=plan,
                sound=sound,
                models={"composer": self.version, **hashes, "cpu_features": cpu_features()},
                licences={"composer": "Apache-2.0", **licences},
                rendering={
                    "palette": self.palette,
                    "cue_weights": dict(self.cue_weights),
                    "bank": str(self.bank),
                    "compression": self.compression,
                },
            )

    def working_in(self, folder: Path) -> ComposerEngine:
        """The same engine, whose sound lies on that folder's disk; see `DiskEngine`."""
        return replace(self, folder=folder)

    def stream(
        self,
        plan: SessionPlan,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        parts: Collection[Part] | None = None,
        instruments: set[str] | None = None,
    ) -> Iterator[Stereo]:
        """A session block by block while it is composed, for previews: not mastered.

        Its level is its path's, within 3 LU or so of -23 LUFS. The same samples as `generate` gives at
        32 kHz. In a study the whole file is made and hashed before it is played; see `generation.render`.

        Args:
            parts: those to be heard, a stem; None for all.
            instruments: gets the names of those that play, as they do.

        Yields:
            float32, shape [n, 2]; together round(duration_s × sample_rate_hz) frames.

        Raises:
            OutOfRange: the plan has no planned affect, or lasts no time.
            StorageError, AudioError: the recordings cannot be read.
        """
        heard = set[str]() if instruments is None else instruments
        return self._blocks(plan, self.sampler(), sample_rate_hz, parts, heard)

    def _blocks(
        self,
        plan: SessionPlan,
        sampler: Sampler,
        sample_rate_hz: int,
        parts: Collection[Part] | None,
        instruments: set[str],
    ) -> Iterator[Stereo]:
        """The sound; `instruments` gets the names of those that play."""
        curves = self.curves(plan)
        music = Composition(curves, plan.seed, PALETTES[self.palette])
        heard = _noting(instruments, music.phrases())
        return render_blocks(
            heard,
            curves,
            sampler,
            sample_rate_hz,
            parts,
            compression=self.compression,
            threads=_threads(),
        )

    def sampler(self) -> Sampler:
        """What plays this engine's palette.

        Raises:
            StorageError, AudioError: recordings are needed and cannot be read.
        """
        return sampler_of(self.bank, PALETTES[self.palette])

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


def cpu_features() -> str:
    """Which of numpy's CPU-dependent routines run here; sound is the same, to the bit, where these are."""
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    return " ".join([*simd["baseline"], *simd.get("found", ())])


def _threads() -> int:
    """As many as OMP_NUM_THREADS says, else as there are cores, up to four; the samples are the same."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) else min(os.cpu_count() or 1, _MOST_THREADS)


def _noting(instruments: set[str], phrases: Iterable[PhraseMusic]) -> Iterator[PhraseMusic]:
    for phrase in phrases:
        instruments.update(note.instrument for note in phrase.notes)
        yield phrase


def _is_share(value: Any) -> bool:
    """Whether `value` is a number in [0, 1], and neither a truth value nor NaN."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0.0 <= value <= 1.0
