"""Where engines run: the options that `render` and `compose` share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from generation.engine import Placement
from study.errors import ModelError, UnknownName

DeviceOption = Annotated[str, typer.Option(help="cpu, cuda or cuda:N: where a neural engine runs.")]
BatchOption = Annotated[
    int | None,
    typer.Option("--batch-clips", min=1, help="Clips made at once, at most [default: as many as fit]."),
]
ModelsOption = Annotated[
    Path | None,
    typer.Option("--models-dir", help="Where weights are kept.", file_okay=False, show_default=False),
]


def placement_of(
    device: str, batch_clips: int | None, models_dir: Path | None, is_elsewhere: bool = False
) -> Placement:
    """What the three options ask for, with the device found to be there.

    Args:
        is_elsewhere: the engines run on other machines, which have devices of their own.

    Raises:
        UnknownName: no such kind of device.
        OutOfRange: one GPU by number, for several machines.
        DeviceError: this machine has no such GPU.
        ModelError: what it takes to use a GPU is not installed.
    """
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise UnknownName("--device", f"{device!r} is not a device", "write cpu, cuda or cuda:0")
    if is_elsewhere:
        from generation.cluster.rendering import check_shared_device

        check_shared_device(device)
    elif device != "cpu":
        try:
            from generation.musicgen.memory import device_of
        except ImportError as missing:
            raise ModelError(
                f"--device {device}", f"{missing.name} is not installed", "pip install 'isopath[musicgen]'"
            ) from missing
        device_of(device)
    return Placement(device, batch_clips, models_dir.resolve() if models_dir else None)
