"""Which predictors there are: the embedded one, and those that plug in."""

from __future__ import annotations

from importlib.metadata import entry_points

from analysis.mer.musicnn import MusicnnPredictor
from analysis.mer.predictor import AffectPredictor
from study.errors import UnknownName

ENTRY_POINTS = "isopath.predictors"


def load_predictor(name: str = "musicnn") -> AffectPredictor:
    """The predictor of that name: the embedded one, or one plugged in.

    Others join through the entry-point group ``isopath.predictors``: a callable
    without arguments that returns an `AffectPredictor`.

    Raises:
        UnknownName: no such predictor is installed.
    """
    if name == "musicnn":
        return MusicnnPredictor()
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            predictor: AffectPredictor = entry.load()()
            return predictor
    known = "write one of " + ", ".join(predictor_names())
    if name == "essentia":
        raise UnknownName(
            "predictor",
            "'essentia' is not built in (its library is AGPL-3.0, its models CC BY-NC-SA 4.0)",
            "pip install 'isopath[essentia]', fetch the models yourself and install a package that"
            f" registers a predictor under {ENTRY_POINTS}; or {known}",
        )
    raise UnknownName("predictor", f"{name!r} is not a predictor", known)


def predictor_names() -> tuple[str, ...]:
    """The embedded predictor and every plugged-in one."""
    return ("musicnn", *sorted(entry.name for entry in entry_points(group=ENTRY_POINTS)))
