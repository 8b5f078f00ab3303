"""Cohorts on a real cluster of two Ray nodes; a program of its own, because Ray leaves threads behind.

    python cluster_run.py FOLDER    (tests/generation/counted_engine.py installed on the path)

Prints, as one JSON object, what happened to each cohort.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from study.errors import IsopathError
from study.path import PathKind
from study.session import SessionPlan
from tests.generation.counted_engine import TOGETHER, lines_of, plan_of

N_SESSIONS = 8


def killed_plans(folder: Path) -> list[SessionPlan]:
    log = folder / "killed.log"
    return [plan_of(n, log, TOGETHER, pause_s=0.3) for n in range(1, N_SESSIONS + 1)]


def refused_plans(folder: Path) -> list[SessionPlan]:
    plans = [plan_of(n, folder / "refused.log") for n in (1, 2)]
    missing = replace(plans[1], files=("gone.wav",), path=replace(plans[1].path, kind=PathKind.FILES))
    return [plans[0], missing]


def deadly_plans(folder: Path) -> list[SessionPlan]:
    return [plan_of(n, folder / "deadly.log", TOGETHER, deadly=["sub-02"]) for n in (1, 2, 3)]


def kill_a_worker(log: Path, out_dir: Path, told: dict[str, Any]) -> None:
    """Kill the first worker that has one session on disk and has begun another."""
    while True:
        lines = lines_of(log)
        written = {line.pid for line in lines if line.what == "written"}
        for line in reversed(lines):
            if line.what == "begun" and line.pid in written:
                told["finished_before"] = {
                    str(path): path.stat().st_mtime_ns for path in out_dir.glob("*/ses-01/*")
                }
                told["killed"] = line.pid
                os.kill(line.pid, signal.SIGKILL)
                return
        time.sleep(0.02)


def attempt(plans: list[SessionPlan], out_dir: Path, address: str) -> dict[str, Any]:
    from generation.cluster.rendering import render_on_cluster

    shares: list[float] = []
    try:
        manifests = render_on_cluster(plans, out_dir, address, shares.append)
    except IsopathError as refusal:
        return {"refusal": f"{type(refusal).__name__}: {refusal}"}
    return {"manifests": [manifest.to_json() for manifest in manifests], "shares": shares}


def main(folder: Path) -> None:
    from ray.cluster_utils import Cluster

    # Ray types some of it and not the rest.
    cluster: Any = Cluster()
    for _ in range(2):
        cluster.add_node(
            num_cpus=1,
            node_ip_address="127.0.0.1",
            object_store_memory=100 * 2**20,
            include_dashboard=False,
        )
    told: dict[str, Any] = {"killed": {}}
    killer = threading.Thread(
        target=kill_a_worker, args=(folder / "killed.log", folder / "killed", told["killed"]), daemon=True
    )
    killer.start()
    told["killed"] |= attempt(killed_plans(folder), folder / "killed", cluster.address)
    told["refused"] = attempt(refused_plans(folder), folder / "refused", cluster.address)
    told["deadly"] = attempt(deadly_plans(folder), folder / "deadly", cluster.address)
    cluster.shutdown()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
