"""`musicnn-cues`: the two embedded predictors as one, for those who need a single number and ask for it.

Nothing averages predictors unasked: this is a predictor of its own, with its own name in every table. Valence
and arousal are each the tanh of the mean of both members' atanh, half and half; no weight was fitted. Both
members are scaled to the mean and spread of the same published ratings, so neither outweighs the other; a
mean of two that disagree lies nearer to neutral than either.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.mer.cues.predictor import CuesPredictor
from analysis.mer.musicnn.predictor import MusicnnPredictor
from analysis.mer.predictor import AffectSeries, Listener, PredictorCard, StreamingPredictor

NAME = "musicnn-cues"
VERSION = "1"
SPREAD = "Half of what the two predictors disagree by; not how wrong both of them may be."


class CombinedPredictor:
    """Two predictors' mean on the windows of the first; the second is read off at their centres.

    Args:
        first, second: the members.
    """

    def __init__(
        self, first: StreamingPredictor | None = None, second: StreamingPredictor | None = None
    ) -> None:
        self._members = (first or MusicnnPredictor(), second or CuesPredictor())

    @cached_property
    def card(self) -> PredictorCard:
        """Both members' weights, licences and limits."""
        first, second = (member.card for member in self._members)
        return PredictorCard(
            name=NAME,
            version=f"{VERSION} ({first.name} {first.version}, {second.name} {second.version})",
            weights_sha256={**first.weights_sha256, **second.weights_sha256},
            licences={**first.licences, **second.licences},
            limits=(
                f"It is the mean of {first.name} and {second.name}, half and half; look at both where they"
                " differ.",
                *dict.fromkeys((*first.limits, *second.limits)),
            ),
            spread=SPREAD,
            domain=first.domain,
        )

    def listen(self, sample_rate_hz: int) -> Listener:
        """Both members, side by side."""
        return _Both([member.listen(sample_rate_hz) for member in self._members], self.card)

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        """Windowed valence and arousal; see `AffectPredictor.predict`.

        Raises:
            AudioError: either member cannot hear the sound.
        """
        listener = self.listen(sample_rate_hz)
        listener.hear(samples)
        return listener.finish()


class _Both:
    def __init__(self, listeners: list[Listener], card: PredictorCard) -> None:
        self._listeners = listeners
        self._card = card

    def hear(self, block: NDArray[np.float32]) -> None:
        for listener in self._listeners:
            listener.hear(block)

    def finish(self) -> AffectSeries:
        first, second = (listener.finish() for listener in self._listeners)
        centres = first.onset_s + first.window_s / 2
        found, halves = [], []
        for own, other in (
            (first.valence_pred, second.valence_pred),
            (first.arousal_pred, second.arousal_pred),
        ):
            # Beyond the centres of its first and last window a predictor is taken to stay as it was there.
            beside = np.interp(centres, second.onset_s + second.window_s / 2, other)
            found.append(np.tanh((np.arctanh(own) + np.arctanh(beside)) / 2))
            halves.append(np.abs(own - beside) / 2)
        return AffectSeries(
            first.onset_s,
            first.window_s,
            found[0],
            found[1],
            self._card,
            np.stack(halves, axis=1),
            first.domain_distance,
        )
