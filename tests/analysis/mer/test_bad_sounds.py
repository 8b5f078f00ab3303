"""Whatever file is given: the right answer, or one refusal that names the file and the reason."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import samplerate
import soundfile
from numpy.typing import NDArray

from analysis.mer.files import HeardFile, hear_file
from analysis.mer.predictor import AffectPredictor
from analysis.mer.registry import EMBEDDED, load_predictors
from study.errors import AudioError
from tests.analysis.mer.controlled_audio import Knobs, sound_of
from tests.analysis.mer.plugged_predictors import Level

Samples = NDArray[np.float32]
RATE = 32_000

#: Largest change of valence or arousal, of the whole, between copies of one piece, as measured on this piece
#: and two recorded ones and rounded up: where nothing that is heard was lost.
WHOLE = {"musicnn": 0.03, "cues": 0.005}
#: The same after lossy compression, 8 bits or 22 kHz.
LOSSY = {"musicnn": 0.07, "cues": 0.10}
#: The same at 8 kHz: half of the band that both listen to is not there.
NARROW = {"musicnn": 0.30, "cues": 0.12}
#: What clipping adds to the change that the level alone makes, a tenth of the samples clipped or fewer.
CLIPPED = {"musicnn": 0.07, "cues": 0.02}


@pytest.fixture(scope="module")
def predictors() -> tuple[AffectPredictor, ...]:
    return load_predictors(EMBEDDED)


@pytest.fixture(scope="module")
def piece() -> Samples:
    samples = sound_of(Knobs(duration_s=12.5))
    return np.asarray(samples / np.abs(samples).max() * 0.5, dtype=np.float32)


@pytest.fixture(scope="module")
def as_it_is(
    piece: Samples, predictors: tuple[AffectPredictor, ...], tmp_path_factory: pytest.TempPathFactory
) -> HeardFile:
    path = tmp_path_factory.mktemp("piece") / "piece.wav"
    soundfile.write(path, piece, RATE, subtype="PCM_16")
    return hear_file(predictors, path)


def change(heard: HeardFile, other: HeardFile) -> dict[str, float]:
    """Predictor's name to the larger change of the two axes."""
    return {
        name: max(
            abs(mean.valence_pred - other.whole.by[name].valence_pred),
            abs(mean.arousal_pred - other.whole.by[name].arousal_pred),
        )
        for name, mean in heard.whole.by.items()
    }


def assert_within(found: dict[str, float], bound: dict[str, float]) -> None:
    assert set(found) == set(bound)
    for name, value in found.items():
        assert value <= bound[name], (name, value)


def at_rate(piece: Samples, rate: int) -> Samples:
    return np.asarray(samplerate.resample(piece, rate / RATE, "sinc_best"), dtype=np.float32)


def surround(piece: Samples, order: tuple[int, int]) -> Samples:
    six = np.zeros((len(piece), 6), dtype=np.float32)
    six[:, list(order)] = piece
    return six


@pytest.mark.parametrize(
    ("name", "subtype", "rate", "bound"),
    [
        ("a.wav", "PCM_24", RATE, WHOLE),
        ("a.wav", "FLOAT", RATE, WHOLE),
        ("a.flac", "PCM_16", 44_100, WHOLE),
        ("a.wav", "PCM_24", 96_000, WHOLE),
        ("a.wav", "PCM_U8", RATE, LOSSY),
        ("a.ogg", "VORBIS", 44_100, LOSSY),
        ("a.opus", "OPUS", 48_000, LOSSY),
        ("a.mp3", "MPEG_LAYER_III", 44_100, LOSSY),
        ("a.aiff", "PCM_16", 22_050, LOSSY),
    ],
)
def test_any_format_depth_and_rate_gives_nearly_the_same_answer(
    piece: Samples,
    as_it_is: HeardFile,
    predictors: tuple[AffectPredictor, ...],
    tmp_path: Path,
    name: str,
    subtype: str,
    rate: int,
    bound: dict[str, float],
) -> None:
    kind = "OGG" if subtype == "OPUS" else None
    soundfile.write(tmp_path / name, at_rate(piece, rate), rate, subtype=subtype, format=kind)

    heard = hear_file(predictors, tmp_path / name)

    assert heard.duration_s == pytest.approx(12.5, abs=0.05)
    assert_within(change(heard, as_it_is), bound)


def test_telephone_sound_is_heard_with_half_the_band(
    piece: Samples, as_it_is: HeardFile, predictors: tuple[AffectPredictor, ...], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "a.wav", at_rate(piece, 8000), 8000)

    heard = hear_file(predictors, tmp_path / "a.wav")

    assert heard.sample_rate_hz == 8000
    assert_within(change(heard, as_it_is), NARROW)


