"""How fast the composer makes a session, beside FluidSynth on the same notes and bank.

    python -m tests.benchmarks.composer_speed --minutes 15

Each figure is taken in a fresh process, its imports done, with one thread for numerical libraries; the
sound goes to disk block by block. Figures, one line each:

    notes               notes played
    compose_s           CPU seconds to write the whole score (cues, form, harmony, parts, playing)
    render_s            CPU seconds to play it, nothing in memory: bank decoded, keys made, mixed, written
    times_real_time     session length / (compose_s + render_s): one process, one core
    two_cores_wall_s    wall-clock seconds of composing and playing with two threads
    two_cores_times     session length / two_cores_wall_s
    first_audio_s       wall-clock seconds from the call to the first block of sound, nothing in memory
    peak_memory_mb      largest resident memory of the one-core process (VmHWM)
    fluidsynth_s        CPU seconds of FluidSynth (same rate, reverb on) for the same notes and bank
    against_peer        fluidsynth_s / render_s; above 1 the composer is faster

What has no recording (the electronic palette) is silent in FluidSynth; its notes are left out there.
Figures of a busy machine say little: the load is printed with them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.compose import Composition, compose
from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS, PALETTES
from generation.composer.score import Score
from generation.composer.sound.bank import BANK_FILE
from generation.composer.sound.mix import render_blocks
from generation.composer.sound.sources import BankChoice, sampler_of
from study.affect import Affect
from study.path import PathKind, PathSpec, make_path

_TICKS_PER_S = 1_000
_DRUMS = 9


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15.0, help="length of the session (15)")
    parser.add_argument("--palette", choices=sorted(PALETTES), default="chamber")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=SAMPLE_RATE_HZ, help="samples a second (32000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", choices=["one", "two", "first"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(_MEASURES[given.only](given.minutes * 60.0, given.palette, given.seed, given.rate)))
        return 0
    figures = measure(given.minutes * 60.0, given.palette, given.seed, given.rate)
    if given.json:
        print(json.dumps(figures))
        return 0
    for name, value in figures.items():
        print(f"{name:20}{'not installed' if value is None else format(value, '.2f')}")
    return 0


def measure(duration_s: float, palette: str, seed: int, rate: int) -> dict[str, float | None]:
    """Every figure of this module's docstring, by name."""
    one, two, first = (_in_fresh_process(what, duration_s, palette, seed, rate) for what in _MEASURES)
    score = compose(_curves(duration_s, palette, seed), seed, PALETTES[palette])
    peer_s = fluidsynth_seconds(score, rate)
    return {
        **one,
        "times_real_time": duration_s / (one["compose_s"] + one["render_s"]),
        **two,
        "two_cores_times": duration_s / two["two_cores_wall_s"],
        **first,
        "fluidsynth_s": peer_s,
        "against_peer": None if peer_s is None else peer_s / one["render_s"],
        "load": os.getloadavg()[0],
    }


def _in_fresh_process(what: str, duration_s: float, palette: str, seed: int, rate: int) -> dict[str, float]:
    given = ["--minutes", str(duration_s / 60.0), "--palette", palette, "--seed", str(seed)]
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, *given, "--rate", str(rate), "--only", what],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _one_core(duration_s: float, palette: str, seed: int, rate: int) -> dict[str, float]:
    composing = time.process_time()
    curves = _curves(duration_s, palette, seed)
    score = compose(curves, seed, PALETTES[palette])
    rendering = time.process_time()
    _play(score, curves, palette, rate, threads=1)
    done = time.process_time()
    return {
        "notes": float(len(score.notes)),
        "compose_s": rendering - composing,
        "render_s": done - rendering,
        "peak_memory_mb": _peak_memory_mb(),
    }


def _two_cores(duration_s: float, palette: str, seed: int, rate: int) -> dict[str, float]:
    begun = time.perf_counter()
    curves = _curves(duration_s, palette, seed)
    _play(compose(curves, seed, PALETTES[palette]), curves, palette, rate, threads=2)
    return {"two_cores_wall_s": time.perf_counter() - begun}


def _first_audio(duration_s: float, palette: str, seed: int, rate: int) -> dict[str, float]:
    begun = time.perf_counter()
    curves = _curves(duration_s, palette, seed)
    phrases = Composition(curves, seed, PALETTES[palette]).phrases()
    next(render_blocks(phrases, curves, sampler_of(BankChoice.AUTO, PALETTES[palette]), rate))
    return {"first_audio_s": time.perf_counter() - begun}


_MEASURES: Mapping[str, Any] = {"one": _one_core, "two": _two_cores, "first": _first_audio}


def _curves(duration_s: float, palette: str, seed: int) -> CueCurves:
    first, last = Affect(-0.6, 0.5), Affect(0.6, -0.4)
    path = make_path(PathSpec(PathKind.ISO, 30, duration_s / 30), first, last, seed)
    return CueCurves(path, None, PALETTES[palette].cue_bias)


def _play(score: Score, curves: CueCurves, palette: str, rate: int, threads: int) -> None:
    sampler = sampler_of(BankChoice.AUTO, PALETTES[palette])
    with tempfile.TemporaryFile() as sound:
        for block in render_blocks(score, curves, sampler, rate, threads=threads):
            sound.write(block.data)


def _peak_memory_mb() -> float:
    # Of this process since it began its program; ru_maxrss would remember what its parent was.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def fluidsynth_seconds(score: Score, rate: int) -> float | None:
    """CPU seconds FluidSynth needs for the score's notes; None where it is not installed."""
    program = shutil.which("fluidsynth")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        midi, sound = Path(folder) / "score.mid", Path(folder) / "score.wav"
        midi.write_bytes(midi_of(score))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [program, "-ni", "-q", "-r", str(rate), "-F", str(sound), str(BANK_FILE), str(midi)],
            check=True,
            capture_output=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if sound.stat().st_size < score.duration_s * rate:
            sys.stderr.write("FluidSynth wrote less than half of the session\n")
            return None
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def midi_of(score: Score) -> bytes:
    """The notes as a type-0 MIDI file, a thousand ticks a second, one channel an instrument."""
    recorded = [note for note in score.notes if INSTRUMENTS[note.instrument].preset is not None]
    free = iter([channel for channel in range(16) if channel != _DRUMS])
    channels: dict[str, int] = {}
    events: list[tuple[int, bytes]] = []
    for name in sorted({note.instrument for note in recorded}):
        bank, program = INSTRUMENTS[name].preset or (0, 0)
        channels[name] = _DRUMS if bank == 128 else next(free)
        events.append((0, bytes([0xC0 | channels[name], program])))
    for note in recorded:
        channel = channels[note.instrument]
        start = round(note.onset_s * _TICKS_PER_S)
        end = max(start + 1, round((note.onset_s + note.duration_s) * _TICKS_PER_S))
        events.append((start, bytes([0x90 | channel, note.key, max(1, round(note.velocity * 127))])))
        events.append((end, bytes([0x80 | channel, note.key, 0])))
    track = bytearray(b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big"))
    at = 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        track += _variable_length(tick - at) + message
        at = tick
    track += b"\x00\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, _TICKS_PER_S)
    return header + b"MTrk" + struct.pack(">I", len(track)) + bytes(track)


def _variable_length(number: int) -> bytes:
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(0x80 | (number & 0x7F))
    return bytes(reversed(parts))


if __name__ == "__main__":
    raise SystemExit(main())
