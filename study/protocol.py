"""The study protocol as the rest of isopath sees it: frozen, checked, hashed.

`study/protocol_file.py` reads it from JSON; nothing here knows about files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from study.affect import Affect
from study.analysis_plan import AnalysisSpec
from study.errors import RecordMismatch, UnknownName
from study.instruments import Instrument
from study.path import PathSpec
from study.questionnaire import PALETTE, PREFERRED, Item, Questionnaire, Text


class Phase(StrEnum):
    """When a report is given. `pre` is the last report before listening."""

    BASELINE = "baseline"
    PRE = "pre"
    PROBE = "probe"
    POST = "post"
    FOLLOW_UP = "follow_up"


class Design(StrEnum):
    """Whether a person meets one arm or several in turn."""

    PARALLEL = "parallel"
    CROSSOVER = "crossover"


@dataclass(frozen=True)
class EngineSpec:
    """Which engine makes an arm's music, and its options as written in the protocol."""

    name: str = "composer"
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Arm:
    """One arm: what is planned for those allocated to it.

    Args:
        arm_id: as contrasts and tables name it.
        label: for the study team.
        path: the resolved shape (study defaults and the arm's own fields).
        start: a fixed start; None means the participant's `pre` report.
        target: where the path leads.
        engine: what makes the music of a composed path.
        files: sound files, relative to the protocol file, for kinds that need them.
        told: how the debriefing names it to people; None where that is the label.
    """

    arm_id: str
    label: str
    path: PathSpec
    start: Affect | None
    target: Affect
    engine: EngineSpec
    files: tuple[str, ...] = ()
    told: Text | None = None

    @property
    def plays_preferred_palette(self) -> bool:
        """Whether each person hears the palette that they chose."""
        return self.engine.options.get(PALETTE) == PREFERRED

    def told_in(self, language: str) -> str:
        """What a debriefing that tells the arm says it was."""
        return self.label if self.told is None else self.told[language]


@dataclass(frozen=True)
class AllocationGroup:
    """What one allocation gives: an arm per session.

    Args:
        group_id: the arm's id in a parallel design, the sequence's in a crossover.
        arm_ids: one arm per session, in order.
        weight: its share of the allocation ratio, a whole number from 1.
    """

    group_id: str
    arm_ids: tuple[str, ...]
    weight: int


@dataclass(frozen=True)
class Stratum:
    """A stratification factor and its levels."""

    factor: str
    levels: tuple[str, ...]


SITE = "site"
"""The stratification factor that a protocol's `sites` are the levels of."""


class AllocationMethod(StrEnum):
    """How the next place is drawn; see `study.allocation`."""

    PERMUTED_BLOCKS = "permuted_blocks"
    MINIMISATION = "minimisation"
    SIMPLE = "simple"
    BIASED_COIN = "biased_coin"


class ImbalanceMeasure(StrEnum):
    """What minimisation keeps small for each factor (Pocock & Simon 1975, §3.2)."""

    RANGE = "range"
    VARIANCE = "variance"
    MARGINAL_TOTALS = "marginal_totals"


@dataclass(frozen=True)
class AllocationSpec:
    """How people come to arms.

    Args:
        groups: what may be allocated, with weights.
        strata: factors; each combination of levels has its own list, except under minimisation.
        block_sizes: of permuted blocks, drawn at random; each a multiple of the sum of weights.
        probability: of the group that balances best (minimisation) or lags behind (biased coin).
        imbalance: what minimisation keeps small.
        factor_weights: of minimisation, by factor; a factor that is not named weighs 1.
        list_factors: under minimisation, the factors whose levels are balanced apart from each other.
    """

    groups: tuple[AllocationGroup, ...]
    strata: tuple[Stratum, ...]
    block_sizes: tuple[int, ...]
    method: AllocationMethod = AllocationMethod.PERMUTED_BLOCKS
    probability: float | None = None
    imbalance: ImbalanceMeasure = ImbalanceMeasure.RANGE
    factor_weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    list_factors: tuple[str, ...] = ()


@dataclass(frozen=True)
class EligibilityQuestion:
    """A yes/no question; `eligible_if` is the answer that lets a person take part."""

    question_id: str
    text: Text
    eligible_if: bool


@dataclass(frozen=True)
class Assessment:
    """Instruments given at one phase; `at_s` are the onsets of probes in session time."""

    phase: Phase
    instrument_ids: tuple[str, ...]
    at_s: tuple[float, ...] = ()
    after_days: float | None = None


