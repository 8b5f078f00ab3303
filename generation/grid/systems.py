"""The systems of an evaluation that nobody wrote a file for: from a model, trainings, and the composer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generation.clip_grid import Role
from generation.grid.parts import COMPOSER
from generation.grid.request import SystemSpec
from generation.grid.trained_run import DEFAULT_PROMPTS, TrainedRun, ceiling_names, read_run, slug
from study.errors import IsopathError, OutOfRange, refuse

ENGINE = "musicgen"
NUMERIC = "numeric"

ONLY_THE_COMPOSER = (
    "Only the rule-based composer is evaluated: add --model NAME|FOLDER for a model as it is, "
    "--trained RUN for what isopath train made, or --systems FILE for systems of your own."
)


@dataclass(frozen=True)
class Choosing:
    """Best of N: how many candidates, and the predictor that chooses."""

    judge: str
    candidates: int = 4


def standard_systems(
    model: str | None, trained: Sequence[Path], choosing: Choosing | None
) -> tuple[SystemSpec, ...]:
    """Base with words and with a numeric prompt, every training, best of N, and the composer.

    Bases are `model` and those of the trainings. Each is told the words that the first training was told, so
    that the two differ in the training alone; with other trainings' words it stands there once more.
    Best of N chooses among the clips of the last training, or of the base.

    Args:
        model: a name of the catalogue or a folder.
        trained: folders that ``isopath train`` wrote.

    Raises:
        StorageError, Refusals: every folder that holds no training.
        OutOfRange: best of N, and nothing that has candidates; fewer than two candidates.
    """
    runs = _read(trained)
    bases, learned = list(_bases(model, runs)), list(_trained(runs))
    best = [] if choosing is None else [_best_of(learned[-1:] or bases[:1], choosing)]
    composer = SystemSpec("composer", "rule-based composer", COMPOSER)
    return tuple(_named_apart([*bases, *learned, *best, composer]))


def _read(trained: Sequence[Path]) -> list[TrainedRun]:
    runs: list[TrainedRun] = []
    refused: list[IsopathError] = []
    for root in dict.fromkeys(path.resolve() for path in trained):
        try:
            runs.append(read_run(root))
        except IsopathError as refusal:
            refused.append(refusal)
    refuse(refused)
    return runs


def _bases(model: str | None, runs: Sequence[TrainedRun]) -> Iterator[SystemSpec]:
    """Each base as words of each table, the first of them the one to compare with, and with numbers."""
    given = [] if model is None else [{"model": _settled(model)}]
    tables = list(dict.fromkeys(run.prompts for run in runs if run.hears_words)) or [DEFAULT_PROMPTS]
    for number, base in enumerate(_distinct([*given, *(run.base_options() for run in runs)]), start=1):
        ending, which = (f"-{number}", f" {number}") if number > 1 else ("", "")
        for place, table in enumerate(tables):
            told = f" ({_stem(table)})" if len(tables) > 1 else ""
            name = f"base{ending}-words" if not place else f"base{ending}-words-{slug(_stem(table))}"
            role = Role.SYSTEM if place else Role.BASE
            options = {**base, "prompts": table}
            yield SystemSpec(name, f"base{which} with words{told}", ENGINE, options, role)
        if NUMERIC not in tables:
            options = {**base, "prompts": NUMERIC}
            yield SystemSpec(f"base{ending}-numeric", f"base{which} with a numeric prompt", ENGINE, options)


def _trained(runs: Sequence[TrainedRun]) -> Iterator[SystemSpec]:
    for run, music in zip(runs, ceiling_names(runs), strict=True):
        told = [*(["words"] * run.hears_words), *(["continuous V/A"] * run.hears_affect)]
        title = f"{run.title} with {' and '.join(told) or 'no words'}"
        among = f" ({run.name})" if len(runs) > 1 else ""
        ceilings = () if music is None else (music,)
        yield SystemSpec(slug(run.name), title + among, ENGINE, run.options(), ceilings=ceilings)


def _best_of(systems: Sequence[SystemSpec], choosing: Choosing) -> SystemSpec:
    if not systems:
        raise OutOfRange(
            "--judge",
            "there is nothing to choose among: the composer makes one clip",
            "add --model or --trained",
        )
    if choosing.candidates < 2:
        raise OutOfRange("--candidates", f"{choosing.candidates} is no choice", "write 2 or more, e.g. 4")
    of = systems[0]
    return replace(
        of,
        name=f"{of.name}-best-of-{choosing.candidates}",
        title=f"{of.title}, best of {choosing.candidates} by {choosing.judge}",
        options={**of.options, "candidates": choosing.candidates, "judge": choosing.judge},
        role=Role.SYSTEM,
    )


def _named_apart(systems: Sequence[SystemSpec]) -> Iterator[SystemSpec]:
    """The same systems, a second one of a name with a number behind it."""
    used: set[str] = set()
    for system in systems:
        names = (f"{system.name}-{number}" if number > 1 else system.name for number in itertools.count(1))
        name = next(one for one in names if one.lower() not in used)
        used.add(name.lower())
        yield replace(system, name=name)


def _distinct(options: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in options:
        if one not in found:
            found.append(one)
    return found


def _settled(model: str) -> str:
    """A folder by its whole path, so that it is the same one from anywhere."""
    return str(Path(model).resolve()) if Path(model).is_dir() else model


def _stem(table: str) -> str:
    return Path(table).stem if "/" in table else table
