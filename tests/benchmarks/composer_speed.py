"""How fast the composer makes a session, beside FluidSynth on the same notes and bank.

    python tests/benchmarks/composer_speed.py --minutes 15

Figures, one line each:

    compose_s         CPU seconds to write the score (cues, form, harmony, parts)
    first_render_s    CPU seconds to play it with nothing in memory: bank decoded, keys made
    render_s          CPU seconds to play it again, the bank and recent keys in memory
    times_real_time   session length / (compose_s + first_render_s), one process, one core
    wall_s            wall-clock seconds of the first composing and playing
    notes             notes played
    peak_memory_mb    largest resident memory of this process after the first playing
    fluidsynth_s      CPU seconds of FluidSynth (32 kHz, reverb on) for the same notes and bank
    against_peer      fluidsynth_s / first_render_s; above 1 the composer is faster
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
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.compose import compose
from generation.composer.cues import CueCurves
from generation.composer.engine import ComposerEngine
from generation.composer.palettes import INSTRUMENTS, PALETTES
from generation.composer.score import Score
from generation.composer.sound.bank import BANK_FILE
from study.affect import Affect
from study.path import PathKind, PathSpec, make_path
from study.session import SessionPlan

_TICKS_PER_S = 1_000


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15.0, help="length of the session (15)")
    parser.add_argument("--palette", choices=sorted(PALETTES), default="chamber")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    figures = measure(given.minutes * 60.0, given.palette, given.seed)
    if given.json:
        print(json.dumps(figures))
        return 0
    for name, value in figures.items():
        print(f"{name:18}{'not installed' if value is None else format(value, '.2f')}")
    return 0


def measure(duration_s: float, palette: str, seed: int) -> dict[str, float | None]:
    """Every figure of this module's docstring, by name."""
    first, last = Affect(-0.6, 0.5), Affect(0.6, -0.4)
    path = make_path(PathSpec(PathKind.ISO, 30, duration_s / 30), first, last, seed)
    plan = SessionPlan("sub-01", "ses-01", "iso", path, first, last, 30.0, seed, -23.0)
    engine = ComposerEngine(palette)

    wall = time.perf_counter()
    composing = time.process_time()
    score = compose(CueCurves(path), seed, PALETTES[palette])
    compose_s = time.process_time() - composing
    first_s = _render(engine, plan) - compose_s
    wall_s = time.perf_counter() - wall
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    again_s = _render(engine, plan) - compose_s
    peer_s = fluidsynth_seconds(score)
    return {
        "compose_s": compose_s,
        "first_render_s": first_s,
        "render_s": again_s,
        "times_real_time": duration_s / (compose_s + first_s),
        "wall_s": wall_s,
        "notes": float(len(score.notes)),
        "peak_memory_mb": memory_mb,
        "fluidsynth_s": peer_s,
        "against_peer": None if peer_s is None else peer_s / first_s,
    }


def _render(engine: ComposerEngine, plan: SessionPlan) -> float:
    before = time.process_time()
    for _ in engine.generate([plan], lambda _share: None):
        pass
    return time.process_time() - before


def fluidsynth_seconds(score: Score) -> float | None:
    """CPU seconds FluidSynth needs for the score's notes; None where it is not installed."""
    program = shutil.which("fluidsynth")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        midi, sound = Path(folder) / "score.mid", Path(folder) / "score.wav"
        midi.write_bytes(midi_of(score))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [program, "-ni", "-q", "-r", str(SAMPLE_RATE_HZ), "-F", str(sound), str(BANK_FILE), str(midi)],
            check=True,
            capture_output=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if sound.stat().st_size < score.duration_s * SAMPLE_RATE_HZ:
            sys.stderr.write("FluidSynth wrote less than half of the session\n")
            return None
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def midi_of(score: Score) -> bytes:
    """The notes as a type-0 MIDI file, a thousand ticks a second, one channel an instrument."""
    names = sorted({note.instrument for note in score.notes} - {"brushes"})
    free = [channel for channel in range(16) if channel != 9]
    channels = dict(zip(names, free, strict=False)) | {"brushes": 9}
    events: list[tuple[int, bytes]] = [
        (0, bytes([0xC0 | channel, INSTRUMENTS[name].preset[1]])) for name, channel in channels.items()
    ]
    for note in score.notes:
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
