"""Where a training runs: its device, its processes, and the random numbers it borrows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator

from generation.musicgen.memory import device_of
from study.errors import DeviceError


def accelerator_on(device: str) -> Accelerator:
    """Accelerate's view of this process: alone on a device, or one of several that were launched together.

    Args:
        device: ``cpu``, ``cuda`` or ``cuda:N``; of several processes, each takes its own GPU.

    Raises:
        UnknownName, DeviceError: no such device, or this process trained on another before.
    """
    asked = device_of(device)
    if asked.type == "cuda":
        torch.cuda.set_device(asked)
    accelerator = Accelerator(cpu=asked.type == "cpu")
    if accelerator.device.type != asked.type:
        raise DeviceError(
            f"--device {device}",
            f"this process trains on {accelerator.device} already",
            "train on another device in a process of its own",
        )
    return accelerator


@contextmanager
def own_chance(device: torch.device) -> Iterator[None]:
    """Leave the caller's random numbers, torch's and Python's, as they were."""
    before = random.getstate()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        random.setstate(before)
