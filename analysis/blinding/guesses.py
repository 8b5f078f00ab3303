"""What people guessed of their arm, beside the arm they were in, as rows of the results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from analysis.arm_names import arm_name
from analysis.blinding.indices import Index, bang_index, james_index
from analysis.result_row import PURE_NUMBER, NotEstimable, ResultRow, json_ready, not_estimated
from analysis.tables.build import StudyTables
from study.protocol import Design, StudyProtocol

BANG = "Bang's blinding index (Bang, Ni & Davis, 2004), Wald interval"
BANG_MANY = (
    "Bang's blinding index (Bang, Ni & Davis, 2004), a wrong guess weighed so that chance is 0 with more "
    "than two arms, Wald interval"
)
JAMES = "James's blinding index (James et al., 1996), delta method"
SEVERAL = "in a crossover the same people guess several times; the arms have each their own index"


def blinding_of(protocol: StudyProtocol, tables: StudyTables) -> dict[str, Any]:
    """Guesses by arm, and both indices.

    A person counts once in an arm, with the last guess they gave about it. Whoever left the question blank
    is counted and left out.

    Returns:
        ``rows``: Bang's index for each arm and James's for all; ``arms``: by arm its ``guesses`` (people by
        what they guessed), ``unknown`` and ``unanswered``. Both empty where nobody was asked.
    """
    asked = tables.questionnaire_answers
    asked = asked[(asked["measures"] == "arm_guess").fillna(False) & asked["arm"].notna()]
    if asked.empty:
        return {"rows": [], "arms": []}
    arms = [arm.arm_id for arm in protocol.arms]
    counts = {arm: _counted(arms, asked[(asked["arm"] == arm).fillna(False)]) for arm in arms}
    rows = [_bang_row(arm, arms, counts[arm]) for arm in arms]
    return {
        "rows": [row.to_plain() for row in (*rows, _james_row(protocol, arms, counts))],
        "arms": [
            {
                "arm": arm,
                "label": arm_name(arm),
                "guesses": [{"arm": guess, "people": counts[arm][guess]} for guess in arms],
                "unknown": counts[arm][_UNKNOWN],
                "unanswered": counts[arm][_BLANK],
            }
            for arm in arms
        ],
    }


_UNKNOWN, _BLANK = "", " "
"""Beside arms' ids, which are neither."""


def _counted(arms: list[str], answers: pd.DataFrame) -> Counter[str]:
    """People of one arm by their guess."""
    counts: Counter[str] = Counter()
    for _, of_one in answers.sort_values("sequence").groupby("participant_id", sort=False):
        given = of_one["answer_option"].dropna()
        guess = _BLANK if given.empty else str(given.iloc[-1])
        counts[guess if guess in (*arms, _BLANK) else _UNKNOWN] += 1
    return counts


def _bang_row(arm: str, arms: list[str], counts: Counter[str]) -> ResultRow:
    right, wrong = counts[arm], sum(counts[other] for other in arms if other != arm)
    unknown, method = counts[_UNKNOWN], BANG if len(arms) == 2 else BANG_MANY
    return _row(
        f"bang_{arm}",
        f"{arm_name(arm)}: Bang's index",
        right + wrong + unknown,
        method,
        lambda: bang_index(right, wrong, unknown, len(arms)),
        {"arm": arm, "right": right, "wrong": wrong, "unknown": unknown},
    )


def _james_row(protocol: StudyProtocol, arms: list[str], counts: dict[str, Counter[str]]) -> ResultRow:
    guesses = np.array([[counts[arm][guess] for arm in arms] for guess in arms], dtype=np.int64)
    unknown = np.array([counts[arm][_UNKNOWN] for arm in arms], dtype=np.int64)
    n, label = int(guesses.sum() + unknown.sum()), "all arms: James's index"
    if protocol.design is Design.CROSSOVER:
        return not_estimated("james", label, n, JAMES, SEVERAL, unit=PURE_NUMBER)
    return _row("james", label, n, JAMES, lambda: james_index(guesses, unknown), {})


def _row(
    row_id: str, label: str, n: int, method: str, index: Callable[[], Index], extra: dict[str, Any]
) -> ResultRow:
    try:
        found = index()
    except NotEstimable as reason:
        return not_estimated(row_id, label, n, method, str(reason), extra, unit=PURE_NUMBER)
    limits = (found.ci_low, found.ci_high)
    more = json_ready({**extra, "se": found.se})
    return ResultRow(row_id, label, found.estimate, *limits, None, n, method, None, more, PURE_NUMBER)
