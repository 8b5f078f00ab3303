"""What a container tells of itself before it is decoded: its kind, whole Ogg pages, an MP3's bit rate."""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_FOREIGN = (
    (4, b"ftyp", "an MP4 container (M4A, MP4, MOV)"),
    (0, b"\x1aE\xdf\xa3", "a Matroska container (MKV, WebM)"),
    (8, b"AVI ", "an AVI container"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "a Windows Media container (WMA, WMV)"),
    (0, b"\xff\xf1", "an AAC stream"),
    (0, b"\xff\xf9", "an AAC stream"),
    (0, b"MThd", "a MIDI file, notes without sound"),
)


def foreign_kind(path: Path) -> str | None:
    """What kind of file it is, if one of those that people take for sound and nothing here decodes."""
    with path.open("rb") as file:
        head = file.read(16)
    for at, mark, kind in _FOREIGN:
        if head[at:].startswith(mark):
            return kind
    return None


@dataclass(frozen=True)
class _Page:
    """A page of an Ogg file (RFC 3533, section 6).

    Args:
        granule: position of its last sample, as its codec counts; -1 where no sample ends in it.
        is_last: marked as the end of its stream.
        serial: which stream it belongs to.
        number: its place in that stream.
    """

    granule: int
    is_last: bool
    serial: bytes
    number: int


def ogg_damage(path: Path) -> int | None:
    """The granule position of the last page before an Ogg file is damaged or cut off; None for a whole one.

    A page with a wrong checksum, a page that is missing and a stream without
    an end are damage; what stands behind the end of the last stream is not.
    """
    granule = 0
    following: dict[bytes, int] = {}
    open_streams = set()
    with path.open("rb") as file:
        for page in _pages(file):
            if page.number != following.get(page.serial, page.number):
                return granule
            following[page.serial] = page.number + 1
            open_streams.add(page.serial)
            if page.is_last:
                open_streams.discard(page.serial)
            granule = max(page.granule, granule)
    return granule if open_streams or not following else None


def _pages(file: BinaryIO) -> Iterator[_Page]:
    """Whole pages with a right checksum, up to the first that is not."""
    while True:
        head = file.read(27)
        if len(head) < 27 or not head.startswith(b"OggS"):
            return
        lengths = file.read(head[26])
        body = file.read(sum(lengths))
        unsummed = head[:22] + bytes(4) + head[26:] + lengths + body
        is_whole = len(lengths) == head[26] and len(body) == sum(lengths)
        if not is_whole or _ogg_checksum(unsummed) != int.from_bytes(head[22:26], "little"):
            return
        yield _Page(
            int.from_bytes(head[6:14], "little", signed=True),
            bool(head[5] & 4),
            head[14:18],
            int.from_bytes(head[18:22], "little"),
        )


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg_checksum(data: bytes) -> int:
    """CRC-32 of polynomial 0x04c11db7, highest bit first, begun and ended with 0 (RFC 3533, section 6).

    zlib's takes the lowest bit first, and begins and ends with all ones: bits are turned on both sides.
    """
    turned = zlib.crc32(data.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{turned:032b}"[::-1], 2)


#: kbit/s by the header's code, layer III: of MPEG 1, and of MPEG 2 and 2.5 (ISO/IEC 11172-3, 13818-3).
_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_LENGTH_TABLES = (b"Xing", b"Info", b"VBRI")


def mp3_length_is_a_guess(path: Path) -> bool:
    """Whether an MP3 changes its bit rate and has no table of its length.

    Its length is then guessed from the first frame, and a decoder that
    believes the guess stops in the middle.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = _behind_tags(content)
        first = None
        while (frame := _mp3_frame(content[at : at + 4])) is not None:
            kbit, n_bytes = frame
            if first is None:
                first = kbit
                if any(table in content[at : at + n_bytes] for table in _LENGTH_TABLES):
                    return False
            if kbit != first:
                return True
            at += n_bytes
    return False


def _behind_tags(content: mmap.mmap) -> int:
    """Where the first frame stands, behind ID3v2 tags (id3.org, ID3v2.4, section 3.1)."""
    at = 0
    while content[at : at + 3] == b"ID3" and len(content) > at + 10:
        size = 0
        for byte in content[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if content[at + 5] & 0x10 else 0)
    return at


def _mp3_frame(header: bytes) -> tuple[int, int] | None:
    """Bit rate in kbit/s and length in bytes of a layer III frame; None where it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, code, rate_code = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or code in {0, 15} or rate_code == 3:
        return None
    kbit = (_RATES_1 if version == 3 else _RATES_2)[code]
    rate_hz = (44_100, 48_000, 32_000)[rate_code] // {3: 1, 2: 2, 0: 4}[version]
    padding = header[2] >> 1 & 1
    return kbit, (144 if version == 3 else 72) * kbit * 1000 // rate_hz + padding
