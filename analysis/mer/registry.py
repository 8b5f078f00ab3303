"""Which predictors there are, and which of them hear beside the one that reports."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.mer.predictor import AffectPredictor
from study.plugins import PREDICTORS, load_installed

EMBEDDED = ("musicnn", "cues")
"""The two that come with isopath and fail differently; wherever one of them is shown, the other is too."""


def load_predictor(name: str = "musicnn") -> AffectPredictor:
    """The predictor of that name.

    Raises:
        UnknownName: no such predictor is installed.
        ModelError: its weights are not here.
    """
    predictor: AffectPredictor = load_installed(PREDICTORS, name, "predictor")()
    return predictor


def predictors_beside(name: str) -> tuple[str, ...]:
    """The predictor that reports, first, and those that hear beside it: never one number alone."""
    return (name, *(other for other in EMBEDDED if other != name))


def load_predictors(names: Sequence[str]) -> tuple[AffectPredictor, ...]:
    """Each named predictor once, in the order named.

    Raises:
        UnknownName, ModelError: as `load_predictor`.
    """
    return tuple(load_predictor(name) for name in dict.fromkeys(names))


def ingredients(name: str) -> frozenset[str]:
    """What a predictor hears with: two that share an ingredient are no witnesses of each other.

    An ingredient is a trained network or a set of cues. Essentia's heads on msd-musicnn hear with the very
    weights that `musicnn` does; those on VGGish do not. The ratings that heads were fitted to do not count.
    A predictor of somebody else's, of whose parts nothing is known here, is one ingredient under its name.
    """
    own = _INGREDIENTS.get(name)
    if own is None and name.startswith("essentia"):
        own = ("audioset-vggish",) if name.endswith("-vggish") else ("msd-musicnn",)
    return frozenset(own or (name,))


_INGREDIENTS = {"musicnn": ("msd-musicnn",), "musicnn-cues": ("msd-musicnn", "cues")}
