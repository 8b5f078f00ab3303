"""Run every case at full size and write docs/validation.md: `make validate`.

Findings are kept case by case in build/validation, so that an interrupted run goes on where it
was; a case is run anew when its modules, its replicates or the seed have changed.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib
import importlib.util
import json
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from study.folder import write_whole
from tests.simulation.catalogue import catalogue
from tests.simulation.document import provenance, to_json, to_markdown
from tests.simulation.measured import MISSED, Case
from tests.simulation.notes import NOTES

ROOT = Path(__file__).parents[2]
SEED = 20_240_611


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is not kept yet, then write the page."""
    asked = _asked(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    chosen = [case for case in catalogue() if case.case_id.startswith(tuple(asked.only) or ("",))]
    waiting = [case for case in chosen if kept(asked.kept, case, asked.scale) is None]
    # The longest first, so that no process is left with it at the end.
    waiting.sort(key=lambda case: -asked.scale * case.replicates)
    # Of the text that the processes are about to load, not of what somebody writes meanwhile.
    marks = {case.case_id: mark_of(case, asked.scale) for case in waiting}
    began = time.monotonic()
    for number, (case, found) in enumerate(_found(waiting, asked.scale, asked.jobs), start=1):
        content = {**found, "mark": marks[case.case_id]}
        write_whole(_file(asked.kept, case), json.dumps(content, ensure_ascii=False).encode())
        missed = sum(f["verdict"] == MISSED for f in found["findings"])
        sys.stderr.write(
            f"[{number}/{len(waiting)}, {time.monotonic() - began:.0f} s] {case.case_id}: "
            f"{len(found['findings'])} figures in {found['seconds']:.0f} s"
            + (f", {missed} missed\n" if missed else "\n")
        )
    write_page(asked.kept, asked.docs, asked.scale)
    sys.stderr.write(f"{asked.docs / 'validation.md'}\n")


def _found(waiting: Sequence[Case], scale: float, jobs: int) -> Iterator[tuple[Case, dict[str, Any]]]:
    """Findings of each case as it is done."""
    if jobs <= 1:
        yield from ((case, run_case(case.case_id, scale)) for case in waiting)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _settle) as pool:
        running = {pool.submit(run_case, case.case_id, scale): case for case in waiting}
        for future in as_completed(running):
            yield running[future], future.result()


def _settle() -> None:
    # statsmodels' Holm collects garbage at every call; what is loaded by then need not be gone through.
    importlib.import_module("statsmodels.stats.multitest")
    gc.freeze()


def run_case(case_id: str, scale: float) -> dict[str, Any]:
    """One case's findings as JSON values."""
    case = next(case for case in catalogue() if case.case_id == case_id)
    began = time.monotonic()
    findings = case.run(replicates_of(case, scale), _seed_of(case))
    return {
        **_described(case),
        "seconds": round(time.monotonic() - began, 1),
        "findings": [finding.to_plain() for finding in findings],
    }


def _seed_of(case: Case) -> int:
    # Cases that shared their draws would miss or meet their bars together.
    return int.from_bytes(hashlib.sha256(f"{SEED}/{case.case_id}".encode()).digest()[:6], "big")


def kept(folder: Path, case: Case, scale: float) -> dict[str, Any] | None:
    """Findings kept of a case, if they are still those of this software."""
    try:
        found: dict[str, Any] = json.loads(_file(folder, case).read_text())
    except (OSError, ValueError):
        return None
    return {**found, **_described(case)} if found.get("mark") == mark_of(case, scale) else None


def write_page(folder: Path, docs: Path, scale: float) -> None:
    """docs/validation.md and .json from what is kept."""
    cases: list[Mapping[str, Any]] = []
    awaited = []
    for case in catalogue():
        found = kept(folder, case, scale)
        if found is None:
            awaited.append(case.case_id)
        else:
            cases.append({key: value for key, value in found.items() if key not in ("mark", "seconds")})
    made_with = provenance(scale, SEED)
    write_whole(docs / "validation.json", to_json(made_with, cases).encode())
    write_whole(docs / "validation.md", to_markdown(made_with, cases, awaited).encode())


def replicates_of(case: Case, scale: float) -> int:
    """Simulated studies of a case at this scale, at least 100."""
    return max(100, math.ceil(case.replicates * scale))


def mark_of(case: Case, scale: float) -> str:
    """What a case's findings depend on, as a hash."""
    digest = hashlib.sha256(f"{case.case_id}/{replicates_of(case, scale)}/{SEED}".encode())
    for module in ("tests.simulation.catalogue", *case.modules):
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is not None:
            digest.update(Path(spec.origin).read_bytes())
    return digest.hexdigest()


def _described(case: Case) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "method": case.method,
        "scenario": case.scenario,
        "note": NOTES.get(case.case_id, ""),
        "is_warning": case.is_warning,
    }


def _file(folder: Path, case: Case) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{case.case_id}.json"


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make validate", description=__doc__)
    default = float(os.environ.get("VALIDATE_REPLICATES") or 1)
    parser.add_argument("--scale", type=float, default=default, help="share of the full replicates")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", action="append", default=[], help="cases whose id begins so")
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "validation")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
