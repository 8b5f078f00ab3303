"""What a container tells of itself: whole Ogg pages, MP3s that change their bit rate, foreign kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from generation.containers import foreign_kind, mp3_length_is_a_guess, ogg_damage

RATE = 48_000


def noise(seconds: float = 3.0) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    rng = np.random.default_rng(5)
    # Quiet, then loud: a variable bit rate varies.
    return np.asarray(
        rng.standard_normal(round(seconds * RATE)) * np.linspace(0, 0.3, round(seconds * RATE)) ** 3
    )


@pytest.fixture(params=["VORBIS", "OPUS"])
def ogg(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    soundfile.write(tmp_path / "a.ogg", noise(), RATE, subtype=request.param)
    return tmp_path / "a.ogg"


def test_every_page_that_libogg_wrote_has_the_checksum_we_compute(ogg: Path) -> None:
    assert ogg_damage(ogg) is None


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_one_wrong_bit_is_found_and_what_was_whole_before_it_is_told(ogg: Path, share: float) -> None:
    content = bytearray(ogg.read_bytes())
    content[int(len(content) * share)] ^= 0x10
    ogg.write_bytes(content)

    granule = ogg_damage(ogg)

    assert granule is not None
    assert 0 <= granule < 3.1 * RATE


def test_a_page_that_is_missing_is_damage(ogg: Path) -> None:
    content = ogg.read_bytes()
    pages = [b"OggS" + page for page in content.split(b"OggS")[1:]]
    ogg.write_bytes(b"".join(pages[:3] + pages[4:]))

    assert ogg_damage(ogg) is not None


def test_what_stands_behind_the_end_is_no_damage(ogg: Path) -> None:
    ogg.write_bytes(ogg.read_bytes() + b"TAG" + bytes(125))

    assert ogg_damage(ogg) is None


def test_no_page_at_all_is_damage(tmp_path: Path) -> None:
    (tmp_path / "a.ogg").write_bytes(b"OggS" + bytes(10))

    assert ogg_damage(tmp_path / "a.ogg") == 0


def without_length_table(path: Path) -> None:
    """An MP3 without its first frame, which holds no sound but the table of its length."""
    content = path.read_bytes()
    second = content.index(content[:2], 100)
    assert b"Xing" in content[:second] or b"Info" in content[:second]
    path.write_bytes(content[second:])


@pytest.mark.parametrize(("mode", "is_a_guess"), [("VARIABLE", True), ("CONSTANT", False)])
def test_an_mp3_of_changing_bit_rate_needs_the_table_of_its_length(
    tmp_path: Path, mode: str, is_a_guess: bool
) -> None:
    path = tmp_path / "a.mp3"
    soundfile.write(path, noise(), RATE, bitrate_mode=mode, compression_level=0.3)
    assert not mp3_length_is_a_guess(path)

    without_length_table(path)

    assert mp3_length_is_a_guess(path) is is_a_guess


def test_tags_before_the_first_frame_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    soundfile.write(path, noise(), RATE, bitrate_mode="VARIABLE")
    without_length_table(path)
    # ID3v2.4: ten bytes, the last four of which are the length in 7 bits each: 200 is 1 × 128 + 72.
    path.write_bytes(b"ID3\x04\x00\x00\x00\x00\x01\x48" + bytes(200) + path.read_bytes())

    assert mp3_length_is_a_guess(path)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x00\x00\x00\x20ftypM4A ", "an MP4 container (M4A, MP4, MOV)"),
        (b"\x1aE\xdf\xa3\x01\x00\x00\x00", "a Matroska container (MKV, WebM)"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "an AVI container"),
        (b"MThd\x00\x00\x00\x06", "a MIDI file, notes without sound"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", None),
        (b"", None),
    ],
)
def test_foreign_kinds_are_known_by_their_first_bytes(tmp_path: Path, head: bytes, kind: str | None) -> None:
    (tmp_path / "a").write_bytes(head)

    assert foreign_kind(tmp_path / "a") == kind
