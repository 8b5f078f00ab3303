"""How fast music is heard, beside essentia-tensorflow on the same file in the same run.

    python -m tests.benchmarks.mer [--minutes 15] [--long-hours 3] [--repetitions 3] [--sound FILE]

The sound is a session of the embedded composer (stereo, 32 kHz, 16-bit FLAC), or FILE. Every measurement
is a process of its own, which times itself after its imports; sides alternate, the median counts. Our
processes are kept to two cores and use two threads. Rows:

    what        musicnn, network    mel frames in memory to 50 tags and 200 embeddings a patch
                musicnn             file to series: network loaded, file read, resampled, heard
                cues                the same
                musicnn and cues    both from one decoding
                essentia, network   the same frames through the published graph, 64 patches at once
                essentia            file to embeddings: MonoLoader, TensorflowPredictMusiCNN
                ..., two cores      kept to two cores and two threads; else as it comes
    minutes     of sound
    wall_s      by the clock
    cpu_s       of the process, all its threads
    peak_mb     largest resident memory of the process

Both sides must give the same figures, or the run ends with exit code 1: embeddings within 2e-5 for equal
frames (TensorFlow's own rounding is up to 1.2e-5, where they reach 9), 1e-4 from a file of 16 bits on.
Essentia runs in .venv-essentia (pip install -r tests/oracles/requirements-essentia.txt); --weights names the
folder with msd_musicnn.pb. Without either, our side is measured alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import soundfile

from generation.audio import write_audio
from generation.composer.engine import ComposerEngine
from study.affect import Affect
from study.path import PathKind, PathSpec, make_path
from study.session import SessionPlan
from tests.benchmarks.figures import Bar, Report, Row, tell

REPOSITORY = Path(__file__).parents[2]
PEER_PYTHON = REPOSITORY / ".venv-essentia" / "bin" / "python"
PEER = Path(__file__).with_name("mer_peer.py")
ASKED_S = {"musicnn": 10.0, "cues": 12.0}
ASKED_RATIO = 3.5
ASKED_MB = 600.0
TWO_CORES = "two cores"

Measured = dict[str, float]


def main() -> int:
    """Print the figures and whether each bar was met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15.0, help="length of the session (15)")
    parser.add_argument(
        "--long-hours", type=float, default=3.0, help="of the long sound; 0 leaves it out (3)"
    )
    parser.add_argument("--repetitions", type=int, default=3, help="of each measurement (3)")
    parser.add_argument("--sound", type=Path, help="a sound file instead of the session")
    parser.add_argument(
        "--weights", type=Path, help="folder with msd_musicnn.pb ($ISOPATH_TEST_DATA/musicnn)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sound = given.sound or _session(Path(folder), given.minutes)
        report, agrees = measure(
            sound, Path(folder), given.repetitions, given.long_hours, _graph(given.weights)
        )
    print(json.dumps(report.as_json(), indent=1) if given.json else report.as_text())
    return 0 if agrees else 1


def measure(
    sound: Path, folder: Path, repetitions: int, long_hours: float, graph: Path | None
) -> tuple[Report, bool]:
    """All rows and bars; and whether both sides gave the same figures."""
    found: dict[str, list[Measured]] = defaultdict(list)
    minutes = soundfile.info(sound).duration / 60.0
    frames, ours, theirs = (folder / name for name in ("mel.npy", "ours", "theirs"))
    _hear("frames", sound, frames)
    agrees = True
    for number in range(repetitions):
        tell(f"round {number + 1} of {repetitions}")
        found["musicnn, network"].append(_hear("network", frames, ours))
        for what in ("musicnn", "cues", "musicnn and cues"):
            found[what].append(_hear(what.replace(" and ", ","), sound))
        if graph is not None:
            for cores in (None, TWO_CORES):
                end = f", {cores}" if cores else ""
                found[f"essentia, network{end}"].append(_ask("network", graph, frames, theirs, cores))
                agrees &= _are_alike(ours, theirs, 2e-5)
                found[f"essentia{end}"].append(_ask("file", graph, sound, theirs, cores))
                agrees &= _are_alike(ours, theirs, 1e-4)
    rows = [_row(what, minutes, runs) for what, runs in found.items()]
    if long_hours > 0:
        long = _repeated(sound, folder, long_hours)
        for what in ("musicnn", "musicnn and cues"):
            tell(f"{what}, {long_hours:g} hours")
            rows.append(_row(what, 60.0 * long_hours, [_hear(what.replace(" and ", ","), long)]))
    return Report(_conditions(), rows, _bars(rows, minutes)), agrees


def _bars(rows: list[Row], minutes: float) -> list[Bar]:
    first = {str(row["what"]): row for row in reversed(rows)}
    wall = {what: float(row["wall_s"]) for what, row in first.items()}
    bars = [
        Bar(f"seconds of {what} for {minutes:.0f} minutes", wall[what], asked, at_least=False)
        for what, asked in ASKED_S.items()
    ]
    for end in ("", f", {TWO_CORES}"):
        for part in (", network", ""):
            if f"essentia{part}{end}" in wall:
                ratio = wall[f"essentia{part}{end}"] / wall[f"musicnn{part}"]
                bars.append(Bar(f"essentia{part}{end} / musicnn{part}", ratio, ASKED_RATIO))
    bars += [
        Bar(f"MB of {row['what']} for {row['minutes']:.0f} minutes", float(row["peak_mb"]), ASKED_MB, False)
        for row in rows
        if row["what"] in ("musicnn", "cues", "musicnn and cues")
    ]
    return bars


def _row(what: str, minutes: float, runs: list[Measured]) -> Row:
    medians = {key: statistics.median(run[key] for run in runs) for key in ("wall_s", "cpu_s", "peak_mb")}
    return {"what": what, "minutes": minutes, **medians}


def _hear(what: str, source: Path, target: Path | None = None) -> Measured:
    command = [sys.executable, "-m", "tests.benchmarks.mer_hearing", what, source]
    return _run(command + ([target] if target else []), TWO_CORES)


def _ask(what: str, graph: Path, source: Path, target: Path, cores: str | None) -> Measured:
    return _run([PEER_PYTHON, PEER, what, graph, source, target], cores)


def _run(command: list[Any], cores: str | None) -> Measured:
    environment = dict(os.environ)
    if cores:
        available = sorted(os.sched_getaffinity(0))[:2]
        command = ["taskset", "-c", ",".join(map(str, available)), *command]
        environment |= dict.fromkeys(
            ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "2"
        )
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, cwd=REPOSITORY)
    measured: Measured = json.loads(done.stdout)
    return measured


