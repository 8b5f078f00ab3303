"""The processes of one training: several where Accelerate launched several, else this one alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from study.errors import IsopathError

_T = TypeVar("_T")

PATIENCE = timedelta(days=7)
"""How long a process waits for another: the first one reads, labels and encodes the music for all."""


def is_first_process() -> bool:
    """Whether this process speaks for the training: the only one, or the first of several."""
    return int(os.environ.get("RANK", "0")) == 0


class Processes:
    """This process among those that train together, as `accelerate launch` tells by its environment.

    Args:
        device: ``cpu``, ``cuda`` or ``cuda:N``; of several on GPUs each takes its own.

    Attributes:
        count: how many there are.
        device: this one's.
    """

    def __init__(self, device: str) -> None:
        self.count, self.device = int(os.environ.get("WORLD_SIZE", "1")), device
        if self.count > 1:
            from accelerate import PartialState

            state = PartialState(cpu=device == "cpu", timeout=PATIENCE)
            if device != "cpu":
                self.device = str(state.device)

    @property
    def is_first(self) -> bool:
        """Whether this one speaks for all."""
        return is_first_process()

    def once(self, make: Callable[[], _T]) -> _T:
        """What the first process makes, handed to all; what it refuses ends them all.

        Raises:
            IsopathError: in the first process; SystemExit in the others.
        """
        if self.count == 1:
            return make()
        from accelerate.utils import broadcast_object_list

        made: list[_T | None] = [None]
        refusal: IsopathError | None = None
        if self.is_first:
            try:
                made = [make()]
            except IsopathError as problem:
                refusal = problem
        refused = [None if refusal is None else str(refusal)]
        broadcast_object_list(refused)
        if refusal is not None:
            raise refusal
        if refused[0] is not None:
            raise SystemExit(2)
        broadcast_object_list(made)
        (handed,) = made
        assert handed is not None
        return handed