def test_mono_and_surround_copies_give_the_answer_of_the_stereo(
    piece: Samples, as_it_is: HeardFile, predictors: tuple[AffectPredictor, ...], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "mono.wav", piece.mean(axis=1), RATE)
    # Left and right stand first and second in WAVE's order, first and third in Vorbis's.
    soundfile.write(tmp_path / "surround.wav", surround(piece, (0, 1)), RATE)
    soundfile.write(tmp_path / "surround.ogg", surround(piece, (0, 2)), RATE)

    exact = dict.fromkeys(EMBEDDED, 0.005)
    assert_within(change(hear_file(predictors, tmp_path / "mono.wav"), as_it_is), exact)
    assert_within(change(hear_file(predictors, tmp_path / "surround.wav"), as_it_is), exact)
    assert_within(change(hear_file(predictors, tmp_path / "surround.ogg"), as_it_is), LOSSY)


def test_an_offset_changes_nothing(
    piece: Samples, as_it_is: HeardFile, predictors: tuple[AffectPredictor, ...], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "a.wav", piece + np.float32(0.1), RATE)

    heard = hear_file(predictors, tmp_path / "a.wav")

    assert heard.offset == pytest.approx(0.1, abs=1e-3)
    assert_within(change(heard, as_it_is), dict.fromkeys(EMBEDDED, 0.002))


def test_clipping_changes_little_beyond_what_the_level_does(
    piece: Samples, predictors: tuple[AffectPredictor, ...], tmp_path: Path
) -> None:
    loud = piece * np.float32(10 ** (12 / 20))
    clipped = np.clip(loud, -1, 1)
    soundfile.write(tmp_path / "loud.wav", loud, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "clipped.wav", clipped, RATE)
    assert 0.001 < np.mean(np.abs(loud) > 1) < 0.1

    both = [hear_file(predictors, tmp_path / name) for name in ("loud.wav", "clipped.wav")]

    assert_within(change(both[0], both[1]), CLIPPED)


def wave(rate: int = 8000, channels: int = 1, bits: int = 16, data: bytes = bytes(64_000)) -> bytes:
    """A WAV with whatever header is asked for."""
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, min(rate * frame, 2**32 - 1), frame % 65_536, bits)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + b"WAVEfmt \x10\0\0\0"
        + form
        + b"data"
        + (struct.pack("<I", len(data)) + data)
    )


def tone(seconds: float, rate: int = 8000) -> NDArray[np.float64]:
    return np.asarray(0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate))


def cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def spoilt_tail(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-2000] + np.random.default_rng(1).bytes(2000))


def sound(path: Path, seconds: float = 4.0, rate: int = 44_100, subtype: str | None = None) -> None:
    rng = np.random.default_rng(2)
    soundfile.write(path, rng.standard_normal(round(seconds * rate)) * 0.1, rate, subtype=subtype)


def with_value(path: Path, value: float) -> None:
    samples = tone(4.0)
    samples[12_000] = value
    soundfile.write(path, samples, 8000, subtype="FLOAT")


def damaged(path: Path, how: Callable[[Path], None], subtype: str | None = None) -> None:
    sound(path, subtype=subtype)
    how(path)


def linked(path: Path) -> None:
    path.symlink_to(path.with_name("gone.wav"))


def round_link(path: Path) -> None:
    path.symlink_to(path)


