"""Measure the bank's recordings: how far each is out of tune, and where each tone begins.

    python scripts/measure_bank.py            (needs librosa, which isopath does not)

Writes ``recordings.json`` beside the bank; `generation.composer.sound.bank_recordings` applies it.

Pitch. Each recording is heard as an instrument plays it, uncorrected, on the middle key of those it plays,
from 0.1 to 1.6 s. Two ways: the mean frequency of its first six partials, each weighted with its energy
(phase advance of the analytic signal; of a vibrato that is the pitch heard: Brown & Vaughn, 1996, JASA 100,
1728-1735), and YIN (de Cheveigné & Kawahara, 2002, JASA 111, 1917-1930; librosa's), the median of its frames.
Where they agree within 6 cents, the pitch is sure, and their mean is it. Where it is sure and lies 3 cents
or more off, it is put right. The piano is left as it is: its treble is tuned wide on purpose (Railsback,
1938, JASA 9, 274); so is everything that is played in two different recordings at once.

Beginning. A struck or plucked recording begins late where its loudest frame (2 ms) above 6 kHz lies more than
20 ms in and at least 12 dB over the 6 ms before it: the pin of a music box touches its tine 40 to 70 ms
before it lets go. It is played from 2 ms before that frame on.
"""

from __future__ import annotations

import argparse
import importlib
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfilt

from generation.composer.palettes import INSTRUMENTS, Instrument
from generation.composer.sound.bank import BANK_FILE, Bank
from generation.composer.sound.bank_recordings import RECORDINGS_FILE
from generation.composer.sound.sampled import SampledTones

RATE_HZ = 32_000
LARGEST_DISAGREEMENT_CENTS = 6.0
SMALLEST_CORRECTION_CENTS = 3.0
STRETCHED = ("piano",)
DRUM_BANK = 128
_PARTIALS = 6
_HEARD_S = (0.1, 1.6)
_FRAME_S = 0.002
_TOUCH_HZ = 6_000.0
_LATE_S, _RISE_DB, _BEFORE_FRAMES = 0.02, 12.0, 3

Samples = NDArray[np.float32]


def mean_pitch_cents(tone: Samples, target_hz: float, rate_hz: int = RATE_HZ) -> float:
    """How far the mean frequency of a tone's partials lies above a target, in cents.

    Args:
        tone: shape [n_samples]; within 60 cents of the target.
    """
    n = len(tone)
    spectrum = np.fft.fft(tone * np.hanning(n))
    hertz = np.fft.fftfreq(n, 1.0 / rate_hz)
    weighted = weights = 0.0
    for partial in range(1, _PARTIALS + 1):
        centre = partial * target_hz
        if centre > 0.45 * rate_hz:
            break
        half = max(centre * (2.0 ** (60.0 / 1200.0) - 1.0), 4.0 * rate_hz / n)
        band = np.clip(1.5 - np.abs(hertz - centre) / half, 0.0, 1.0) * (hertz > 0)
        turning = np.fft.ifft(spectrum * band)
        advance = turning[1:] * np.conj(turning[:-1])
        energy = float(np.sum(np.abs(advance)))
        turn = float(np.sum(np.abs(advance) * np.angle(advance))) / max(energy, 1e-30)
        weighted += energy * 1200.0 * float(np.log2(turn * rate_hz / (2.0 * np.pi * centre)))
        weights += energy
    return weighted / max(weights, 1e-30)


def yin_cents(tone: Samples, target_hz: float, rate_hz: int = RATE_HZ) -> float:
    """How far the median of librosa's YIN lies above a target, in cents."""
    librosa: Any = importlib.import_module("librosa")
    finer = 4 if target_hz > 400.0 else 2
    raised = resample_poly(tone, finer, 1).astype(np.float32)
    frame = max(2 ** int(np.ceil(np.log2(6.0 * rate_hz * finer / target_hz))), 4096)
    found = librosa.yin(
        raised,
        fmin=0.75 * target_hz,
        fmax=1.4 * target_hz,
        sr=rate_hz * finer,
        frame_length=frame,
        hop_length=frame // 4,
        center=False,
    )
    return float(np.median(1200.0 * np.log2(found / target_hz)))


def heard(tones: SampledTones, instrument: Instrument, key: int) -> Samples:
    """What of a key is measured: its brightest shade from 0.1 to 1.6 s."""
    shade: Samples = tones.tone(instrument, key, 2.0, RATE_HZ).shades[-1]
    return shade[round(_HEARD_S[0] * RATE_HZ) : round(_HEARD_S[1] * RATE_HZ)]


