"""Sound through this machine's loudspeaker while it is being made."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from study.errors import DeviceError

_FULL_SCALE = 32_767

#: Programs that play 16-bit little-endian stereo from standard input, in order of preference.
PROGRAMS: Mapping[str, str] = {
    "pw-cat": "--playback --rate={rate} --channels=2 --format=s16 -",
    "pacat": "--playback --raw --rate={rate} --channels=2 --format=s16le",
    "aplay": "-q -t raw -f S16_LE -c 2 -r {rate} -",
    # SoX.
    "play": "-q -t raw -e signed -b 16 -L -c 2 -r {rate} -",
    "ffplay": "-nodisp -autoexit -loglevel error -f s16le -ch_layout stereo -ar {rate} -i -",
}


class Player(Protocol):
    """Takes sound as fast as it is heard."""

    def write(self, block: NDArray[np.float32]) -> None:
        """Play the next frames, float32, shape [n, 2]; returns when there is room for more.

        Raises:
            DeviceError: the device went away.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Play what was written to its end; stop at once after an error."""


def open_player(rate_hz: int) -> Player:
    """The sound device through the library sounddevice where that is installed, else a system's player.

    Raises:
        DeviceError: there is neither.
    """
    device = _device(rate_hz)
    if device is not None:
        return device
    for name, arguments in PROGRAMS.items():
        path = shutil.which(name)
        if path is not None:
            return ProgramPlayer([path, *arguments.format(rate=rate_hz).split()])
    raise DeviceError(
        "--play",
        "there is no sound device that can be played on from here",
        f"pip install 'isopath[play]', or install one of {', '.join(PROGRAMS)}, or leave it out",
    )


class ProgramPlayer:
    """A program that plays what it reads.

    Args:
        command: the program and its arguments.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        return self

    def write(self, block: NDArray[np.float32]) -> None:
        """See `Player`."""
        pipe = self._process.stdin
        try:
            if pipe is not None:
                pipe.write(as_bytes(block))
                pipe.flush()
        except OSError as problem:
            raise self._gone() from problem

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        _, told = self._process.communicate()
        if kind is None and self._process.returncode != 0:
            raise self._refusal(told)

    def _gone(self) -> DeviceError:
        self._process.kill()
        _, told = self._process.communicate()
        return self._refusal(told)

    def _refusal(self, told: bytes | None) -> DeviceError:
        lines = (told or b"").decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {self._process.returncode}"
        return DeviceError("--play", f"{self._command[0]} cannot play: {reason}", "mend it, or leave it out")


class DevicePlayer:
    """A stream of the library sounddevice.

    Args:
        stream: an opened output stream of 16-bit samples.
        failure: what the library raises.
    """

    def __init__(self, stream: Any, failure: type[Exception]) -> None:
        self._stream = stream
        self._failure = failure

    def __enter__(self) -> Self:
        self._stream.start()
        return self

    def write(self, block: NDArray[np.float32]) -> None:
        """See `Player`."""
        try:
            self._stream.write(as_bytes(block))
        except self._failure as problem:
            raise DeviceError("--play", f"the sound device stopped: {problem}", "run it again") from problem

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._stream.stop()
        else:
            self._stream.abort()
        self._stream.close()


def as_bytes(block: NDArray[np.float32]) -> bytes:
    """16-bit little-endian samples; what passes full scale, before any limiter, is held at it."""
    whole = np.rint(np.clip(block, -1.0, 1.0) * np.float32(_FULL_SCALE)).astype("<i2")
    return bytes(whole.tobytes())


def _device(rate_hz: int) -> Player | None:
    try:
        import sounddevice
    except (ImportError, OSError):
        # OSError: the library PortAudio is missing.
        return None
    failure: type[Exception] = sounddevice.PortAudioError
    try:
        stream = sounddevice.RawOutputStream(samplerate=rate_hz, channels=2, dtype="int16")
    except (failure, ValueError) as problem:
        sys.stderr.write(f"--play: the library sounddevice finds no device ({problem})\n")
        return None
    return DevicePlayer(stream, failure)