REFUSED: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "text": ("a.wav", lambda path: path.write_text("no sound"), "cannot be read as sound"),
    "text as mp3": ("a.mp3", lambda path: path.write_text("no sound " * 2000), "format not recognised"),
    "text as headerless": ("a.vox", lambda path: path.write_text("no sound " * 2000), "no header"),
    "empty": ("a.wav", lambda path: path.touch(), "the file is empty"),
    "header alone": ("a.wav", lambda path: path.write_bytes(wave(data=b"")), "there is no sound in it"),
    "silence": ("a.wav", lambda path: soundfile.write(path, np.zeros(32_000), 8000), "silent all through"),
    "one second": ("a.wav", lambda path: soundfile.write(path, tone(1.0), 8000), "shorter than"),
    "not a number": ("a.wav", lambda path: with_value(path, np.nan), "not a number at 1.500 s"),
    "infinity": ("a.wav", lambda path: with_value(path, np.inf), "not a number at 1.500 s"),
    "integers as floats": ("a.wav", lambda path: with_value(path, 32_767.0), "a sample of 32767"),
    "cut WAV": ("a.wav", lambda path: damaged(path, lambda p: cut(p, 0.9)), "cut off or damaged"),
    "cut FLAC": ("a.flac", lambda path: damaged(path, lambda p: cut(p, 0.9)), "cut off or damaged"),
    "cut Ogg": ("a.ogg", lambda path: damaged(path, lambda p: cut(p, 0.9)), "cut off or damaged"),
    "cut MP3": ("a.mp3", lambda path: damaged(path, lambda p: cut(p, 0.9)), "cut off or damaged"),
    "spoilt FLAC": ("a.flac", lambda path: damaged(path, spoilt_tail), "cut off or damaged"),
    "spoilt Vorbis": ("a.ogg", lambda path: damaged(path, spoilt_tail), "cut off or damaged"),
    "spoilt MP3": ("a.mp3", lambda path: damaged(path, spoilt_tail), "cut off or damaged"),
    "folder": ("a.wav", lambda path: path.mkdir(), "is a directory"),
    "missing": ("a.wav", str, "there is no such file"),
    "broken link": ("a.wav", linked, "is a link to a file that is not there"),
    "link to itself": ("a.wav", round_link, "too many levels of symbolic links"),
    "pipe": ("a.wav", os.mkfifo, "is a pipe or a device"),
    "endless device": ("a.wav", lambda path: path.symlink_to("/dev/zero"), "is a pipe or a device"),
    "too long a name": ("a" * 300 + ".wav", str, "file name too long"),
    "video": ("a.mp4", lambda path: path.write_bytes(b"\0\0\0\x20ftypisom" + bytes(99)), "an MP4 container"),
    "no rate": ("a.wav", lambda path: path.write_bytes(wave(rate=0)), "cannot be read as sound"),
    "a slow rate": ("a.wav", lambda path: path.write_bytes(wave(rate=10)), "a sample rate of 10 Hz"),
    "4 GHz": ("a.wav", lambda path: path.write_bytes(wave(rate=4_000_000_000)), "cannot be read as sound"),
    "2 GHz": ("a.wav", lambda path: path.write_bytes(wave(rate=2**31 - 1)), "a sample rate of 2,147,483,647"),
    "no channel": ("a.wav", lambda path: path.write_bytes(wave(channels=0)), "cannot be read as sound"),
    "1000 channels": ("a.wav", lambda path: path.write_bytes(wave(channels=1000)), "1000 channels"),
    "65535 channels": (
        "a.wav",
        lambda path: path.write_bytes(wave(channels=65_535)),
        "cannot be read as sound",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_heard_is_refused_with_its_name_and_the_reason(
    predictors: tuple[AffectPredictor, ...], tmp_path: Path, kind: str
) -> None:
    name, make, reason = REFUSED[kind]
    path = tmp_path / name
    make(path)

    with pytest.raises(AudioError) as refusal:
        hear_file(predictors, path)

    assert refusal.value.where == str(path)
    assert reason in refusal.value.problem
    assert refusal.value.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read_is_refused(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    (tmp_path / "a.wav").chmod(0)

    with pytest.raises(AudioError, match="permission denied"):
        hear_file([Level()], tmp_path / "a.wav")


def test_a_name_that_is_no_text_is_heard(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    soundfile.write(os.fsencode(path), tone(4.0), 8000, format="WAV")

    assert len(hear_file([Level()], path).series["level"].onset_s) == 4


def test_a_file_called_dash_is_that_file_and_not_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", tone(4.0), 8000)
    (tmp_path / "a.wav").rename(tmp_path / "-")
    monkeypatch.chdir(tmp_path)

    assert hear_file([Level()], Path("-")).duration_s == 4.0


@pytest.mark.parametrize(
    ("name", "behind"),
    [("a.wav", bytes(999)), ("a.ogg", b"TAG" + bytes(125)), ("a.mp3", b"TAG" + bytes(125))],
)
def test_what_stands_behind_the_sound_is_not_heard_and_does_no_harm(
    tmp_path: Path, name: str, behind: bytes
) -> None:
    sound(tmp_path / name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + behind)

    assert hear_file([Level()], tmp_path / name).duration_s == pytest.approx(4.0)


def test_a_flac_that_was_streamed_without_its_length_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    sound(path)
    content = bytearray(path.read_bytes())
    # The 36 bits of STREAMINFO's count of samples, and the MD5 behind it (RFC 9639, section 8.2).
    content[21] &= 0xF0
    content[22:42] = bytes(20)
    path.write_bytes(content)

    with pytest.raises(AudioError, match="does not tell its length"):
        hear_file([Level()], path)


def test_what_sox_writes_is_read(tmp_path: Path) -> None:
    sox = shutil.which("sox")
    if sox is None:
        pytest.skip("no sox")
    for name in ("a.wav", "a.flac", "a.aiff", "a.ogg", "a.caf", "a.w64"):
        subprocess.run(
            [sox, "-n", "-r", "44100", "-c", "2", tmp_path / name, "synth", "4", "sine", "440"], check=True
        )

        assert hear_file([Level()], tmp_path / name).duration_s == pytest.approx(4.0)


def test_three_hours_are_heard_to_the_last_second(tmp_path: Path) -> None:
    # 4 kHz, the slowest that counts as sound, keeps the test short.
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 4000, 1, "PCM_16") as file:
        for _ in range(180):
            file.write(tone(60.0, 4000))

    heard = hear_file([Level()], path)

    assert heard.duration_s == 10_800
    assert heard.series["level"].onset_s[-1] == 10_799