def tuning(bank: Bank) -> list[dict[str, Any]]:
    """A row for each instrument's recording."""
    tones, rows = SampledTones(bank), []
    for name, instrument in INSTRUMENTS.items():
        if instrument.preset is None or instrument.preset[0] == DRUM_BANK:
            continue
        zones: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        for key in range(instrument.low, instrument.high + 1):
            voices = bank.voices(instrument.preset, key)
            zones[tuple(sorted({voice.sample for voice in voices}))].append(key)
        for recordings, keys in zones.items():
            key = keys[len(keys) // 2]
            target_hz = 440.0 * 2.0 ** ((key - 69) / 12.0)
            tone = heard(tones, instrument, key)
            mean, yin = mean_pitch_cents(tone, target_hz), yin_cents(tone, target_hz)
            cents = round((mean + yin) / 2.0, 1)
            sure = abs(mean - yin) <= LARGEST_DISAGREEMENT_CENTS
            one = name not in STRETCHED and len(recordings) == 1
            rows += [
                {
                    "instrument": name,
                    "bank": instrument.preset[0],
                    "program": instrument.preset[1],
                    "recording": recording,
                    "keys": [keys[0], keys[-1]],
                    "mean_cents": round(mean, 1),
                    "yin_cents": round(yin, 1),
                    "cents": cents,
                    "applied": sure and one and abs(cents) >= SMALLEST_CORRECTION_CENTS,
                }
                for recording in recordings
            ]
    return rows


def late(bank: Bank) -> list[dict[str, Any]]:
    """A row for each struck or plucked recording whose tone begins late."""
    played: dict[int, tuple[str, float]] = {}
    for name, instrument in INSTRUMENTS.items():
        if instrument.preset is None or instrument.preset[0] == DRUM_BANK or not instrument.rings:
            continue
        for key in range(instrument.low, instrument.high + 1):
            for voice in bank.voices(instrument.preset, key):
                played.setdefault(voice.sample, (name, bank.rate_hz(voice.sample)))
    rows = []
    for recording, (name, rate_hz) in sorted(played.items()):
        frame = round(_FRAME_S * rate_hz)
        stages = butter(4, _TOUCH_HZ, btype="high", fs=rate_hz, output="sos")
        bright = sosfilt(stages, bank.sample(recording))
        n_frames = len(bright) // frame
        power = np.square(bright[: n_frames * frame]).reshape(n_frames, frame).mean(axis=1)
        level_db = 10.0 * np.log10(power + 1e-18)
        # The first that is as loud as any, within 2 dB.
        strike = int(np.argmax(level_db >= level_db.max() - 2.0))
        before_db = float(np.median(level_db[max(strike - 1 - _BEFORE_FRAMES, 0) : max(strike - 1, 1)]))
        if strike * _FRAME_S > _LATE_S and level_db[strike] - before_db >= _RISE_DB:
            # The frame before may hold the strike's first moment.
            begin = max(strike - 2, 0) if level_db[strike - 1] > before_db + 3.0 else strike - 1
            rows.append(
                {
                    "instrument": name,
                    "recording": recording,
                    "begins_frame": begin * frame,
                    "late_s": round(begin * frame / rate_hz, 4),
                    "rise_db": round(float(level_db[strike]) - before_db, 1),
                }
            )
    return rows


def main() -> int:
    """Measure, write, and tell how far off the recordings are before and after."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=RECORDINGS_FILE)
    given = parser.parse_args()
    bank = Bank(BANK_FILE.read_bytes(), str(BANK_FILE))
    beginnings = late(bank)
    begins = {row["recording"]: row["begins_frame"] for row in beginnings}
    bank.recordings = replace(bank.recordings, begins=begins)
    rows = tuning(bank)
    table = {"bank_sha256": bank.sha256, "late": beginnings, "tuning": rows}
    told = json.dumps(table, indent=None, separators=(", ", ": "))
    # A row a line: a change is seen in a comparison.
    told = told.replace("[{", "[\n{").replace("}, {", "},\n{").replace("}], ", "}],\n")
    given.out.write_text(told + "\n", encoding="utf-8")
    print(f"{given.out}: {len(rows)} recordings, {sum(row['applied'] for row in rows)} put right")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
