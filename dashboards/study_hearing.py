"""What the predictors hear in a study's rendered sessions: the one that reports, and those beside it.

The wiring that analysis, exports, pages and `isopath render` share. Sessions the server renders while their
people wait are not heard then: the next person in the queue would wait for it. The analysis hears them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analysis.mer.hearing import HeardSession, Predictions, SessionKey, hear_sessions
from analysis.mer.registry import load_predictors, predictors_beside
from analysis.tables.pairing import NO_MUSIC
from study.events import SessionRendered
from study.founding import Study
from study.manifest import RenderManifest


def hear_study(
    study: Study, manifests: Mapping[SessionKey, RenderManifest], progress: Callable[[int, int], None]
) -> Predictions:
    """What is heard in each of these sessions that has music, kept in the study folder.

    Args:
        manifests: of rendered sessions.
        progress: told how many sessions are done, and of how many. All of them count, with music or
            without, so that the figure tells no arm.

    Raises:
        UnknownName, ModelError: a predictor is not here.
        AudioError: a sound cannot be used, or is not what was rendered.
    """
    kinds = {
        (recorded.participant_id, recorded.session_id): study.protocol.arm(recorded.event.arm_id).path.kind
        for recorded in study.record.events(kinds=[SessionRendered])
        if isinstance(recorded.event, SessionRendered)
    }
    heard = [
        HeardSession(key, study.folder.sessions / key[0] / key[1] / manifest.stim_file, manifest.audio_sha256)
        for key, manifest in manifests.items()
        if kinds[key] not in NO_MUSIC
    ]
    # Loaded whether or not there is music: that a predictor is not here must tell no arm.
    predictors = load_predictors(predictors_beside(study.protocol.analysis.agreement.predictor))
    of = len(manifests)
    if not heard:
        progress(of, of)
        return {}

    def done(n: int) -> None:
        progress(of if n == len(heard) else n, of)

    return hear_sessions(heard, predictors, study.folder.predictions, done)
