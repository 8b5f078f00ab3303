"""The engine that `isopath compose` plays on, and the options that only the composer has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.cli.engine_choice import check_engine
from generation.composer.palettes import DEFAULT_PALETTE
from study.errors import IsopathError, OutOfRange, Refusals, UnknownName, refuse
from study.protocol import EngineSpec

COMPOSER = "composer"
DEFAULT_RATE_HZ = 32_000
RATES_HZ = (32_000, 44_100, 48_000)

_NO_NOTES = "writes no notes"
_LACKS = {"--play": "cannot be heard while it works", "--stems": "makes its sound in one, without parts"}
_OPTIONS = {
    "engine.options.palette": "--palette",
    "engine.options.cue_weights": "--cue-weights",
    "engine.options.bank": "--bank",
}


@dataclass(frozen=True)
class EngineRequest:
    """What the command line says of the engine; None where it says nothing.

    Args:
        engine: its name.
        palette, cue_weights, bank: the composer's.
        model: a neural engine's.
        rate_hz: sample rate of the file.
    """

    engine: str = COMPOSER
    palette: str | None = None
    cue_weights: str | None = None
    bank: str | None = None
    model: str | None = None
    rate_hz: int = DEFAULT_RATE_HZ

    @property
    def is_composer(self) -> bool:
        """Whether notes are written, and not sound alone."""
        return self.engine == COMPOSER

    def spec(self, wants_notes: Sequence[str] = ()) -> EngineSpec:
        """The engine and its options, checked.

        Args:
            wants_notes: options given that need an engine which writes notes.

        Raises:
            IsopathError: everything that is wrong, all at once.
        """
        problems: list[IsopathError] = []
        if self.rate_hz not in RATES_HZ:
            rates = ", ".join(map(str, RATES_HZ))
            problems.append(
                OutOfRange("--rate", f"{self.rate_hz} is not a rate for this", f"write one of {rates}")
            )
        options: dict[str, Any] = {} if self.model is None else {"model": self.model}
        if not self.is_composer:
            problems += self._needs_notes(wants_notes)
            # Whether a neural engine could be made here is another question, and a slow one.
            refuse(problems)
        else:
            options["palette"] = self.palette or DEFAULT_PALETTE
            if self.bank is not None:
                options["bank"] = self.bank
            if self.cue_weights is not None:
                options["cue_weights"], unread = read_cue_weights(self.cue_weights)
                problems += unread
        spec = EngineSpec(self.engine, options)
        try:
            check_engine(spec, self.model)
        except IsopathError as refusal:
            problems.append(_by_option(refusal))
        refuse(problems)
        return spec

    def _needs_notes(self, wants_notes: Sequence[str]) -> Sequence[IsopathError]:
        problems: list[IsopathError] = [
            UnknownName(option, f"the engine {self.engine} has no {name}", "leave it out")
            for option, name, value in (
                ("--palette", "palettes", self.palette),
                ("--cue-weights", "cues", self.cue_weights),
                ("--bank", "bank", self.bank),
            )
            if value is not None
        ]
        if self.rate_hz != DEFAULT_RATE_HZ and self.rate_hz in RATES_HZ:
            problems.append(
                OutOfRange(
                    "--rate", f"the engine {self.engine} plays at {DEFAULT_RATE_HZ} Hz only", "leave it out"
                )
            )
        problems += [
            UnknownName(option, f"the engine {self.engine} {_LACKS.get(option, _NO_NOTES)}", "leave it out")
            for option in wants_notes
        ]
        return problems


def read_cue_weights(text: str) -> tuple[Mapping[str, float], Sequence[IsopathError]]:
    """Weights as ``tempo=0,mode=1``, and what is no weight or contradicts another.

    Which cues there are, and which weights, the engine says.
    """
    weights: dict[str, float] = {}
    problems: list[IsopathError] = []
    for pair in text.split(","):
        cue, sign, number = (piece.strip() for piece in pair.partition("="))
        try:
            weight = float(number) if sign and cue else None
        except ValueError:
            weight = None
        if weight is None:
            problems.append(
                OutOfRange(
                    "--cue-weights",
                    f"{pair.strip()!r} is no weight of a cue",
                    "write for example tempo=0,mode=1",
                )
            )
        elif cue in weights and weights[cue] != weight:
            told = f"{weights[cue]:g} and {weight:g}"
            problems.append(OutOfRange(f"--cue-weights {cue}", f"has two weights, {told}", "write it once"))
        else:
            weights[cue] = weight
    return weights, problems


def _by_option(refusal: IsopathError) -> IsopathError:
    """The same refusal, about the option that was typed instead of the protocol's field."""
    if isinstance(refusal, Refusals):
        return Refusals([_by_option(one) for one in refusal.refusals])
    for field, option in _OPTIONS.items():
        if refusal.where == field or refusal.where.startswith(f"{field}."):
            where = " ".join([option, *refusal.where.removeprefix(field).strip(".").split()])
            return type(refusal)(where, refusal.problem, refusal.remedy)
    return refusal
