"""How long a large study takes to analyse, and in how much memory.

    python -m tests.benchmarks.analysis [--people 1000] [--clips 30] [--peer-draws 200]

A simulated study in memory: two arms, a probe after every clip but the last, clips from one bank of 60,
so that every interval of agreement needs both participants and clips to be drawn, 2,000 times. Rows, one a
part, parts of parts indented:

    wall_s      by the clock
    cpu_s       of this process, all its threads
    share       of the whole, from the record's events to the text of results.json
    peak_mb     largest resident memory of this process so far

The peer is the same bootstrap of one comparison and one axis as a plain loop over draws, on the same
draws; both must give the same numbers. Its time is scaled from `--peer-draws` draws to 2,000.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np
from numpy.typing import NDArray

import analysis.results
from analysis.agreement.pair_sets import PairSet, pair_sets
from analysis.agreement.pair_statistics import bootstrap_pairs, pair_statistics
from analysis.agreement.resampling import REPLICATES, draw_weights
from analysis.results import results_to_json
from analysis.tables.build import build_tables
from tests.benchmarks.analysis_study import large_study
from tests.benchmarks.figures import Bar, Report, tell

Floats = NDArray[np.float64]

ASKED_S = 60.0
ASKED_MB = 2048.0
_LEAST_S = 0.05
"""Parts faster than this are told together."""


class Clock:
    """Wall and CPU seconds by part; a part within a part belongs to both."""

    def __init__(self) -> None:
        self.parts: dict[str, list[float]] = {}
        self._depth = 0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what runs inside as `name`."""
        where = "  " * self._depth + name
        self.parts.setdefault(where, [0.0, 0.0, 0.0])
        wall, cpu = time.perf_counter(), time.process_time()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            found = self.parts[where]
            found[0] += time.perf_counter() - wall
            found[1] += time.process_time() - cpu
            found[2] = peak_mb()

    def rows(self) -> Iterator[dict[str, float | str]]:
        """One a part that took any time."""
        whole = sum(wall for name, (wall, _, _) in self.parts.items() if not name.startswith(" "))
        for name, (wall, cpu, peak) in self.parts.items():
            if wall >= _LEAST_S:
                share = f"{100 * wall / whole:.0f} %"
                yield {"part": name.ljust(32), "wall_s": wall, "cpu_s": cpu, "share": share, "peak_mb": peak}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=1000, help="participants (1000)")
    parser.add_argument("--clips", type=int, default=30, help="clips each of them hears (30)")
    parser.add_argument("--peer-draws", type=int, default=200, help="draws of the plain loop (200)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    report = measure(given.people, given.clips, given.peer_draws)
    print(json.dumps(report.as_json()) if given.json else report.as_text())
    return 0 if all(bar.is_met for bar in report.bars) else 1


def measure(people: int, clips: int, peer_draws: int) -> Report:
    """Analyse one study and time every part; then the peer."""
    tell(f"making a study of {people} people who hear {clips} clips each")
    study = large_study(people, clips)
    made_mb, clock = peak_mb(), Clock()
    tell("analysing it")
    begun = time.perf_counter()
    with clock.part("tables"):
        tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    with clock.part("analyse"), _timed(clock):
        results = analysis.results.analyse(study.protocol, tables, study.manifests, study.predictions)
    with clock.part("results.json"):
        text = results_to_json(results)
    wall_s, most_mb = time.perf_counter() - begun, peak_mb()
    tell(f"one axis of one comparison by a plain loop, {peer_draws} draws")
    probes = next(one for one in pair_sets(tables) if one.is_of_probes)
    vectorised_s, loop_s = _against_peer(study.protocol.sha256, probes, peer_draws)
    return Report(
        {
            "cores": float(os.cpu_count() or 1),
            "people": str(people),
            "clips": str(people * clips),
            "events": str(len(study.events)),
            "pairs": str(len(tables.pairs)),
            "unit": probes.design.unit,
            "draws": str(REPLICATES),
            "results_json_mb": len(text) / 1e6,
            "study_in_memory_mb": made_mb,
            "bootstrap_s": vectorised_s,
            "plain_loop_s": loop_s,
            "plain_loop_over_bootstrap": loop_s / vectorised_s,
        },
        list(clock.rows()),
        [
            Bar("whole analysis, seconds", wall_s, ASKED_S, False),
            Bar("largest resident memory, MB", most_mb, ASKED_MB, False),
        ],
    )


def peak_mb() -> float:
    """Largest resident memory of this process so far (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _timed(clock: Clock) -> Iterator[None]:
    """Time every function that `analyse` calls by name."""
    module = vars(analysis.results)
    kept = {
        name: value
        for name, value in module.items()
        if callable(value)
        and not isinstance(value, type)
        and getattr(value, "__module__", "").startswith("analysis.")
        and value.__module__ != analysis.results.__name__
    }
    for name, value in kept.items():
        module[name] = _watched(clock, name, value)
    try:
        yield
    finally:
        module.update(kept)


def _watched(clock: Clock, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*arguments: Any, **named: Any) -> Any:
        with clock.part(name):
            return function(*arguments, **named)

    return run


def _against_peer(sha256: str, one: PairSet, draws: int) -> tuple[float, float]:
    """Seconds for all draws, vectorised and by a loop.

    Raises:
        AssertionError: the two do not give the same numbers.
    """
    pairs, seed_text = one.pairs("valence"), f"{sha256}/{one.set_id}:valence"
    begun = time.perf_counter()
    bootstrap_pairs(pairs, seed_text)
    vectorised_s = time.perf_counter() - begun
    left, loop_s = draws, 0.0
    for people, clips in draw_weights(pairs.design, seed_text):
        rows = range(min(left, people.shape[1]))
        begun = time.perf_counter()
        plain = [_plainly(one, people[:, row], None if clips is None else clips[:, row]) for row in rows]
        loop_s += time.perf_counter() - begun
        together = pair_statistics(pairs, people, clips)
        for row, values in enumerate(plain):
            for name, value in values.items():
                assert np.isclose(together[name][row], value, atol=1e-9), (name, value)
        left -= len(rows)
        if not left:
            break
    return vectorised_s, loop_s * REPLICATES / draws


def _plainly(one: PairSet, people: Floats, clips: Floats | None) -> dict[str, float]:
    """The statistics of one draw, each by its definition."""
    x, y = one.frame["valence_x"].to_numpy(float), one.frame["valence_y"].to_numpy(float)
    design = one.design
    weight = people[design.person]
    if clips is not None and design.clip is not None:
        weight = weight * clips[design.clip]
    n = weight.sum()
    mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
    sxx, syy = np.average((x - mean_x) ** 2, weights=weight), np.average((y - mean_y) ** 2, weights=weight)
    sxy = np.average((x - mean_x) * (y - mean_y), weights=weight)
    between = 2 * n / (n - 1) * (sxx + syy + 2 * sxy) / 4
    error = n / (n - 1) * (sxx + syy - 2 * sxy) / 2
    raters = n * (mean_x - mean_y) ** 2 / 2
    agreed = possible = 0.0
    for time_s in np.unique(one.frame["time_s"]):
        now = one.frame["time_s"].to_numpy() == time_s
        w, u, v = weight[now], x[now], y[now]
        if w.sum() > 0:
            mean_u, mean_v = np.average(u, weights=w), np.average(v, weights=w)
            agreed += 2 * (w * (u - mean_u) * (v - mean_v)).sum()
            possible += (w * ((u - mean_u) ** 2 + (v - mean_v) ** 2)).sum() + w.sum() * (mean_u - mean_v) ** 2
    return {
        "ccc": float(2 * sxy / (sxx + syy + (mean_x - mean_y) ** 2)),
        "ccc_repeated": float(agreed / possible),
        "icc_a1": float((between - error) / (between + error + 2 / n * (raters - error))),
        "icc_ak": float((between - error) / (between + (raters - error) / n)),
        "bias": float(mean_x - mean_y),
        "mae": float(np.average(np.abs(x - y), weights=weight)),
        "slope": float(sxy / syy),
        "intercept": float(mean_x - sxy / syy * mean_y),
        **_within_plainly(one, weight, x, y),
    }


def _within_plainly(one: PairSet, weight: Floats, x: Floats, y: Floats) -> dict[str, float]:
    """Correlations within sessions, one session after another."""
    time_s, sums, detrended = one.frame["time_s"].to_numpy(float), np.zeros(3), np.zeros(3)
    order = np.argsort(one.sessions, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(one.sessions[order])) + 1):
        w = weight[mine]
        if not w.any():
            continue
        about = [v[mine] - np.average(v[mine], weights=w) for v in (x, y, time_s)]
        sxx, syy, stt = ((w * v * v).sum() for v in about)
        sxy, sxt, syt = ((w * about[i] * about[j]).sum() for i, j in ((0, 1), (0, 2), (1, 2)))
        sums += (sxx, syy, sxy)
        if stt > 1e-6:
            detrended += (sxx - sxt**2 / stt, syy - syt**2 / stt, sxy - sxt * syt / stt)
    return {
        name: float(total[2] / np.sqrt(total[0] * total[1]))
        for name, total in (("within_r", sums), ("within_r_detrended", detrended))
    }


if __name__ == "__main__":
    sys.exit(main())
