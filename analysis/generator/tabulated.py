"""An evaluation as tables of text: the same rows for the page and for Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from analysis.generator.claims import CLAIMED, Verdict
from analysis.generator.evaluation import Evaluation, SystemScores
from analysis.generator.measures import AXES, MEASURE
from analysis.generator.sentences import mark_of, mark_words, title, value
from analysis.wording import number
from generation.clip_grid import Role

CLAIMED_MARK = "✓"


@dataclass(frozen=True)
class Table:
    """A table of text.

    Args:
        table_id: letters and hyphens.
        caption: what it shows.
        columns: of the header.
        rows: as wide as the header; the first cell names the row.
        notes: sentences below it.
    """

    table_id: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def ceiling_table(evaluation: Evaluation) -> Table | None:
    """What each predictor hears of music with known places; None where there is none."""
    rows = []
    for system in evaluation.systems.values():
        if system.role is not Role.CEILING:
            continue
        for predictor in evaluation.predictors:
            cells = []
            for axis in AXES:
                one = next(
                    found
                    for found in evaluation.ceilings
                    if (found.ceiling, found.predictor, found.axis) == (system.name, predictor, axis)
                )
                cells += [value(one.r), {True: "yes", False: "no", None: "not known"}[one.measurable]]
            rows.append((system.title, _who(evaluation.of(system.name, predictor)), *cells))
    if not rows:
        return None
    columns = ("Music", "Heard by", "Valence: r", "measurable", "Arousal: r", "measurable")
    return Table("ceilings", "Correlation of the known places with what is heard", columns, tuple(rows))


def score_tables(evaluation: Evaluation) -> tuple[Table, ...]:
    """Scores of every system as every predictor hears it: the plane, each axis, and the corner V−A+."""
    marks = tuple(mark_words(evaluation))
    plane = _table(
        evaluation,
        "plane",
        "In the plane",
        ("distance", "quadrant", "axes_r"),
        (_neutral_words(evaluation), "quadrant: " + MEASURE["quadrant"].source + "."),
        with_counts=True,
    )
    axes = tuple(
        _table(
            evaluation,
            axis,
            axis.capitalize(),
            tuple(f"{axis}_{name}" for name in ("r", "ccc", "mae", "slope", "intercept")),
            ("slope: of achieved on target; 1 is full response, 0 the same music whatever was asked.",),
        )
        for axis in AXES
    )
    corner = _table(
        evaluation,
        "corner",
        "The corner V−A+ (valence < 0, arousal > 0)",
        ("corner_distance", "corner_share"),
        ("share: of the clips asked there, those that are heard there.",),
        with_counts=True,
    )
    return tuple(
        Table(one.table_id, one.caption, one.columns, one.rows, (*one.notes, *marks))
        for one in (plane, *axes, corner)
    )


def difference_table(evaluation: Evaluation) -> Table | None:
    """Systems less bases in the measures that claims are made in; None where nothing is compared."""
    verdicts = {(one.system, one.base, one.predictor, one.measure): one.verdict for one in evaluation.claims}
    rows = []
    for one in evaluation.compared:
        cells = []
        for measure in CLAIMED:
            verdict = verdicts[one.system, one.base, one.predictor, measure]
            claimed = f" {CLAIMED_MARK}" if verdict in {Verdict.BETTER, Verdict.WORSE} else ""
            cells.append(f"{value(one.differences[measure], signed=True)}{claimed}")
        parts = tuple(
            part
            for name in (one.system, one.base)
            for part in evaluation.of(name, one.predictor).parts
        )  # fmt: skip
        who = f"{one.predictor} {mark_of(parts)}".strip()
        rows.append((f"{title(evaluation, one.system)} − {title(evaluation, one.base)}", who, *cells))
    if not rows:
        return None
    columns = (
        "System − base",
        "Heard by",
        "Distance",
        "Valence r",
        "Valence MAE",
        "Arousal r",
        "Arousal MAE",
    )
    notes = (
        f"{CLAIMED_MARK} claimed: the interval excludes 0; the predictor took no part, and hears the axis.",
        "Distance and MAE: below 0 is nearer; r: above 0 is closer.",
    )
    return Table("differences", "Differences, over the same targets drawn anew", columns, tuple(rows), notes)


def quality_table(evaluation: Evaluation) -> Table | None:
    """Distances of collections from the ceilings; None where musicnn did not hear, or there is no ceiling."""
    if not evaluation.quality:
        return None
    rows = tuple(
        (
            title(evaluation, one.system),
            title(evaluation, one.ceiling),
            number(one.kernel),
            number(one.frechet),
            f"{one.n_windows} of {one.n_clips}, {one.n_windows_ceiling} of {one.n_clips_ceiling}",
        )
        for one in evaluation.quality
    )
    notes = (
        "Kernel: 100 × unbiased MMD² on musicnn's embeddings of windows, as the Kernel Audio Distance (Chung "
        "et al., 2025, arXiv:2502.15602); around 0 where collections are alike.",
        "Fréchet distance on musicnn embeddings: no FAD, which is on VGGish (Kilgour et al., 2019, "
        "arXiv:1812.08466); biased upward in small samples; refused where there are no more windows than "
        "dimensions.",
        *dict.fromkeys(one.reason for one in evaluation.quality if one.reason),
    )
    columns = ("System", "Ceiling", "Kernel distance", "Fréchet distance", "Windows of clips")
    return Table(
        "quality",
        "How unlike the music of the ceilings the clips are, whatever their affect",
        columns,
        rows,
        notes,
    )


def fault_table(evaluation: Evaluation) -> Table | None:
    """Clips that are in no score; None where all could be heard."""
    if not evaluation.heard.faults:
        return None
    rows = tuple(
        (title(evaluation, one.system), one.stim_file, str(one.kind), one.problem)
        for one in evaluation.heard.faults
    )
    return Table("faults", "Clips that are in no score", ("System", "File", "What", "Why"), rows)


def _table(
    evaluation: Evaluation,
    table_id: str,
    caption: str,
    measures: tuple[str, ...],
    notes: Iterable[str],
    with_counts: bool = False,
) -> Table:
    rows = []
    real = {system.name for system in evaluation.systems.values() if system.role is Role.CEILING}
    for one in sorted(evaluation.scores, key=lambda one: one.system not in real):
        cells = [value(one.scores[measure]) for measure in measures]
        if with_counts:
            first = one.scores[measures[0]]
            cells.append(f"{first.n_clips} of {first.n_targets}")
        rows.append((title(evaluation, one.system), _who(one), *cells))
    titles = tuple(MEASURE[measure].title.removeprefix("V−A+ ") for measure in measures)
    columns = ("System", "Heard by", *titles, *(("Clips of targets",) if with_counts else ()))
    missing = dict.fromkeys(
        _missing(evaluation, one, measure) for one in evaluation.scores for measure in measures
    )
    return Table(table_id, caption, columns, tuple(rows), tuple(note for note in (*notes, *missing) if note))


def _missing(evaluation: Evaluation, one: SystemScores, measure: str) -> str:
    """Why a number or an interval is missing; empty where none is."""
    score = one.scores[measure]
    if score.reason is None:
        return ""
    if score.estimate is not None:
        return f"No interval: {score.reason}."
    return f"{title(evaluation, one.system)}, {one.predictor}: no {MEASURE[measure].title}: {score.reason}."


def _who(one: SystemScores) -> str:
    return f"{one.predictor} {mark_of(one.parts)}".strip()


def _neutral_words(evaluation: Evaluation) -> str:
    grid = evaluation.heard.grid
    real = {system.name for system in grid.systems if system.role is Role.CEILING}
    targets = {clip.target_id: clip.target for clip in grid.clips if clip.system not in real}
    if not targets:
        return ""
    away = float(np.mean([np.hypot(one.valence, one.arousal) for one in targets.values()]))
    return f"A generator heard at the origin whatever was asked would have a mean distance of {number(away)}."
