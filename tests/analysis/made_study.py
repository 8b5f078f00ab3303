"""A study made by hand for the tests of the analysis: protocol, events, manifests and predictions.

The felt response is a function of the planned path, of `effect` and of noise;
the prediction is the planned path plus its own noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from analysis.mer.predictor import AffectSeries, PredictorCard
from study.affect import Affect
from study.analysis_plan import AgreementSpec, AnalysisSpec, Contrast, Estimand
from study.events import (
    ConsentGiven,
    EligibilityAssessed,
    Event,
    ParticipantAllocated,
    ParticipantEnrolled,
    PlaybackEnded,
    PlaybackStarted,
    RecordedEvent,
    RehearsalStarted,
    SelfReportSubmitted,
    SessionRendered,
    StudyInitialised,
)
from study.instruments import Instrument, Perspective
from study.manifest import ManifestClip, RenderManifest
from study.path import PathKind, PathSpec
from study.protocol import (
    AllocationGroup,
    AllocationSpec,
    Arm,
    Assessment,
    Design,
    EligibilityQuestion,
    EngineSpec,
    Phase,
    Safety,
    Stratum,
    StudyProtocol,
)
from study.session import Allocation, make_session_plan, session_id_of

SHA = hashlib.sha256(b"a protocol").hexdigest()
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CARD = PredictorCard(
    "musicnn",
    "1",
    {"weights.npz": "0" * 64},
    {"weights": "ISC"},
    ("It does not hear mode.", "Not validated."),
)


def make_protocol(
    kinds: Sequence[PathKind] = (PathKind.ISO, PathKind.TARGET_ONLY),
    design: Design = Design.PARALLEL,
    start: Affect | None = None,
    multiplicity: str = "holm",
    covariates: tuple[str, ...] = ("pre_valence", "pre_arousal", "site"),
    probes_at_s: tuple[float, ...] = (60.0, 120.0, 180.0),
    endpoint: str = "projected_progress",
) -> StudyProtocol:
    """A protocol with one arm per kind; sessions of 240 s in eight steps of 30 s."""
    target = Affect(0.6, -0.4)
    arms = tuple(
        Arm(
            str(kind),
            str(kind).replace("_", " ").capitalize(),
            PathSpec(kind, 8, 30.0),
            None,
            target,
            EngineSpec(),
        )
        for kind in kinds
    )
    ids = tuple(arm.arm_id for arm in arms)
    groups: tuple[AllocationGroup, ...]
    if design is Design.CROSSOVER:
        groups = (AllocationGroup("ab", ids, 1), AllocationGroup("ba", ids[::-1], 1))
    else:
        groups = tuple(AllocationGroup(arm_id, (arm_id,), 1) for arm_id in ids)
    contrasts = tuple(
        Contrast(f"{ids[0]}_vs_{other}", (ids[0], other), index == 0) for index, other in enumerate(ids[1:])
    )
    return StudyProtocol(
        sha256=SHA,
        study_id="calm",
        title="Calm after stress <iso & co>",
        version="1.0",
        languages=("en",),
        design=design,
        sample_size=40,
        session_count=len(groups[0].arm_ids),
        visit_windows=(),
        duration_s=240.0,
        clip_s=30.0,
        start=start,
        target=target,
        max_step=None,
        arms=arms,
        allocation=AllocationSpec(groups, (Stratum("site", ("clinic", "home")),), (2, 4)),
        eligibility=(EligibilityQuestion("hearing", {"en": "Can you hear?"}, True),),
        consent_version="1",
        consent_text={"en": "Yes."},
        induction_text=None,
        instruments=(Instrument("slider", "affective_slider", Perspective.FELT),),
        assessments=(
            Assessment(Phase.PRE, ("slider",)),
            Assessment(Phase.PROBE, ("slider",), probes_at_s),
            Assessment(Phase.POST, ("slider",)),
        ),
        safety=Safety(-23.0, -0.6, 0.5, {"en": "Call us."}),
        delivery="live",
        analysis=AnalysisSpec(
            endpoint,
            "slider",
            Estimand(
                "All who were allocated",
                "Progress toward the target",
                "Difference in adjusted means",
                {"stopped_early": "treatment_policy", "withdrew": "treatment_policy"},
            ),
            covariates,
            contrasts,
            multiplicity,
            0.05,
            AgreementSpec("musicnn", 30.0, 60.0),
        ),
    )


@dataclass
class MadeStudy:
    """A record in the making."""

    protocol: StudyProtocol
    events: list[RecordedEvent] = field(default_factory=list)
    manifests: dict[tuple[str, str], RenderManifest] = field(default_factory=dict)
    predictions: dict[tuple[str, str], dict[str, AffectSeries]] = field(default_factory=dict)

    def add(
        self, event: Event | None, who: str | None = None, session: str | None = None, kind: str = ""
    ) -> None:
        """Record one event, a minute after the last."""
        number = len(self.events) + 1
        self.events.append(
            RecordedEvent(
                number,
                BEGIN + timedelta(minutes=number),
                "test",
                kind or type(event).__name__,
                self.protocol.sha256,
                who,
                session,
                event,
            )
        )

    def report(
        self, who: str, session: str | None, phase: Phase, affect: Affect | None, at_s: float | None = None
    ) -> None:
        """Record a report on the slider."""
        raw = (
            {}
            if affect is None
            else {
                "valence": (affect.valence + 1) / 2,
                "arousal": (affect.arousal + 1) / 2,
            }
        )
        missed = ("arousal",) if affect is None else ()
        raw = raw or {"valence": 0.5}
        self.add(
            SelfReportSubmitted(phase, "slider", Perspective.FELT, raw, affect, {}, missed, at_s),
            who,
            session,
        )

    def enrol(self, who: str, site: str = "home", simulated: bool = True) -> None:
        """Enrol, consent, eligible."""
        self.add(ParticipantEnrolled({"site": site}, simulated), who)
        self.add(ConsentGiven("1", "0" * 64, "en"), who)
        self.add(EligibilityAssessed({"hearing": True}, True), who)

    def allocate(self, who: str, group: str, site: str = "home") -> None:
        """Allocate to a group of the protocol."""
        arm_ids = next(g.arm_ids for g in self.protocol.allocation.groups if g.group_id == group)
        self.add(ParticipantAllocated(group, arm_ids, {"site": site}, 0, 0), who)

    def render(
        self, who: str, number: int, pre: Affect, noise: np.ndarray | float = 0.0, own: bool = True
    ) -> RenderManifest:
        """Render a session: the record's event, its manifest and its prediction."""
        allocated = next(
            e.event
            for e in self.events
            if e.participant_id == who and isinstance(e.event, ParticipantAllocated)
        )
        plan = make_session_plan(
            self.protocol,
            Allocation(who, allocated.group_id, allocated.arm_ids, allocated.stratum, 0, 0),
            number,
            pre,
        )
        session = session_id_of(number)
        sound = f"{who if own else ''}/{session if own else ''}"
        clips = tuple(
            ManifestClip(
                "session.flac",
                w.onset_s,
                w.duration_s,
                w.affect,
                hashlib.sha256(f"{sound}/{w.onset_s}".encode()).hexdigest(),
                -23.0,
            )
            for w in plan.path.waypoints
        )
        manifest = RenderManifest(
            who,
            session,
            plan.sha256,
            {"name": "composer", "version": "1"},
            {"bank": "abc"},
            {"bank": "CC0-1.0"},
            plan.seed,
            "session.flac",
            hashlib.sha256(sound.encode()).hexdigest(),
            32_000,
            2,
            plan.duration_s,
            -23.0,
            -1.5,
            0.0,
            clips,
        )
        self.add(
            SessionRendered(plan.arm_id, plan.sha256, "0" * 64, manifest.audio_sha256, plan.duration_s),
            who,
            session,
        )
        self.manifests[who, session] = manifest
        if plan.path.has_affect:
            onsets = np.arange(0.0, plan.duration_s - 2.9, 1.5)
            points = np.clip(plan.path.affect_at(onsets + 1.5) + noise, -1, 1)
            series = AffectSeries(onsets, 3.0, points[:, 0], points[:, 1], CARD)
            self.predictions[who, session] = {CARD.name: series}
        return manifest


