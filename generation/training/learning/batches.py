"""Which windows a step sees, and what of each is told: a function of seed, step and process alone.

Nothing is kept between steps, so a training that is taken up again needs no state of a sampler. Windows
are drawn in rounds of as many draws as there are windows; in a round each is drawn as often as its weight
says, rounded up or down (systematic sampling: Madow 1949, On the theory of systematic sampling II, Annals of
Mathematical Statistics 20, 333-354), in an order of that round's own. With equal weights a round is an epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from generation.training.learning.examples import Told
from generation.training.recipe import ConditioningRecipe, Recipe
from study.errors import OutOfRange


class Chance(IntEnum):
    """What a stream of random numbers is for."""

    ORDER = 0
    DROPPING = 1
    MODEL = 2
    VALIDATION = 3


def stream(seed: int, chance: Chance, *counts: int) -> np.random.Generator:
    """Random numbers that depend on these numbers alone (Philox, counter-based).

    Args:
        seed: from 0.
        counts: up to three, each from 0: step, batch, process.
    """
    key = np.random.SeedSequence([seed, chance]).generate_state(2, np.uint64)
    counter = [0, *counts, *(0,) * (3 - len(counts))]
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


@dataclass(frozen=True)
class Drawn:
    """One row of a batch.

    Args:
        number: of the example.
        told: what the model hears of it.
    """

    number: int
    told: Told


class Batches:
    """The batches of a whole training.

    Args:
        weights: how often each example is drawn, shape [n], mean 1.
        recipe: gives the seed, the size of a batch and the shares that are dropped.
        n_processes: that learn together.

    Raises:
        OutOfRange: there is no example, or shares or sizes outside their range.
    """

    def __init__(self, weights: NDArray[np.float64], recipe: Recipe, n_processes: int) -> None:
        _check(weights, recipe)
        self._weights, self._seed, self._n_processes = weights, recipe.seed, n_processes
        self._conditioning = recipe.conditioning
        self._rows, self._accumulation = recipe.optimiser.batch_clips, recipe.optimiser.accumulation
        self._rounds: dict[int, NDArray[np.int64]] = {}

    @property
    def windows_a_step(self) -> int:
        """Of all processes together."""
        return self._rows * self._accumulation * self._n_processes

    def batch(self, step: int, part: int, process: int) -> list[Drawn]:
        """Rows of one batch.

        Args:
            step: from 1.
            part: from 0 to `accumulation` - 1.
            process: from 0.
        """
        first = (step - 1) * self.windows_a_step + (part * self._n_processes + process) * self._rows
        numbers = [self._number(first + row) for row in range(self._rows)]
        chances = stream(self._seed, Chance.DROPPING, step, part, process).random(self._rows)
        told = [told_at(float(chance), self._conditioning) for chance in chances]
        return [Drawn(number, telling) for number, telling in zip(numbers, told, strict=True)]

    def _number(self, draw: int) -> int:
        turn, place = divmod(draw, len(self._weights))
        if turn not in self._rounds:
            # A batch may lie across two rounds; more are never asked for again.
            self._rounds = {key: order for key, order in self._rounds.items() if key == turn - 1}
            self._rounds[turn] = round_of(self._weights, self._seed, turn)
        return int(self._rounds[turn][place])


def round_of(weights: NDArray[np.float64], seed: int, turn: int) -> NDArray[np.int64]:
    """One round: as many numbers of examples as there are examples, shape [n].

    Args:
        weights: mean 1; example i is drawn floor(w_i) or ceil(w_i) times.
        turn: from 0.
    """
    chance = stream(seed, Chance.ORDER, turn)
    edges = np.cumsum(weights)
    ticks = (np.arange(len(weights)) + chance.random()) * (edges[-1] / len(weights))
    drawn = np.searchsorted(edges, ticks, side="right").clip(max=len(weights) - 1)
    return chance.permutation(drawn)


def told_at(chance: float, conditioning: ConditioningRecipe) -> Told:
    """What a row is told.

    Args:
        chance: from 0 to 1: the first `drop_both` of it is told nothing, the next `drop_words` no words, the
            next `drop_affect` no affect, and what is left everything.
    """
    edges = np.cumsum((conditioning.drop_both, conditioning.drop_words, conditioning.drop_affect))
    kinds = (Told(words=False, affect=False), Told(words=False), Told(affect=False), Told())
    return kinds[int(np.searchsorted(edges, chance, side="right"))]


def model_seed(seed: int, step: int, part: int, process: int) -> int:
    """What the model's own chance (dropout) starts from at one batch; 63 bits."""
    return int(stream(seed, Chance.MODEL, step, part, process).integers(2**63))


def _check(weights: NDArray[np.float64], recipe: Recipe) -> None:
    conditioning, optimiser = recipe.conditioning, recipe.optimiser
    if not len(weights):
        raise OutOfRange("train", "it has no window", "look at the data card for what was left out")
    shares = (conditioning.drop_both, conditioning.drop_words, conditioning.drop_affect)
    if not (min(shares) >= 0.0 and sum(shares) <= 1.0):
        raise OutOfRange(
            "conditioning",
            f"drop_both, drop_words and drop_affect are {shares}",
            "write shares from 0 that make at most 1 together",
        )
    for name in ("batch_clips", "accumulation", "max_steps"):
        if getattr(optimiser, name) < 1:
            raise OutOfRange(
                f"optimiser.{name}", f"{getattr(optimiser, name)} is below 1", "write a whole number from 1"
            )
    if recipe.seed < 0:
        raise OutOfRange("seed", f"{recipe.seed} is negative", "write a whole number from 0")
