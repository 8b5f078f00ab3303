"""The SoundFont 2/3 file format: chunks and tables, as they lie in the file.

Source: SoundFont Technical Specification 2.04 (E-mu Systems, 2006); version 3
differs in that each sample is an Ogg Vorbis stream whose header gives byte
offsets in the sample chunk and loop points counted from the sample's start.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from study.errors import AudioError

#: Table name to record layout, in file order.
RECORDS: Mapping[str, struct.Struct] = {
    "phdr": struct.Struct("<20sHHHIII"),
    "pbag": struct.Struct("<HH"),
    "pmod": struct.Struct("<HHhHH"),
    "pgen": struct.Struct("<HH"),
    "inst": struct.Struct("<20sH"),
    "ibag": struct.Struct("<HH"),
    "imod": struct.Struct("<HHhHH"),
    "igen": struct.Struct("<HH"),
    "shdr": struct.Struct("<20sIIIIIBbHH"),
}

VORBIS_SAMPLE = 0x10
"""Bit of the sample type that marks an Ogg Vorbis stream."""


class Generator(IntEnum):
    """The generators this project reads (specification 8.1.2)."""

    FILTER_CUTOFF = 8
    FILTER_ENVELOPE = 11
    PAN = 17
    FILTER_SUSTAIN = 29
    ATTACK = 34
    HOLD = 35
    DECAY = 36
    SUSTAIN = 37
    RELEASE = 38
    DECAY_BY_KEY = 40
    INSTRUMENT = 41
    KEY_RANGE = 43
    VELOCITY_RANGE = 44
    ATTENUATION = 48
    COARSE_TUNE = 51
    FINE_TUNE = 52
    SAMPLE = 53
    SAMPLE_MODES = 54
    SCALE_TUNING = 56
    ROOT_KEY = 58


@dataclass(frozen=True)
class SoundFont:
    """The tables of a file, one tuple per record, terminal records included.

    Args:
        info: four-letter chunk name to its bytes, without padding.
        sample_data: the sample chunk.
        tables: table name to records laid out as `RECORDS`.
    """

    info: Mapping[str, bytes]
    sample_data: bytes
    tables: Mapping[str, list[tuple[int | bytes, ...]]] = field(repr=False)


def parse_soundfont(data: bytes, where: str) -> SoundFont:
    """Read a whole file.

    Args:
        where: the file's name, for messages.

    Raises:
        AudioError: not a SoundFont, or cut short.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise AudioError(where, "this is not a SoundFont file", "give a file that ends in .sf2 or .sf3")
    info: dict[str, bytes] = {}
    tables: dict[str, list[tuple[int | bytes, ...]]] = {}
    samples: bytes | None = None
    try:
        for _, start, size in _chunks(data, 12, len(data)):
            for name, at, length in _chunks(data, start + 4, start + size):
                content = data[at : at + length]
                if len(content) != length:
                    raise ValueError(name)
                if name in RECORDS:
                    tables[name] = list(RECORDS[name].iter_unpack(content))
                elif name == "smpl":
                    samples = content
                else:
                    info[name] = content
    except (struct.error, ValueError, UnicodeDecodeError):
        samples = None
    if samples is None or set(tables) != set(RECORDS):
        raise AudioError(where, "the SoundFont is damaged or cut short", "fetch or build the file again")
    return SoundFont(info, samples, tables)


def build_soundfont(font: SoundFont) -> bytes:
    """The file's bytes; `parse_soundfont` reads them back."""
    info = b"".join(_chunk(name, content) for name, content in font.info.items())
    tables = b"".join(
        _chunk(name, b"".join(layout.pack(*record) for record in font.tables[name]))
        for name, layout in RECORDS.items()
    )
    body = (
        _chunk("LIST", b"INFO" + info)
        + _chunk("LIST", b"sdta" + _chunk("smpl", font.sample_data))
        + _chunk("LIST", b"pdta" + tables)
    )
    return _chunk("RIFF", b"sfbk" + body)


def as_signed(amount: int) -> int:
    """A generator's 16 bits read as a signed number."""
    return amount - 0x10000 if amount >= 0x8000 else amount


def as_range(amount: int) -> tuple[int, int]:
    """A generator's 16 bits read as low and high bound, both included."""
    return amount & 0xFF, amount >> 8


def number_of(value: int | bytes) -> int:
    """A record's number; a name in its place is an error of the program."""
    if isinstance(value, bytes):
        raise TypeError("a name stands where a number is due")
    return value


def name_of(field_bytes: int | bytes) -> str:
    """A fixed-width name without its padding."""
    return bytes(field_bytes).split(b"\0")[0].decode("latin-1") if isinstance(field_bytes, bytes) else ""


def _chunks(data: bytes, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    at = start
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4].decode("ascii"), at + 8, size
        at += 8 + size
        # Chunks are padded to even length, but known files leave the pad byte out.
        if size % 2 and data[at : at + 1] == b"\0":
            at += 1


def _chunk(name: str, content: bytes) -> bytes:
    return name.encode("ascii") + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