@dataclass(frozen=True)
class VisitWindow:
    """When session `session_number` (from 2) may take place, in days after session 1."""

    session_number: int
    from_day: float
    to_day: float


@dataclass(frozen=True)
class StopRule:
    """When an arm's harm asks for a halt: people with such an event, as a number and a share.

    Args:
        counts: ``distress`` (reported or a stop for distress), ``adverse_event``,
            or ``serious_adverse_event`` (severity severe or worse).
        at_least: people of one arm.
        of_share: and at least this share of those who began to listen in it, 0 to 1.
    """

    rule_id: str
    counts: str
    at_least: int
    of_share: float = 0.0


@dataclass(frozen=True)
class Safety:
    """Level and distress rules, equal for every arm.

    Args:
        loudness_lufs: integrated session loudness (ITU-R BS.1770).
        distress_valence: a felt valence at or below this, in [-1, 1], is distress.
        distress_arousal: ... when arousal is also at or above this.
        support_text: shown whenever a person stops or is in distress.
    """

    loudness_lufs: float
    distress_valence: float
    distress_arousal: float
    support_text: Text
    stop_rules: tuple[StopRule, ...] = ()

    def is_distress(self, felt: Affect) -> bool:
        """Whether a felt affect lies in the protocol's region of distress."""
        return felt.valence <= self.distress_valence and felt.arousal >= self.distress_arousal


@dataclass(frozen=True)
class SoundCheck:
    """What is checked before the first report of a session.

    Args:
        headphone_test: ``huggins`` (Milne et al. 2021), ``antiphase`` (Woods et al. 2017), or None.
        trials, pass_at: of the headphone test.
        attempts: how often it may be tried.
        ends_on_failure: whether a last failed attempt ends the person's part; else it is only recorded.
    """

    headphone_test: str | None
    trials: int
    pass_at: int
    attempts: int
    ends_on_failure: bool


@dataclass(frozen=True)
class Debrief:
    """What people are told at the end.

    Args:
        after_follow_up: whether it waits for the follow-up reports; else it follows the last session.
        tells_arm: whether the page names the person's own arm by its label.
    """

    text: Text
    after_follow_up: bool
    tells_arm: bool


@dataclass(frozen=True)
class PrivacySpec:
    """How long data are kept, and who answers for them.

    Args:
        retention_years: from the freeze.
        identities_months: from the end of a person's part, until nobody can tell any more who they are;
            None where the protocol does not say.
        contact: whom people ask about their data, or None.
    """

    retention_years: int
    identities_months: int | None = None
    contact: str | None = None


@dataclass(frozen=True)
class ListeningSpec:
    """What stands on the page while the music plays.

    Args:
        has_visual: a slow, gentle picture, which a person may switch off.
        rating_instrument_id: an affect_grid or affective_slider rated at 1 Hz while listening, or None.
    """

    has_visual: bool = True
    rating_instrument_id: str | None = None