def simulate(
    protocol: StudyProtocol,
    participants: int,
    effect: float = 0.5,
    seed: int = 1,
    spread: Mapping[str, float] | None = None,
    rehearsal: bool = True,
) -> MadeStudy:
    """A whole study without drop-outs; the first arm ends `effect` further toward the target."""
    rng = np.random.default_rng(seed)
    study = MadeStudy(protocol)
    study.add(StudyInitialised(protocol.study_id, "{}", "0" * 64, "isopath"))
    if rehearsal:
        study.add(RehearsalStarted(participants, effect, 0.5, seed, protocol.duration_s))
    groups = [group.group_id for group in protocol.allocation.groups]
    first_arm = protocol.arms[0].arm_id
    for index in range(participants):
        who, site = f"sub-{index + 1:03d}", ("clinic", "home")[index // len(groups) % 2]
        study.enrol(who, site, simulated=rehearsal)
        person = rng.normal(0, 0.12, 2)
        for number in range(1, protocol.session_count + 1):
            session = session_id_of(number)
            pre = _affect(np.array([-0.5, 0.5]) + rng.normal(0, 0.2, 2))
            study.report(who, session, Phase.PRE, pre)
            if number == 1:
                study.allocate(who, groups[index % len(groups)], site)
            manifest = study.render(who, number, pre, rng.normal(0, 0.05, 2))
            arm = next(
                g for g in protocol.allocation.groups if g.group_id == groups[index % len(groups)]
            ).arm_ids[number - 1]
            pull = 0.55 + (effect if arm == first_arm else 0.0) * 0.5
            wide = (spread or {}).get(arm, 0.15)
            study.add(PlaybackStarted(0.0), who, session)
            for at_s in protocol.probes_at_s:
                share = pull * at_s / protocol.duration_s
                study.report(
                    who, session, Phase.PROBE, _felt(pre, protocol.target, share, person, rng, 0.12), at_s
                )
            study.add(PlaybackEnded(manifest.duration_s), who, session)
            study.report(who, session, Phase.POST, _felt(pre, protocol.target, pull, person, rng, wide))
    return study


def other_sha(protocol: StudyProtocol) -> StudyProtocol:
    """The same protocol under another hash."""
    return replace(protocol, sha256=hashlib.sha256(b"another").hexdigest())


def _felt(
    pre: Affect, target: Affect, share: float, person: np.ndarray, rng: np.random.Generator, spread: float
) -> Affect:
    start, end = np.array([pre.valence, pre.arousal]), np.array([target.valence, target.arousal])
    return _affect(start + share * (end - start) + person + rng.normal(0, spread, 2))


def _affect(point: np.ndarray) -> Affect:
    valence, arousal = np.clip(point, -1, 1)
    return Affect(float(valence), float(arousal))
