"""A large study whose listeners share the clips of one bank, made in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain, islice

import numpy as np

from analysis.mer.predictor import AffectSeries
from study.affect import Affect
from study.events import (
    ConsentGiven,
    EligibilityAssessed,
    EndReason,
    Event,
    ParticipantAllocated,
    ParticipantDiscontinued,
    ParticipantEnrolled,
    PlaybackLogged,
    RecordedEvent,
    SelfReportSubmitted,
    SessionRendered,
)
from study.instruments import Perspective
from study.manifest import ManifestClip, RenderManifest
from study.path import PathKind, PathSpec
from study.protocol import Phase, StudyProtocol
from study.session import Allocation, make_session_plan
from study.simulated_player import Manner, stretch_log
from tests.analysis.made_study import BEGIN, CARD, make_protocol

CLIP_S = 30.0
BANK_CLIPS = 60
SESSION = "ses-01"
WINDOW_S = 3.0


@dataclass(frozen=True)
class LargeStudy:
    """Everything an analysis reads."""

    protocol: StudyProtocol
    events: list[RecordedEvent]
    manifests: dict[tuple[str, str], RenderManifest]
    predictions: dict[tuple[str, str], dict[str, AffectSeries]]


def large_protocol(clips: int) -> StudyProtocol:
    """Two arms, a probe after every clip but the last."""
    duration_s = clips * CLIP_S
    probes = tuple(CLIP_S * number for number in range(1, clips))
    made = make_protocol((PathKind.ISO, PathKind.TARGET_ONLY), probes_at_s=probes)
    arms = tuple(replace(arm, path=PathSpec(arm.path.kind, clips, CLIP_S)) for arm in made.arms)
    return replace(made, duration_s=duration_s, arms=arms)


def large_study(people: int, clips: int, seed: int = 1) -> LargeStudy:
    """`people` participants who hear `clips` clips each, from one bank of `BANK_CLIPS`.

    Every tenth leaves halfway.
    """
    rng = np.random.default_rng(seed)
    protocol = large_protocol(clips)
    bank = rng.uniform(-0.7, 0.7, (BANK_CLIPS, 2))
    heard_as = np.clip(bank + rng.normal(0, 0.15, bank.shape), -1, 1)
    study = LargeStudy(protocol, [], {}, {})
    for number in range(people):
        who = f"sub-{number + 1:05d}"
        pre = _affect(np.array([-0.5, 0.5]) + rng.normal(0, 0.25, 2))
        group = protocol.allocation.groups[number % 2]
        site = ("clinic", "home")[number // 2 % 2]
        allocation = Allocation(who, group.group_id, group.arm_ids, {"site": site}, 0, 0)
        plan = make_session_plan(protocol, allocation, 1, pre)
        chosen = [
            int(np.argmin(((bank - (w.affect.valence, w.affect.arousal)) ** 2).sum(axis=1)))
            for w in plan.path.waypoints
            if w.affect is not None
        ]
        manifest = _manifest(who, plan.sha256, plan.seed, plan.duration_s, bank, chosen)
        study.manifests[who, SESSION] = manifest
        onsets = np.arange(0.0, plan.duration_s - WINDOW_S, WINDOW_S / 2)
        points = heard_as[np.array(chosen)[(onsets // CLIP_S).astype(int)]]
        series = AffectSeries(onsets, WINDOW_S, points[:, 0], points[:, 1], CARD)
        study.predictions[who, SESSION] = {CARD.name: series}
        felt = _felt(rng, pre, heard_as[chosen])
        reports = iter(felt)
        history = _history(protocol, allocation, plan.sha256, plan.arm_id, manifest, pre, reports)
        if number % 10 == 9:
            gone = ParticipantDiscontinued(EndReason.WITHDREW, "")
            history = chain(islice(history, 6 + clips // 2 * 2), (gone,))
        for event in history:
            has_session = not isinstance(
                event,
                (
                    ParticipantEnrolled,
                    ConsentGiven,
                    EligibilityAssessed,
                    ParticipantAllocated,
                    ParticipantDiscontinued,
                ),
            )
            count = len(study.events) + 1
            study.events.append(
                RecordedEvent(
                    count,
                    BEGIN + timedelta(seconds=10 * count),
                    "benchmark",
                    type(event).__name__,
                    protocol.sha256,
                    who,
                    SESSION if has_session else None,
                    event,
                )
            )
    return study


def _history(
    protocol: StudyProtocol,
    allocation: Allocation,
    plan_sha256: str,
    arm_id: str,
    manifest: RenderManifest,
    pre: Affect,
    reports: Iterator[Affect],
) -> Iterator[Event]:
    yield ParticipantEnrolled(dict(allocation.stratum), True)
    yield ConsentGiven("1", "0" * 64, "en")
    yield EligibilityAssessed({"hearing": True}, True)
    yield _report(Phase.PRE, pre)
    yield ParticipantAllocated(allocation.group_id, allocation.arm_ids, allocation.stratum, 0, 0)
    yield SessionRendered(arm_id, plan_sha256, "0" * 64, manifest.audio_sha256, manifest.duration_s)
    from_s = 0.0
    for number, until_s in enumerate((*protocol.probes_at_s, manifest.duration_s)):
        ends = until_s >= manifest.duration_s
        yield PlaybackLogged(f"player-{number}", stretch_log(from_s, until_s, ends, Manner()))
        yield _report(Phase.POST if ends else Phase.PROBE, next(reports), None if ends else until_s)
        from_s = until_s


def _manifest(
    who: str, plan_sha256: str, seed: int, duration_s: float, bank: np.ndarray, chosen: list[int]
) -> RenderManifest:
    clips = tuple(
        ManifestClip(
            "session.flac",
            place * CLIP_S,
            CLIP_S,
            _affect(bank[clip]),
            hashlib.sha256(f"clip {clip}".encode()).hexdigest(),
            -23.0,
        )
        for place, clip in enumerate(chosen)
    )
    sound = hashlib.sha256(" ".join(map(str, chosen)).encode()).hexdigest()
    engine, weights, licences = {"name": "clip_bank"}, {"bank": "abc"}, {"bank": "CC0-1.0"}
    return RenderManifest(
        who, SESSION, plan_sha256, engine, weights, licences, seed, "session.flac", sound,
        32_000, 2, duration_s, -23.0, -1.5, 0.0, clips,
    )  # fmt: skip


def _felt(rng: np.random.Generator, pre: Affect, predicted: np.ndarray) -> list[Affect]:
    """One report a clip: part of it the sound, part the person, part noise."""
    person = np.array([pre.valence, pre.arousal]) * 0.4 + rng.normal(0, 0.15, 2)
    return [_affect(0.5 * point + person + rng.normal(0, 0.2, 2)) for point in predicted]


def _report(phase: Phase, affect: Affect, at_s: float | None = None) -> SelfReportSubmitted:
    raw = {"valence": (affect.valence + 1) / 2, "arousal": (affect.arousal + 1) / 2}
    return SelfReportSubmitted(phase, "slider", Perspective.FELT, raw, affect, {}, (), at_s)


def _affect(point: np.ndarray) -> Affect:
    valence, arousal = np.clip(point, -1, 1)
    return Affect(float(valence), float(arousal))
