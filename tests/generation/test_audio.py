"""Sound files are read whole or refused; sessions reach their loudness and stay below their peak."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import resample_poly

from generation.audio import (
    SAMPLE_RATE_HZ,
    encode_audio,
    integrated_loudness,
    master,
    read_audio,
    read_blocks,
    true_peak_dbtp,
    write_audio,
)
from generation.sound_blocks import SoundOnDisk
from study.errors import AudioError, StorageError

Samples = NDArray[np.float32]


def noise(seconds: float, channels: int = 2, rate: int = SAMPLE_RATE_HZ, rms: float = 0.1) -> Samples:
    rng = np.random.default_rng(1)
    return (rng.standard_normal((round(seconds * rate), channels)) * rms).astype(np.float32)


def refusal_of(path: Path) -> str:
    with pytest.raises(AudioError) as refused:
        read_audio(path)
    assert refused.value.where == str(path)
    return refused.value.problem


def test_what_is_written_is_read_back_to_the_nearest_16_bit_step(tmp_path: Path) -> None:
    samples = noise(0.5)

    write_audio(tmp_path / "a.flac", samples, SAMPLE_RATE_HZ)
    back, rate = read_audio(tmp_path / "a.flac")

    assert rate == SAMPLE_RATE_HZ
    assert back.dtype == np.float32
    assert back.shape == samples.shape
    assert np.abs(back - samples).max() <= 0.5 / 32768
    assert soundfile.info(tmp_path / "a.flac").subtype == "PCM_16"


@pytest.mark.parametrize("name", ["a.flac", "a.wav"])
def test_a_file_written_in_blocks_is_the_file_written_at_once(tmp_path: Path, name: str) -> None:
    samples = noise(5.3)
    at_once = np.rint(samples * 32768).astype(np.int16)
    soundfile.write(tmp_path / f"once-{name}", at_once, SAMPLE_RATE_HZ, subtype="PCM_16")

    write_audio(tmp_path / name, samples, SAMPLE_RATE_HZ)

    assert (tmp_path / name).read_bytes() == (tmp_path / f"once-{name}").read_bytes()
    assert encode_audio(samples, SAMPLE_RATE_HZ, Path(name).suffix) == (tmp_path / name).read_bytes()


def test_an_interruption_in_the_middle_of_a_file_leaves_nothing(tmp_path: Path) -> None:
    class Interrupting(SoundOnDisk):
        def __getitem__(self, frames: slice, /) -> Samples:
            if frames.start:
                raise KeyboardInterrupt
            return super().__getitem__(frames)

    with pytest.raises(KeyboardInterrupt):
        write_audio(tmp_path / "a.flac", Interrupting(tmp_path, 200_000), SAMPLE_RATE_HZ)

    assert not list(tmp_path.iterdir())


def test_a_sample_beyond_full_scale_late_in_a_sound_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    samples = noise(5.0)
    samples[140_000] = -1.3

    with pytest.raises(AudioError, match=r"its largest sample is 1\.3, beyond full scale 1"):
        write_audio(tmp_path / "a.flac", samples, SAMPLE_RATE_HZ)

    assert not list(tmp_path.iterdir())


def test_writing_what_was_read_changes_no_sample_and_full_scale_survives(tmp_path: Path) -> None:
    samples = np.array([[-1.0, 1.0], [32767 / 32768, 0.0]], dtype=np.float32)

    write_audio(tmp_path / "a.flac", samples, SAMPLE_RATE_HZ)
    once, _ = read_audio(tmp_path / "a.flac")
    write_audio(tmp_path / "b.wav", once, SAMPLE_RATE_HZ)
    twice, _ = read_audio(tmp_path / "b.wav")

    assert once.tolist() == [[-1.0, 32767 / 32768], [32767 / 32768, 0.0]]
    assert np.array_equal(once, twice)


@pytest.mark.parametrize("value", [1.01, np.nan, np.inf])
def test_nothing_beyond_full_scale_is_clipped_into_a_file(tmp_path: Path, value: float) -> None:
    samples = np.full((100, 2), value, dtype=np.float32)

    with pytest.raises(AudioError, match="beyond full scale"):
        write_audio(tmp_path / "a.flac", samples, SAMPLE_RATE_HZ)

    assert not list(tmp_path.iterdir())


def test_a_format_that_is_not_written_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"\.mp3"):
        write_audio(tmp_path / "a.mp3", noise(0.1), SAMPLE_RATE_HZ)


def test_a_text_file_called_wav_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("not a sound\n" * 50)

    assert "cannot be read as sound" in refusal_of(path)


def test_missing_empty_and_folder_are_each_named(tmp_path: Path) -> None:
    (tmp_path / "empty.flac").touch()
    soundfile.write(tmp_path / "header.wav", np.zeros((0, 2)), 32000)

    assert refusal_of(tmp_path / "none.wav") == "there is no such file"
    assert refusal_of(tmp_path / "empty.flac") == "the file is empty"
    assert refusal_of(tmp_path / "header.wav") == "there is no sound in it"
    assert refusal_of(tmp_path) == "is a directory"


def test_headerless_sound_is_refused_because_nobody_wrote_down_its_rate(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(bytes(1000))

    assert "no header" in refusal_of(tmp_path / "a.raw")


@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        ("a.flac", "PCM_16"),
        ("a.wav", "PCM_16"),
        ("a.aiff", "PCM_16"),
        ("a.ogg", "VORBIS"),
        ("a.ogg", "OPUS"),
        ("a.mp3", "MPEG_LAYER_III"),
    ],
)
@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_a_file_whose_tail_is_missing_is_refused(
    tmp_path: Path, name: str, subtype: str, share: float
) -> None:
    path = tmp_path / name
    soundfile.write(path, noise(3.0, rate=48_000), 48_000, subtype=subtype)
    assert len(read_audio(path)[0]) == pytest.approx(144_000, abs=2)
    whole = path.read_bytes()

    path.write_bytes(whole[: int(len(whole) * share)])

    assert "cut off or damaged" in refusal_of(path)


def test_a_streamed_wav_without_a_length_is_read_to_its_end(tmp_path: Path) -> None:
    content = bytearray(encode_audio(noise(1.0), SAMPLE_RATE_HZ, ".wav"))
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "a.wav").write_bytes(content)

    samples, _ = read_audio(tmp_path / "a.wav")

    assert len(samples) == SAMPLE_RATE_HZ


def test_damage_in_the_middle_of_a_flac_is_refused(tmp_path: Path) -> None:
    content = bytearray(encode_audio(noise(2.0), SAMPLE_RATE_HZ))
    content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
    (tmp_path / "a.flac").write_bytes(content)

    with pytest.raises(AudioError, match=r"a\.flac"):
        read_audio(tmp_path / "a.flac")


def test_nan_in_a_float_file_is_named_with_its_time(tmp_path: Path) -> None:
    samples = noise(2.0)
    samples[SAMPLE_RATE_HZ + 320, 1] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, SAMPLE_RATE_HZ, subtype="FLOAT")

    assert refusal_of(tmp_path / "a.wav") == "not a number at 1.010 s"


@pytest.mark.parametrize(("channels", "rate"), [(1, 8000), (2, 44100), (6, 48000)])
def test_any_rate_and_number_of_channels_is_read(tmp_path: Path, channels: int, rate: int) -> None:
    samples = noise(0.5, channels, rate)
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")

    back, read_rate = read_audio(tmp_path / "a.wav")

    assert read_rate == rate
    assert np.array_equal(back, samples)


def test_blocks_joined_are_the_file(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.flac", noise(2.0), SAMPLE_RATE_HZ)

    rate, blocks = read_blocks(tmp_path / "a.flac", block_s=0.3)
    pieces = list(blocks)

    assert [len(piece) for piece in pieces] == [9600] * 6 + [6400]
    assert np.array_equal(np.concatenate(pieces), read_audio(tmp_path / "a.flac")[0])
    assert rate == SAMPLE_RATE_HZ


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_no_bytes_at_all_give_anything_but_samples_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.wav"
    path.write_bytes(b"RIFF" + content)

    # Whatever libsndfile makes of the bytes, nothing but our own refusal may come out.
    with contextlib.suppress(AudioError):
        assert np.isfinite(read_audio(path)[0]).all()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB; skips where this user cannot mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("cannot mount a small disk here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_one_message_and_leaves_nothing_behind(small_disk: Path) -> None:
    old = b"the file that was there before"
    (small_disk / "a.flac").write_bytes(old)

    with pytest.raises(StorageError, match="cannot be written"):
        write_audio(small_disk / "a.flac", noise(60.0), SAMPLE_RATE_HZ)

    assert [path.name for path in small_disk.iterdir()] == ["a.flac"]
    assert (small_disk / "a.flac").read_bytes() == old


def test_loudness_equals_the_reference_meter_in_one_piece() -> None:
    rng = np.random.default_rng(2)
    samples = noise(301.7) * np.repeat(rng.uniform(0.001, 1, 3017), 3200)[:, None].astype(np.float32)

    measured = integrated_loudness(samples, SAMPLE_RATE_HZ)

    assert measured == pytest.approx(pyloudnorm.Meter(SAMPLE_RATE_HZ).integrated_loudness(samples), abs=1e-6)


def test_a_full_scale_sine_of_997_hz_has_the_loudness_the_standard_says() -> None:
    # ITU-R BS.1770-4: 0 dB FS, 997 Hz, one front channel reads -3.01 LKFS.
    time = np.arange(48000 * 5) / 48000
    sine = np.sin(2 * np.pi * 997 * time)[:, None].astype(np.float32)

    assert integrated_loudness(sine, 48000) == pytest.approx(-3.01, abs=0.05)


def test_silence_has_no_loudness_and_no_peak() -> None:
    silence = np.zeros((SAMPLE_RATE_HZ, 2), dtype=np.float32)

    assert integrated_loudness(silence, SAMPLE_RATE_HZ) is None
    assert true_peak_dbtp(silence) is None


def test_sound_too_short_for_a_loudness_is_refused() -> None:
    with pytest.raises(AudioError, match="too short to have a loudness"):
        integrated_loudness(noise(0.39), SAMPLE_RATE_HZ)


def test_a_peak_between_samples_is_seen() -> None:
    # A sine at a quarter of the rate whose samples all lie at ±√½ of its crest.
    n = np.arange(4000)
    envelope = np.hanning(4000)
    sine = (np.sin(np.pi / 2 * n + np.pi / 4) * envelope)[:, None].astype(np.float32)

    assert true_peak_dbtp(sine) == pytest.approx(0.0, abs=0.02)
    assert 20 * np.log10(np.abs(sine).max()) == pytest.approx(-3.01, abs=0.01)


@given(st.integers(1, 200), st.integers(1, 3), st.integers(0, 2**31))
@settings(max_examples=200, deadline=None)
def test_the_peak_is_that_of_a_full_interpolation_whatever_blocks_are_skipped(
    length: int, channels: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    samples = (rng.standard_normal((length, channels)) * rng.uniform(0, 1, (length, 1)) ** 4).astype(
        np.float32
    )
    whole = np.concatenate([np.zeros((64, channels)), samples, np.zeros((64, channels))])

    # The same filter, 24 taps a phase, run over every sample by scipy.
    taps = np.sinc(np.arange(-48, 49) / 4) * np.kaiser(97, 5.0)
    expected = np.abs(resample_poly(whole, 4, 1, window=taps / taps.sum(), padtype="constant")).max()

    assert true_peak_dbtp(samples) == pytest.approx(20 * np.log10(expected), abs=0.1)


def test_one_gain_brings_a_session_to_its_loudness_and_keeps_its_dynamics() -> None:
    samples = noise(40.0)
    samples[: 20 * SAMPLE_RATE_HZ] *= np.float32(0.3)

    mastered = master(samples, SAMPLE_RATE_HZ, -23.0)

    assert integrated_loudness(mastered.samples, SAMPLE_RATE_HZ) == pytest.approx(-23.0, abs=0.05)
    assert mastered.limited_db == 0.0
    ratio = mastered.samples[samples != 0] / samples[samples != 0]
    assert np.ptp(ratio) < 1e-6
    assert 20 * np.log10(ratio[0]) == pytest.approx(mastered.gain_db, abs=1e-4)


def crackling_music(seconds: float) -> Samples:
    """Quiet noise with loud short bursts of every kind: clicks, square waves, inter-sample peaks."""
    samples = noise(seconds, rms=0.02)
    rng = np.random.default_rng(3)
    for at in rng.integers(0, len(samples) - 40, 60):
        kind = rng.integers(3)
        shape = [np.ones(1), np.sign(np.sin(np.arange(20))), np.sin(np.pi / 2 * np.arange(30) + np.pi / 4)][
            kind
        ]
        samples[at : at + len(shape), rng.integers(2)] += shape.astype(np.float32)
    samples[:3, 0] = samples[-3:, 1] = 1.0
    return samples


@pytest.mark.parametrize("target", [-23.0, -16.0])
def test_peaks_are_limited_and_loudness_still_reached_after_16_bits(target: float) -> None:
    mastered = master(crackling_music(20.0), SAMPLE_RATE_HZ, target)
    heard = np.rint(mastered.samples * 32768) / 32768

    assert mastered.limited_db > 3.0
    assert integrated_loudness(heard.astype(np.float32), SAMPLE_RATE_HZ) == pytest.approx(target, abs=0.1)
    # An independent interpolation, sixteen times oversampled.
    assert 20 * np.log10(np.abs(resample_poly(heard, 16, 1)).max()) <= -1.0


def test_the_limiter_works_before_the_peak_and_leaves_the_rest_alone() -> None:
    samples = noise(10.0, rms=0.1)
    samples[5 * SAMPLE_RATE_HZ, :] = 4.0

    mastered = master(samples, SAMPLE_RATE_HZ, -20.0)
    gain = mastered.samples[:, 0] / (samples[:, 0] * 10 ** (mastered.gain_db / 20))

    moved = np.flatnonzero(np.abs(gain - 1) > 1e-4)
    assert moved.size
    assert np.all(np.abs(moved - 5 * SAMPLE_RATE_HZ) <= 0.011 * SAMPLE_RATE_HZ)
    assert np.abs(np.diff(gain)).max() < 0.02


def test_silence_stays_silence() -> None:
    silence = np.zeros((SAMPLE_RATE_HZ, 2), dtype=np.float32)

    mastered = master(silence, SAMPLE_RATE_HZ, -23.0)

    assert not mastered.samples.any()
    assert (mastered.gain_db, mastered.loudness_lufs, mastered.true_peak_dbtp) == (0.0, None, None)


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        (np.full((SAMPLE_RATE_HZ, 2), 1e-6, dtype=np.float32), "nothing in it reaches"),
        (np.full((SAMPLE_RATE_HZ, 2), np.nan, dtype=np.float32), "NaN"),
        (np.eye(SAMPLE_RATE_HZ, 2, dtype=np.float32), "peaks stand too far above"),
    ],
    ids=["too quiet", "not a number", "one click"],
)
def test_sound_that_has_no_such_master_is_refused(samples: Samples, problem: str) -> None:
    with pytest.raises(AudioError, match=problem):
        master(samples, SAMPLE_RATE_HZ, -10.0)
