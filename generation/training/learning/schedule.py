"""The learning rate over a training, and the optimiser that follows it."""

from __future__ import annotations

import math

import torch
from torch.optim import AdamW

from generation.training.learning.conditioned import ConditionedDecoder
from generation.training.recipe import OptimiserRecipe

_AFFECT = "affect_tokens."


def share_at(step: int, optimiser: OptimiserRecipe) -> float:
    """The share of the highest learning rate that a step takes.

    Linear to 1 at `warmup_steps`, then half a cosine to `final_share` at `max_steps`. Source: Loshchilov &
    Hutter (2017), SGDR: stochastic gradient descent with warm restarts, ICLR, equation 5, one period.

    Args:
        step: from 1 to `max_steps`.
    """
    if step < optimiser.warmup_steps:
        return step / optimiser.warmup_steps
    done = (step - optimiser.warmup_steps) / max(1, optimiser.max_steps - optimiser.warmup_steps)
    falling = 0.5 * (1.0 + math.cos(math.pi * done))
    return optimiser.final_share + (1.0 - optimiser.final_share) * falling


def new_optimiser(model: ConditionedDecoder, optimiser: OptimiserRecipe) -> AdamW:
    """AdamW over what the model trains, in the order of names.

    Vectors (norms and biases) do not decay, as in transformers' trainer; the affect tokens may have a
    learning rate of their own.
    """
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, weight in sorted(model.trained().items()):
        rate = optimiser.learning_rate
        if name.startswith(_AFFECT) and optimiser.affect_learning_rate is not None:
            rate = optimiser.affect_learning_rate
        decay = optimiser.weight_decay if weight.dim() > 1 else 0.0
        groups.setdefault((rate, decay), []).append(weight)
    return AdamW(
        [
            {"params": weights, "lr": rate, "highest": rate, "weight_decay": decay}
            for (rate, decay), weights in groups.items()
        ],
        betas=optimiser.betas,
    )


def take_rate(adamw: AdamW, step: int, optimiser: OptimiserRecipe) -> float:
    """Set the learning rates of a step; returns that of the first group."""
    for group in adamw.param_groups:
        group["lr"] = group["highest"] * share_at(step, optimiser)
    return float(adamw.param_groups[0]["lr"])
