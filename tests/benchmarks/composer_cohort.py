"""How a cohort of composed sessions scales over processes.

    python -m tests.benchmarks.composer_cohort --sessions 12 --minutes 5

Renders the same cohort with one process and with several, from plans to hashed files, and holds the files of
both against each other. Figures, one line each:

    one_wall_s     wall-clock seconds with one process
    jobs_wall_s    with `--jobs` processes
    speed_up       one_wall_s / jobs_wall_s; bar: 1.8 on two cores, a hundred sessions of 15 minutes
    start_s        seconds from the call until the first session is on disk, with `--jobs` processes: what a
                   longer cohort pays only once
    one_cpu_s, jobs_cpu_s
                   CPU seconds of all processes: what sharing caches and memory costs
    at_best        what speed_up would be with the cores to themselves: jobs × one_cpu_s / jobs_cpu_s
    same           1 where every manifest is the same, whoever made it

Other work on the machine makes the figures worse: `load` is the number of processes that wanted a core when
each began.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from generation.cohort import render_cohort
from study.affect import Affect
from study.path import PathKind, PathSpec, make_path
from study.protocol import EngineSpec
from study.session import SessionPlan


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=12, help="how many (12)")
    parser.add_argument("--minutes", type=float, default=5.0, help="length of each (5)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        # One process takes one core, so that both runs differ in the number of processes only.
        os.environ[name] = "1"
    figures = measure(cohort(given.sessions, given.minutes), given.jobs)
    if given.json:
        print(json.dumps(figures))
        return 0
    for name, value in figures.items():
        print(f"{name:14}{value:9.2f}")
    return 0


def cohort(n_sessions: int, minutes: float) -> list[SessionPlan]:
    """One session each of many people, who start in different moods."""
    plans = []
    for number in range(n_sessions):
        start = Affect(-0.8 + 1.2 * (number % 4) / 3, 0.8 - 0.3 * (number // 4 % 3))
        target = Affect(0.6, -0.4)
        path = make_path(PathSpec(PathKind.ISO, 30, minutes * 2.0), start, target, number)
        plans.append(
            SessionPlan(
                participant_id=f"sub-{number + 1:03d}",
                session_id="ses-01",
                arm_id="iso",
                path=path,
                start=start,
                target=target,
                clip_s=minutes * 2.0,
                seed=number,
                loudness_lufs=-23.0,
                engine=EngineSpec("composer", {"palette": "chamber"}),
            )
        )
    return plans


def measure(plans: Sequence[SessionPlan], jobs: int) -> dict[str, float]:
    """Every figure of this module's docstring, by name."""
    figures: dict[str, float] = {}
    made = []
    for name, n_jobs in (("one", 1), ("jobs", jobs)):
        first_s: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            figures[f"{name}_load"] = os.getloadavg()[0]
            cpu_s, wall_s = _cpu_s(), time.perf_counter()

            def note(share: float, since_s: float = wall_s, at: list[float] = first_s) -> None:
                if share >= 1.0 / len(plans) and not at:
                    at.append(time.perf_counter() - since_s)

            made.append(render_cohort(plans, Path(folder), n_jobs, note))
            figures[f"{name}_wall_s"] = time.perf_counter() - wall_s
            figures[f"{name}_cpu_s"] = _cpu_s() - cpu_s
        figures["start_s"] = first_s[0]
    figures["speed_up"] = figures["one_wall_s"] / figures["jobs_wall_s"]
    figures["at_best"] = jobs * figures["one_cpu_s"] / figures["jobs_cpu_s"]
    figures["same"] = float(made[0] == made[1])
    return figures


def _cpu_s() -> float:
    """Of this process and of those it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    raise SystemExit(main())
