"""Which sounds could follow which plans: the courses of an arm as one predictor hears them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from analysis.agreement.path_following import FEWEST_CLIPS, Course
from analysis.agreement.resampling import Resampling, resampling_of
from analysis.mer.hearing import SessionKey
from analysis.mer.registry import ingredients
from analysis.tables.build import StudyTables
from analysis.tables.pairing import NO_MUSIC
from study.manifest import RenderManifest
from study.protocol import StudyProtocol

SHARES_CUES: Mapping[str, frozenset[str]] = {"composer": frozenset({"cues", "musicnn-cues"})}
"""Engine to the predictors that read the very cues it writes: theirs is a manipulation check of it."""


@dataclass(frozen=True)
class PathSet:
    """An arm's sessions as one predictor hears them.

    Args:
        arm, predictor: which.
        is_reporter: whether the protocol names this predictor.
        keys: of each session.
        courses: of each session.
        sounds: of each session, the hash of each clip in order.
        chose: sessions whose clips were chosen among candidates by this predictor, or by one that hears with
            the same: it carries no claim.
        trained: sessions whose generator such a predictor helped to train: it carries no claim either.
        shares_cues: sessions whose engine wrote the cues this predictor reads: a manipulation check.
    """

    arm: str
    predictor: str
    is_reporter: bool
    keys: tuple[SessionKey, ...]
    courses: tuple[Course, ...]
    sounds: tuple[tuple[str, ...], ...]
    chose: int
    trained: int
    shares_cues: int

    @property
    def took_part(self) -> bool:
        """Whether it helped to make any of the sounds that it hears."""
        return self.chose > 0 or self.trained > 0

    @property
    def empty(self) -> str | None:
        """Why there is nothing to compare, or None."""
        if self.courses:
            return None
        return f"no session has {FEWEST_CLIPS} or more clips with both a plan and a prediction"

    @cached_property
    def design(self) -> Resampling:
        """Participants are drawn; sounds too where several heard the same."""
        return resampling_of([who for who, _ in self.keys], ["/".join(sound) for sound in self.sounds])

    @cached_property
    def distinct(self) -> tuple[int, ...]:
        """Places of the sessions that hold each sound first."""
        return tuple({sound: place for place, sound in reversed(list(enumerate(self.sounds)))}.values())[::-1]

    @cached_property
    def shares_single_clips(self) -> bool:
        """Whether different sounds have clips in common, so that not even sounds are independent."""
        owners: dict[str, int] = {}
        for number, sound in enumerate(dict.fromkeys(self.sounds)):
            for clip in sound:
                if owners.setdefault(clip, number) != number:
                    return True
        return False


def path_sets(
    protocol: StudyProtocol, tables: StudyTables, manifests: Mapping[SessionKey, RenderManifest]
) -> Iterator[PathSet]:
    """One set for each arm with music and each predictor, the one that reports first."""
    joined = _joined(tables)
    reporter = protocol.analysis.agreement.predictor
    names = sorted(joined["predictor"].dropna().unique(), key=lambda name: (name != reporter, name))
    for arm in protocol.arms:
        if arm.path.kind in NO_MUSIC:
            continue
        for name in names:
            mine = joined[(joined["arm"] == arm.arm_id) & (joined["predictor"] == name)]
            yield _set(arm.arm_id, str(name), name == reporter, mine, manifests)


def _joined(tables: StudyTables) -> pd.DataFrame:
    """Planned beside predicted, for every clip and predictor with both."""
    clip = ["participant_id", "session_id", "onset_s"]
    planned = tables.clips[[*clip, "valence_target", "arousal_target"]]
    whole = tables.predictions.merge(planned, on=clip, how="left", validate="many_to_one")
    needed = ["valence_pred", "arousal_pred", "valence_target", "arousal_target"]
    return whole.dropna(subset=needed).sort_values(clip)


def _set(
    arm: str,
    predictor: str,
    is_reporter: bool,
    rows: pd.DataFrame,
    manifests: Mapping[SessionKey, RenderManifest],
) -> PathSet:
    keys: list[SessionKey] = []
    courses, sounds = [], []
    time_s = (rows["onset_s"] + rows["duration_s"] / 2).to_numpy(dtype=float)
    planned = rows[["valence_target", "arousal_target"]].to_numpy(dtype=float)
    generated = rows[["valence_pred", "arousal_pred"]].to_numpy(dtype=float)
    clips = rows["clip_sha256"].astype(str).to_numpy()
    owners = list(zip(rows["participant_id"].astype(str), rows["session_id"].astype(str), strict=True))
    for key, mine in itertools.groupby(range(len(rows)), lambda row: owners[row]):
        places = list(mine)
        if len(places) < FEWEST_CLIPS:
            continue
        keys.append(key)
        sounds.append(tuple(clips[places]))
        courses.append(Course(time_s[places], planned[places], generated[places]))
    made = [manifests[key] for key in keys if key in manifests]
    return PathSet(
        arm,
        predictor,
        is_reporter,
        tuple(keys),
        tuple(courses),
        tuple(sounds),
        sum(was_judged_by(manifest, predictor) for manifest in made),
        sum(was_trained_by(manifest, predictor) for manifest in made),
        sum(predictor in SHARES_CUES.get(manifest.engine.get("name", ""), ()) for manifest in made),
    )


def was_judged_by(manifest: RenderManifest, predictor: str) -> bool:
    """Whether this predictor, or one that hears with the same, chose among the candidates of its clips."""
    judge = manifest.rendering.get("judge")
    return judge is not None and _are_one(str(judge), predictor)


def was_trained_by(manifest: RenderManifest, predictor: str) -> bool:
    """Whether such a predictor labelled the training of its generator, or chose among its checkpoints."""
    return any(_are_one(name, predictor) for name in manifest.rendering.get("predictors_in_training", ()))


def _are_one(first: str, second: str) -> bool:
    """Whether two predictors share what they hear with, so that neither is a witness of the other."""
    return not ingredients(first).isdisjoint(ingredients(second))
