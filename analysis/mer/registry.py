"""Which predictors there are."""

from __future__ import annotations

from analysis.mer.predictor import AffectPredictor
from study.errors import UnknownName
from study.plugins import PREDICTORS, installed_names, load_installed


def load_predictor(name: str = "musicnn") -> AffectPredictor:
    """The predictor of that name.

    Raises:
        UnknownName: no such predictor is installed.
    """
    if name == "essentia" and name not in installed_names(PREDICTORS):
        raise UnknownName(
            "predictor",
            "'essentia' is not built in (its library is AGPL-3.0, its models CC BY-NC-SA 4.0)",
            "pip install 'isopath[essentia]', fetch the models yourself and install a package that registers"
            f" a predictor under {PREDICTORS}; or write one of " + ", ".join(installed_names(PREDICTORS)),
        )
    predictor: AffectPredictor = load_installed(PREDICTORS, name, "predictor")()
    return predictor