@dataclass(frozen=True)
class Contact:
    """Who may be asked about the study."""

    role: str
    name: str
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True)
class StudyProtocol:
    """One study, as pre-specified.

    Args:
        sha256: of the protocol file's bytes, as lower-case hex.
        start: a fixed start for all arms; None means the `pre` report.
        target: the target the endpoint is measured against.
        clip_s: length of a clip; a step holds one or several.
        max_step: the largest step an iso path may take, or None.
        time_lapse_of_s: the planned length, where this is the study in time-lapse; else None.
        population: who takes part, in words.
        registration, ethics: as registry and committee gave them, or None.
        questionnaires: the study's own; assessments name them as they name instruments.
        amends: the version it follows, or None for the first; people may still be under it.
        privacy: how long data are kept, or None where the protocol does not say.
        public_title: what participants' pages call the study, since its full title may tell the arms.
        bank_points: starting moods along each axis that a bank holds, for delivery ``bank``; else None.
    """

    sha256: str
    study_id: str
    title: str
    version: str
    languages: tuple[str, ...]
    design: Design
    sample_size: int
    session_count: int
    visit_windows: tuple[VisitWindow, ...]
    duration_s: float
    clip_s: float
    start: Affect | None
    target: Affect
    max_step: float | None
    arms: tuple[Arm, ...]
    allocation: AllocationSpec
    eligibility: tuple[EligibilityQuestion, ...]
    consent_version: str
    consent_text: Text
    induction_text: Text | None
    instruments: tuple[Instrument, ...]
    assessments: tuple[Assessment, ...]
    safety: Safety
    delivery: str
    analysis: AnalysisSpec
    population: str = ""
    description: str | None = None
    registration: str | None = None
    ethics: str | None = None
    contacts: tuple[Contact, ...] = ()
    time_lapse_of_s: float | None = None
    sound_check: SoundCheck | None = None
    questionnaires: tuple[Questionnaire, ...] = ()
    debrief: Debrief | None = None
    listening: ListeningSpec = ListeningSpec()
    bank_points: int | None = None
    public_title: Text | None = None
    privacy: PrivacySpec | None = None
    amends: StudyProtocol | None = field(default=None, compare=False, repr=False)

    def knows(self, sha256: str) -> bool:
        """Whether this is that version, or one it follows."""
        return any(version.sha256 == sha256 for version in self.versions)

    def under(self, sha256: str) -> StudyProtocol:
        """That version: this one, or one it follows.

        Raises:
            RecordMismatch: it is neither.
        """
        for version in self.versions:
            if version.sha256 == sha256:
                return version
        problem = f"is under protocol {sha256[:12]}, which is no version of {self.study_id}"
        raise RecordMismatch("the record", problem, "restore the last backup")

    @property
    def versions(self) -> tuple[StudyProtocol, ...]:
        """This version and those before it, the newest first."""
        earlier = () if self.amends is None else self.amends.versions
        return (self, *earlier)

    def lasting(self, duration_s: float) -> StudyProtocol:
        """The same study in time-lapse: every time within a session scaled alike."""
        share = duration_s / self.duration_s
        agreement = self.analysis.agreement
        return replace(
            self,
            duration_s=duration_s,
            time_lapse_of_s=self.time_lapse_of_s or self.duration_s,
            amends=None if self.amends is None else self.amends.lasting(duration_s),
            clip_s=self.clip_s * share,
            arms=tuple(
                replace(arm, path=replace(arm.path, step_s=arm.path.step_s * share)) for arm in self.arms
            ),
            assessments=tuple(
                replace(given, at_s=tuple(at_s * share for at_s in given.at_s)) for given in self.assessments
            ),
            analysis=replace(
                self.analysis,
                agreement=replace(
                    agreement,
                    probe_window_s=agreement.probe_window_s * share,
                    post_window_s=agreement.post_window_s * share,
                ),
            ),
        )

    @property
    def palette_items(self) -> tuple[tuple[str, Item], ...]:
        """Every item that asks for a palette, with its questionnaire."""
        return tuple(
            (questionnaire.questionnaire_id, item)
            for questionnaire in self.questionnaires
            for item in questionnaire.items
            if item.measures == PALETTE
        )

    def arm(self, arm_id: str) -> Arm:
        """The arm of that id.

        Raises:
            UnknownName: no such arm.
        """
        for arm in self.arms:
            if arm.arm_id == arm_id:
                return arm
        raise UnknownName(
            "arm", f"{arm_id!r} is not an arm", "write one of " + ", ".join(a.arm_id for a in self.arms)
        )

    def instrument(self, instrument_id: str) -> Instrument:
        """The instrument of that id.

        Raises:
            UnknownName: no such instrument.
        """
        for instrument in self.instruments:
            if instrument.instrument_id == instrument_id:
                return instrument
        raise UnknownName(
            "instrument",
            f"{instrument_id!r} is not an instrument of this protocol",
            "write one of " + ", ".join(i.instrument_id for i in self.instruments),
        )

    def public_title_in(self, language: str) -> str:
        """What participants' pages call the study; empty where the protocol has no such title."""
        return "" if self.public_title is None else self.public_title[language]

    def questionnaire(self, questionnaire_id: str) -> Questionnaire | None:
        """The study's own questionnaire of that id; None where that is an instrument's."""
        return next((q for q in self.questionnaires if q.questionnaire_id == questionnaire_id), None)

    def assessments_at(self, phase: Phase) -> tuple[Assessment, ...]:
        """The assessments of one phase, in protocol order."""
        return tuple(a for a in self.assessments if a.phase is phase)

    @property
    def probes_at_s(self) -> tuple[float, ...]:
        """Onsets of all probes in one session, ascending."""
        return tuple(sorted({at for a in self.assessments_at(Phase.PROBE) for at in a.at_s}))
