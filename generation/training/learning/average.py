"""A moving average of the trained weights, which often plays better than the last step's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class WeightAverage:
    """Exponential moving average by torch's own formula, of the trained weights only.

    Args:
        weights: what is trained, by name.
        decay: of the average, 0 to 1: e.g. 0.999 remembers about a thousand steps.

    Attributes:
        tensors: the average, by name; the first step's weights until there are more.
    """

    def __init__(self, weights: Mapping[str, nn.Parameter], decay: float) -> None:
        self._weights = dict(weights)
        self._average = get_ema_multi_avg_fn(decay)
        self.tensors = {name: weight.detach().clone() for name, weight in weights.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the weights in after a step (from 1)."""
        if step == 1:
            self.load({name: weight.detach() for name, weight in self._weights.items()})
        else:
            self._average(list(self.tensors.values()), list(self._weights.values()), step)

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the average from a checkpoint."""
        for name, kept in self.tensors.items():
            kept.copy_(tensors[name])

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """The model with the average as its weights; its own are put back to the bit."""
        own = {name: weight.detach().clone() for name, weight in self._weights.items()}
        self._put(self.tensors)
        try:
            yield
        finally:
            self._put(own)

    @torch.no_grad()
    def _put(self, tensors: Mapping[str, Tensor]) -> None:
        for name, weight in self._weights.items():
            weight.copy_(tensors[name])
