"""The explicit combination: a mean with a name, on the windows of its first member."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.mer.combined import CombinedPredictor
from analysis.mer.predictor import AffectSeries, Listener, PredictorCard


class Fixed:
    """A predictor that says the same of every sound."""

    def __init__(self, name: str, onset_s: list[float], valence: list[float], window_s: float) -> None:
        self.card = PredictorCard(name, "1", {f"{name}.json": "ab"}, {name: "free"}, (f"{name} is fixed.",))
        values = np.array(valence)
        self._series = AffectSeries(np.array(onset_s), window_s, values, -values, self.card)

    def listen(self, sample_rate_hz: int) -> Listener:
        return self

    def hear(self, block: NDArray[np.float32]) -> None:
        """Nothing is kept."""

    def finish(self) -> AffectSeries:
        return self._series

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        return self._series


@pytest.fixture
def combined() -> CombinedPredictor:
    short = Fixed("short", [0.0, 2.0, 4.0, 6.0], [0.5, 0.5, 0.5, 0.5], 2.0)
    long = Fixed("long", [0.0, 4.0], [-0.5, 0.5], 4.0)
    return CombinedPredictor(short, long)


def test_each_value_is_the_mean_of_both_at_the_centre_of_the_first_ones_window(
    combined: CombinedPredictor,
) -> None:
    series = combined.predict(np.zeros((10, 1), dtype=np.float32), 32_000)

    # The long windows' centres are 2 s and 6 s: −.5, then −.25, .25 and .5 at the short ones' 1, 3, 5, 7 s.
    beside = np.array([-0.5, -0.25, 0.25, 0.5])
    assert series.valence_pred == pytest.approx(np.tanh((np.arctanh(0.5) + np.arctanh(beside)) / 2))
    assert series.arousal_pred == pytest.approx(-series.valence_pred)
    assert series.onset_s.tolist() == [0.0, 2.0, 4.0, 6.0]


def test_its_spread_is_half_of_what_the_two_disagree_by(combined: CombinedPredictor) -> None:
    series = combined.predict(np.zeros((10, 1), dtype=np.float32), 32_000)

    assert series.spread[:, 0] == pytest.approx([0.5, 0.375, 0.125, 0.0])


def test_the_card_names_both_with_their_weights_and_limits(combined: CombinedPredictor) -> None:
    card = combined.card

    assert card.name == "musicnn-cues"
    assert card.version == "1 (short 1, long 1)"
    assert set(card.weights_sha256) == {"short.json", "long.json"}
    assert card.limits[1:] == ("short is fixed.", "long is fixed.")
