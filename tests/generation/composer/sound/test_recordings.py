"""The recordings as they are played: in tune, and struck when the note is."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from generation.composer.palettes import INSTRUMENTS
from generation.composer.sound.bank import BANK_FILE, Bank, load_bank
from generation.composer.sound.bank_recordings import RECORDINGS_FILE, Recordings, load_recordings
from generation.composer.sound.sampled import SampledTones
from scripts.measure_bank import heard, late, mean_pitch_cents
from study.errors import AudioError, StorageError

RATE_HZ = 32_000
#: Those that lay furthest off, and what the issue named: instrument and key.
WORST = [
    ("violin", 92), ("celesta", 87), ("strings", 39), ("slow strings", 39), ("flute", 64), ("flute", 83),
    ("recorder", 79), ("flute", 77), ("vibraphone", 69), ("dulcimer", 72), ("strings", 53), ("harp", 89),
    ("violin", 76), ("violin", 79), ("violin", 88),
]  # fmt: skip


@lru_cache(maxsize=2)
def tones(as_recorded: bool) -> SampledTones:
    return SampledTones(Bank(BANK_FILE.read_bytes(), "bank") if as_recorded else load_bank())


def cents_off(name: str, key: int, as_recorded: bool = False) -> float:
    tone = heard(tones(as_recorded), INSTRUMENTS[name], key)
    return mean_pitch_cents(tone, 440.0 * 2.0 ** ((key - 69) / 12.0))


@pytest.mark.parametrize("off", [-9.0, 0.0, 2.0, 12.0])
def test_the_mean_pitch_of_a_vibrato_is_the_one_in_its_middle(off: float) -> None:
    time_s = np.arange(round(1.5 * RATE_HZ)) / RATE_HZ
    sway = 15.0 / 1200.0 * np.sin(2.0 * np.pi * 5.5 * time_s)
    turns = np.cumsum(440.0 * 2.0 ** (off / 1200.0 + sway)) / RATE_HZ
    tone = sum(np.sin(2.0 * np.pi * partial * turns) / partial for partial in range(1, 5))

    assert mean_pitch_cents(np.asarray(tone, dtype=np.float32), 440.0) == pytest.approx(off, abs=0.5)


@pytest.mark.parametrize(("name", "key"), WORST)
def test_a_note_of_the_worst_recordings_is_within_five_cents(name: str, key: int) -> None:
    assert abs(cents_off(name, key)) <= 5.0


def test_what_is_put_right_lies_half_as_far_off_as_before() -> None:
    rows = json.loads(RECORDINGS_FILE.read_text(encoding="utf-8"))["tuning"]
    applied = [row for row in rows if row["applied"]]
    keys = [(row["instrument"], sum(row["keys"]) // 2) for row in applied]

    before = np.abs([row["mean_cents"] for row in applied])
    after = np.abs([cents_off(name, key) for name, key in keys])

    # Measured: 5.2 on average and 17.2 at worst before, 1.0 and 3.3 after.
    assert before.max() > 15.0
    assert after.mean() <= 0.5 * before.mean()
    assert after.max() <= 4.0


def test_what_is_not_sure_and_the_piano_are_left_as_they_were_recorded() -> None:
    rows = json.loads(RECORDINGS_FILE.read_text(encoding="utf-8"))["tuning"]
    recordings = load_bank().recordings

    for row in rows:
        unsure = abs(row["mean_cents"] - row["yin_cents"]) > 6.0
        if unsure or row["instrument"] == "piano":
            assert recordings.speed((row["bank"], row["program"]), row["recording"]) == 1.0
    assert cents_off("piano", 97, as_recorded=True) == cents_off("piano", 97) > 10.0


def test_a_music_box_is_heard_plucked_when_its_note_begins() -> None:
    for key in range(60, 97, 3):
        as_recorded, played = (_brightest_s("music box", key, raw) for raw in (True, False))

        # Speeds differ by key: the pin's touch was up to 90 ms long.
        assert as_recorded > 0.02
        assert played < 0.008, key


def test_the_late_recordings_in_the_table_are_those_that_are_late() -> None:
    bank = Bank(BANK_FILE.read_bytes(), "bank")

    assert late(bank) == json.loads(RECORDINGS_FILE.read_text(encoding="utf-8"))["late"]
    assert {row["instrument"] for row in late(bank)} == {"music box"}


def test_a_loop_is_where_it_was_when_a_recording_begins_later() -> None:
    raw, played = Bank(BANK_FILE.read_bytes(), "bank"), load_bank()
    (before,), (after,) = (bank.voices((0, 10), 72) for bank in (raw, played))

    assert before.loop is not None
    assert after.loop is not None
    assert after.begin > 0
    assert [edge + after.begin for edge in after.loop] == list(before.loop)


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (None, StorageError, "what was measured of the bank cannot be read"),
        ("{", AudioError, "what was measured of the bank is damaged"),
        ('{"bank_sha256": "a", "tuning": [{}], "late": []}', AudioError, "damaged"),
        ('{"bank_sha256": "a", "tuning": [], "late": []}', AudioError, "of another bank: SHA-256 a, not b"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    tmp_path: Path, content: str | None, error: type[Exception], said: str
) -> None:
    path = tmp_path / "recordings.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(error, match=said):
        load_recordings("b", path)


def test_what_is_put_right_is_named_by_its_hash() -> None:
    assert tones(False).hashes["bank_recordings"] == load_bank().recordings.sha256 != ""
    assert Recordings().speed((0, 0), 3) == 1.0


def _brightest_s(name: str, key: int, as_recorded: bool) -> float:
    """When what lies above 6 kHz first comes within 3 dB of its loudest."""
    shade: NDArray[np.float32] = tones(as_recorded).tone(INSTRUMENTS[name], key, 0.5, RATE_HZ).shades[-1]
    bright = np.abs(sosfilt(butter(4, 6_000.0, btype="high", fs=RATE_HZ, output="sos"), shade))
    peaks = bright[: len(bright) // 32 * 32].reshape(-1, 32).max(axis=1)
    return float(np.argmax(peaks >= 0.7 * peaks.max())) * 32 / RATE_HZ
