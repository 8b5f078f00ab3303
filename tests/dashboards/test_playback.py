"""`isopath compose --play`: sound while it is made, through whatever this machine plays with."""

from __future__ import annotations

import stat
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from dashboards.cli.playback import Playback
from dashboards.cli.player import PROGRAMS, ProgramPlayer, as_bytes, open_player
from study.errors import DeviceError

RATE_HZ = 32_000


def ramp(n_frames: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.linspace(-1.0, 1.0, 2 * n_frames, dtype=np.float32).reshape(n_frames, 2)


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a program called aplay, the only player of this machine, was given to play."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "aplay"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\nexec /bin/cat > {tmp_path}/heard.raw\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return tmp_path / "heard.raw"


def test_every_frame_is_played_once_and_in_order_while_the_sound_is_written(heard: Path) -> None:
    sound = np.zeros((RATE_HZ, 2), dtype=np.float32)
    whole = ramp(RATE_HZ)
    shares: list[float] = []

    with Playback(open_player(RATE_HZ), sound, RATE_HZ, shares.append) as playback:
        for upto in range(4_000, RATE_HZ + 1, 4_000):
            sound[upto - 4_000 : upto] = whole[upto - 4_000 : upto]
            playback.announce(upto)

    assert heard.read_bytes() == as_bytes(whole)
    assert (heard.parent / "arguments").read_text() == PROGRAMS["aplay"].format(rate=RATE_HZ) + "\n"
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_what_is_not_yet_written_is_waited_for(heard: Path) -> None:
    sound = ramp(6_400)

    with Playback(open_player(RATE_HZ), sound, RATE_HZ, lambda _: None) as playback:
        playback.announce(4_800)
        time.sleep(0.2)
        assert not heard.exists() or len(heard.read_bytes()) <= 4 * 4_800
        playback.announce(6_400)

    assert len(heard.read_bytes()) == 4 * 6_400


def test_an_error_elsewhere_stops_the_sound_at_once(heard: Path) -> None:
    sound = np.zeros((600 * RATE_HZ, 2), dtype=np.float32)
    threads = threading.active_count()
    playback = Playback(open_player(RATE_HZ), sound, RATE_HZ, lambda _: None)
    began = time.monotonic()

    with pytest.raises(KeyboardInterrupt), playback:
        stop_after(playback, RATE_HZ)

    assert time.monotonic() - began < 5.0
    assert threading.active_count() <= threads


def stop_after(playback: Playback, n_frames: int) -> None:
    playback.announce(n_frames)
    raise KeyboardInterrupt


def test_a_player_that_fails_is_told_in_its_own_words(heard: Path) -> None:
    (heard.parent / "aplay").write_text("#!/bin/sh\necho 'audio open error: Host is down' >&2\nexit 1\n")
    sound = ramp(20 * RATE_HZ)

    with (
        pytest.raises(DeviceError, match="audio open error: Host is down"),
        Playback(open_player(RATE_HZ), sound, RATE_HZ, lambda _: None) as playback,
    ):
        playback.announce(len(sound))


def test_a_machine_without_player_or_device_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(DeviceError, match=r"pip install 'isopath\[play\]', or install one of pw-cat"):
        open_player(RATE_HZ)


def test_full_scale_and_beyond_are_held_at_full_scale() -> None:
    block = np.array([[0.0, 1.0], [-1.0, 3.0]], dtype=np.float32)

    assert np.frombuffer(as_bytes(block), dtype="<i2").tolist() == [0, 32_767, -32_767, 32_767]


def test_a_program_is_stopped_with_its_block() -> None:
    player = ProgramPlayer(["/bin/sleep", "60"])
    began = time.monotonic()

    with pytest.raises(RuntimeError, match="stop"), player:
        raise RuntimeError("stop")

    assert time.monotonic() - began < 2.0
