"""Published data sets that reference software has been run on, as long tables."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_FOLDER = Path(__file__).parent / "published"


@dataclass(frozen=True)
class LongTable:
    """Outcomes that are there, one a row.

    Args:
        group: 1 for girls (dental growth) or the treated (FEV1), else 0.
    """

    outcome: Floats
    person: Indices
    visit: Indices
    group: Floats


def dental_growth() -> LongTable:
    """Potthoff & Roy (1964), 27 children at 4 ages."""
    return _long("dental_growth", "F")


def fev() -> LongTable:
    """537 of 800 values of FEV1 of the R package mmrm."""
    return _long("fev", "TRT")


def sleepstudy() -> LongTable:
    """Belenky et al. (2003), 18 people on 10 days."""
    return _long("sleepstudy", None)


def _long(name: str, grouped: str | None) -> LongTable:
    lines = (_FOLDER / f"{name}.csv").read_text().splitlines()
    rows = list(csv.reader(line for line in lines if not line.startswith("#")))[1:]
    first = 0 if grouped is None else 1
    found = [
        (float(cell), person, visit, float(grouped is not None and row[0] == grouped))
        for person, row in enumerate(rows)
        for visit, cell in enumerate(row[first:])
        if cell
    ]
    outcome, person, visit, group = zip(*found, strict=True)
    return LongTable(
        np.array(outcome), np.array(person, dtype=np.intp), np.array(visit, dtype=np.intp), np.array(group)
    )