def _are_alike(ours: Path, theirs: Path, tolerance: float) -> bool:
    one, other = (np.load(path.with_suffix(".npy")) for path in (ours, theirs))
    apart = float(np.abs(one - other).max()) if one.shape == other.shape else float("inf")
    if apart > tolerance:
        tell(f"embeddings differ by {apart:.1e} (at most {tolerance:g} allowed)")
    return apart <= tolerance


def _session(folder: Path, minutes: float) -> Path:
    tell(f"composing {minutes:g} minutes")
    first, last = Affect(-0.6, 0.5), Affect(0.6, -0.4)
    path = make_path(PathSpec(PathKind.ISO, 30, minutes * 2), first, last, 1)
    plan = SessionPlan("sub-01", "ses-01", "iso", path, first, last, 30.0, 1, -23.0)
    (made,) = ComposerEngine("chamber").generate([plan], lambda _share: None)
    target = folder / "session.flac"
    write_audio(target, made.samples / max(float(np.abs(made.samples).max()), 1.0), 32_000)
    return target


def _repeated(sound: Path, folder: Path, hours: float) -> Path:
    """The sound over and over; written piece by piece."""
    target = folder / "long.flac"
    samples, rate = soundfile.read(sound, dtype="int16", always_2d=True)
    with soundfile.SoundFile(target, "w", rate, samples.shape[1], "PCM_16") as file:
        left = round(hours * 3600 * rate)
        while left > 0:
            file.write(samples[:left])
            left -= len(samples)
    return target


def _graph(weights: Path | None) -> Path | None:
    folder = weights or Path(os.environ.get("ISOPATH_TEST_DATA", "data")) / "musicnn"
    graph = folder / "msd_musicnn.pb"
    if graph.exists() and PEER_PYTHON.exists():
        return graph
    tell(f"essentia is not measured: it needs {graph} and {PEER_PYTHON}")
    return None


def _conditions() -> dict[str, float | str]:
    described = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    models = [line.split(":")[1].strip() for line in described.splitlines() if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": float(os.cpu_count() or 1),
        "load before": os.getloadavg()[0],
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
    }


if __name__ == "__main__":
    raise SystemExit(main())
