"""How much memory a session of the composer takes from its path to its file, and what its parts cost.

    python -m tests.benchmarks.composer_memory --minutes 15 180

Figures for each length, one line each:

    imports_mb      largest resident memory of a process that only imports what renders
    render_mb       of one that renders the session as a study does: file, manifest, hashes
    compose_mb      of `isopath compose`, which writes a file
    render_cpu_s    CPU seconds of rendering, imports included
    play_cpu_s      of it, writing and playing the notes
    master_cpu_s    of it, loudness, gain and true peak
    write_cpu_s     of it, the FLAC file
    measure_cpu_s   of it, reading the file back: loudness, true peak, hashes

Memory is the kernel's own high-water mark (ru_maxrss) of a process of its own; bars: 400 MB for 15 minutes,
450 MB for three hours; 2.5 CPU seconds of mastering and writing for 15 minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_IMPORTS = "import generation.render, generation.composer.engine"
_RENDER = "from tests.benchmarks.composer_memory import render_here; render_here({minutes}, {folder!r})"


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, nargs="+", default=[15.0], help="lengths (15)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    figures = {f"{minutes:g} min": measure(minutes) for minutes in given.minutes}
    if given.json:
        print(json.dumps(figures))
        return 0
    for length, values in figures.items():
        print(length)
        for name, value in values.items():
            print(f"    {name:15}{value:9.2f}")
    return 0


def measure(minutes: float) -> dict[str, float]:
    """Every figure of this module's docstring, by name."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "compose.flac"
        imports_mb, _, _ = _run([sys.executable, "-c", _IMPORTS])
        program = _RENDER.format(minutes=minutes, folder=folder)
        render_mb, render_cpu_s, told = _run([sys.executable, "-c", program])
        command = [str(Path(sys.executable).with_name("isopath")), "compose", "--from", "-0.6,0.5"]
        compose_mb, _, _ = _run([*command, "--to", "0.6,-0.4", "--minutes", f"{minutes:g}", "-o", str(out)])
    return {
        "imports_mb": imports_mb,
        "render_mb": render_mb,
        "compose_mb": compose_mb,
        "render_cpu_s": render_cpu_s,
        **json.loads(told.splitlines()[-1]),
    }


def _run(command: list[str]) -> tuple[float, float, str]:
    """Memory in MB, CPU seconds and output of a process of one thread for numbers."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env=environment, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        told = output.read().decode()
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return usage.ru_maxrss / 1_024, usage.ru_utime + usage.ru_stime, told


def render_here(minutes: float, folder: str) -> None:
    """Render one session into `folder`, and print as JSON what its parts cost."""
    from generation import render
    from generation.composer.engine import ComposerEngine
    from study.affect import Affect
    from study.path import PathKind, PathSpec, make_path
    from study.session import SessionPlan

    costs_s: dict[str, float] = {}

    def timed(name: str, cost: str) -> None:
        whole = getattr(render, name)

        def run(*given: object) -> object:
            before = time.process_time()
            done = whole(*given)
            costs_s[cost] = time.process_time() - before
            return done

        setattr(render, name, run)

    timed("master", "master_cpu_s")
    timed("write_audio", "write_cpu_s")
    timed("measure_file", "measure_cpu_s")
    first, last = Affect(-0.6, 0.5), Affect(0.6, -0.4)
    path = make_path(PathSpec(PathKind.ISO, 30, minutes * 2.0), first, last, 1)
    plan = SessionPlan("sub-01", "ses-01", "iso", path, first, last, min(30.0, minutes * 2.0), 1, -23.0)
    begun = time.process_time()
    render.render_sessions([plan], ComposerEngine(), Path(folder), lambda _: None)
    play_s = time.process_time() - begun - sum(costs_s.values())
    print(json.dumps({"play_cpu_s": play_s, **costs_s}))


if __name__ == "__main__":
    raise SystemExit(main())
