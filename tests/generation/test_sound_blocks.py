"""A sound on disk reads and writes like an array, and leaves nothing behind."""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.sound_blocks import (
    BLOCK,
    Samples,
    SoundOnDisk,
    blank_like,
    blocks_of,
    collected,
    in_memory,
    scaled,
)
from study.errors import StorageError


def noise(n_frames: int, n_channels: int = 2) -> Samples:
    return np.random.default_rng(n_frames).standard_normal((n_frames, n_channels)).astype(np.float32)


def on_disk(samples: Samples, folder: Path) -> SoundOnDisk:
    sound = SoundOnDisk(folder, *samples.shape)
    sound[:] = samples
    return sound


FRAMES = st.one_of(st.none(), st.integers(-60, 60))


@given(st.integers(0, 50), st.integers(1, 3), st.lists(st.tuples(FRAMES, FRAMES), max_size=8))
@settings(max_examples=100, deadline=None)
def test_a_sound_on_disk_is_read_and_written_as_an_array_is(
    tmp_path_factory: pytest.TempPathFactory,
    n_frames: int,
    n_channels: int,
    slices: list[tuple[int | None, int | None]],
) -> None:
    array = np.zeros((n_frames, n_channels), dtype=np.float32)
    sound = SoundOnDisk(tmp_path_factory.getbasetemp(), n_frames, n_channels)

    for first, last in slices:
        piece = noise(len(array[first:last]), n_channels)
        array[first:last] = piece
        sound[first:last] = piece

    assert sound.shape == array.shape
    assert len(sound) == len(array)
    assert all(np.array_equal(sound[first:last], array[first:last]) for first, last in slices)
    assert np.array_equal(in_memory(sound), array)


def test_what_does_not_fit_is_refused_and_not_written_somewhere(tmp_path: Path) -> None:
    sound = on_disk(noise(10), tmp_path)

    with pytest.raises(ValueError, match=r"\(3, 2\) does not fit frames 8 to 10"):
        sound[8:11] = noise(3)
    with pytest.raises(ValueError, match="in a row"):
        sound[::2]

    assert np.array_equal(sound[:], noise(10))


def test_its_file_has_no_name_and_its_room_is_given_back(tmp_path: Path) -> None:
    sound = on_disk(noise(BLOCK), tmp_path)
    place = Path(f"/proc/self/fd/{sound._descriptor}")

    assert place.stat().st_size == BLOCK * 8
    assert place.stat().st_nlink == 0
    assert not list(tmp_path.iterdir())
    del sound
    gc.collect()
    assert not place.exists()


def test_a_folder_that_is_yet_to_be_made_lies_on_the_disk_of_the_one_above(tmp_path: Path) -> None:
    sound = SoundOnDisk(tmp_path / "study" / "sessions", 10)

    assert sound.folder == tmp_path
    assert not list(tmp_path.iterdir())


def test_a_gain_is_applied_where_the_sound_is_read_as_it_is_to_an_array(tmp_path: Path) -> None:
    samples = noise(3 * BLOCK // 2)

    louder = scaled(on_disk(samples, tmp_path), 1.7)

    assert np.array_equal(np.concatenate(list(blocks_of(louder))), samples * np.float32(1.7))
    assert np.array_equal(in_memory(louder), scaled(samples, 1.7)[:])
    assert isinstance(blank_like(louder), SoundOnDisk)
    assert isinstance(blank_like(samples), np.ndarray)


@pytest.mark.parametrize("is_on_disk", [True, False])
def test_blocks_are_collected_in_memory_or_on_disk(tmp_path: Path, is_on_disk: bool) -> None:
    samples, shares = noise(1000), list[float]()

    sound = collected(blocks_of(samples, 300), 1000, tmp_path if is_on_disk else None, shares.append)

    assert isinstance(sound, SoundOnDisk) == is_on_disk
    assert np.array_equal(sound[:], samples)
    assert shares == [0.3, 0.6, 0.9, 1.0]
    with pytest.raises(ValueError, match="1000 frames were played, not 1001"):
        collected(blocks_of(samples, 300), 1001, None, shares.append)


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


def test_a_session_that_cannot_fit_is_refused_before_the_work_with_both_figures(small_disk: Path) -> None:
    with pytest.raises(
        StorageError, match="takes 8 MB while it is made and the disk has 2 MB left; make room"
    ):
        SoundOnDisk(small_disk, 1_000_000)


def test_a_disk_that_fills_while_a_session_is_made_is_one_message(small_disk: Path) -> None:
    sound = SoundOnDisk(small_disk, 200_000)
    (small_disk / "other").write_bytes(bytes(1_000_000))

    with pytest.raises(StorageError, match=r"cannot hold a session while it is made \(no space left"):
        sound[:] = noise(200_000)

    sound.close()
    assert [path.name for path in small_disk.iterdir()] == ["other"]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("generation.sound_blocks.tempfile.TemporaryFile", refuse)

    with pytest.raises(StorageError, match=r"cannot hold a session while it is made \(permission denied\)"):
        SoundOnDisk(tmp_path, 10)
