"""What was measured of the bank's recordings: how far each is out of tune, and where each begins.

The recordings are copied as they are (`scripts/cut_bank.py`); what is wrong with some of them is put right
when they are played. The figures are in `bank/recordings.json`, made by `scripts/measure_bank.py`, which
says the rules: nothing is put right where two ways of measuring do not agree.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from study.errors import AudioError, StorageError

RECORDINGS_FILE = Path(__file__).parent / "bank" / "recordings.json"
_REMEDY = 'install isopath again, or write "bank": "synthetic" in engine.options'


@dataclass(frozen=True)
class Recordings:
    """Corrections of one bank's recordings.

    Args:
        cents: preset and number of a recording to how far its pitch lies above the key's, in cents.
        begins: number of a recording to the frame that it is played from: what comes before is the touch of
            the mechanism, not the tone.
        sha256: of the table they come from; "" where there is none.
    """

    cents: Mapping[tuple[tuple[int, int], int], float] = field(default_factory=lambda: MappingProxyType({}))
    begins: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    sha256: str = ""

    def speed(self, preset: tuple[int, int], recording: int) -> float:
        """Factor on the speed at which a recording is read, so that it sounds in tune."""
        return float(2.0 ** (-self.cents.get((preset, recording), 0.0) / 1_200.0))


def load_recordings(bank_sha256: str, path: Path = RECORDINGS_FILE) -> Recordings:
    """The corrections of the bank with that hash.

    Raises:
        StorageError: the table is missing or cannot be read.
        AudioError: it is damaged, or of another bank.
    """
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise StorageError(
            str(path), f"what was measured of the bank cannot be read ({problem.strerror})", _REMEDY
        ) from problem
    try:
        table: Mapping[str, Any] = json.loads(data)
        measured_of = str(table["bank_sha256"])
        cents = {
            ((int(row["bank"]), int(row["program"])), int(row["recording"])): float(row["cents"])
            for row in table["tuning"]
            if row["applied"]
        }
        begins = {int(row["recording"]): int(row["begins_frame"]) for row in table["late"]}
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise AudioError(
            str(path), f"what was measured of the bank is damaged ({problem})", _REMEDY
        ) from problem
    if measured_of != bank_sha256:
        raise AudioError(
            str(path),
            f"it was measured of another bank: SHA-256 {measured_of}, not {bank_sha256}",
            "run scripts/measure_bank.py, or install isopath again",
        )
    return Recordings(MappingProxyType(cents), MappingProxyType(begins), hashlib.sha256(data).hexdigest())
