"""Every method in every scenario it is tried in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from analysis.planning.simulated_outcomes import Scenario
from study.analysis_plan import Aim, Model
from study.protocol import StudyProtocol
from tests.simulation import designs
from tests.simulation.contrasts import BothAxes, Contrasted, JumpedToReference
from tests.simulation.decisions import Family, Looked, Margined
from tests.simulation.designs import Truth, ceiling, moved, plain
from tests.simulation.listening import (
    Bootstrap,
    Law,
    Published,
    Unrelated,
    permuted,
    repeated,
    slope_interval,
    slope_of_participants,
    within,
)
from tests.simulation.measured import AT_2_5, AT_5, Case

CHEAP, MIDDLE, DEAR = 20_000, 8_000, 4_000

_SPREAD = {"iso": 1.8 / 1.3}
_MAR = {"drop_out": 0.2, "drop_out_by_mood": 0.7, "drop_out_by_arm": {"target_only": 0.7}}
_UNEVEN_LEAVING = (
    "22 % of the first arm and 35 % of the second drop out, rather those who came in a worse mood (MAR)"
)
_CEILING = "ceiling: three in ten answers are cut off at an end of the scale"
_SPREADS = "spread 1.8 to 1.3 between the arms"

_DRAWN = ("analysis.planning.simulated_outcomes", "analysis.planning.truth", "tests.simulation.designs")
_ANCOVA = (
    *_DRAWN,
    "analysis.planning.batched",
    "analysis.effects.linear_model",
    "analysis.effects.estimate",
    "tests.simulation.contrasts",
)
_MIXED = (
    *_DRAWN,
    "analysis.effects.repeated",
    "analysis.effects.mixed.mmrm",
    "analysis.effects.mixed.random_effects",
    "analysis.effects.mixed.restricted_fit",
    "analysis.effects.mixed.restricted_likelihood",
    "analysis.effects.mixed.satterthwaite",
    "tests.simulation.contrasts",
)
_IMPUTED = (
    *_DRAWN,
    "analysis.missing.imputation",
    "analysis.missing.imputation_model",
    "analysis.missing.regression_draws",
    "analysis.missing.completed_fits",
    "analysis.missing.imputed_effects",
    "analysis.missing.reference",
    "analysis.missing.rubin",
    "tests.simulation.contrasts",
)
_DECIDED = (
    *_ANCOVA,
    "analysis.planning.power",
    "analysis.effects.equivalence",
    "analysis.effects.looks.group_sequential",
    "analysis.effects.multiplicity",
    "tests.simulation.decisions",
)
_AGREEMENT = (
    "analysis.agreement.pair_statistics",
    "analysis.agreement.group_sums",
    "analysis.agreement.resampling",
    "analysis.agreement.concordance",
    "analysis.agreement.intraclass",
    "analysis.agreement.repeated_limits",
    "analysis.agreement.repeated_correlation",
    "analysis.agreement.trajectories",
    "analysis.agreement.clip_permutation",
    "tests.simulation.listening",
)


@cache
def catalogue() -> tuple[Case, ...]:
    """Every case, in the order shown; ids are unique."""
    return (
        *_progress(),
        *_distance(),
        *_axes(),
        *_both_axes(),
        *_crossover(),
        *_mixed(),
        *_missing(),
        *_margins(),
        *_looks(),
        *_families(),
        *_intervals_of_agreement(),
        *_tests_of_relation(),
    )


def _contrast(protocol: StudyProtocol, people: int, null: Truth) -> Contrasted:
    return Contrasted(protocol, people, null, partial(moved, protocol, null))


def _moving(protocol: StudyProtocol, moves: Mapping[str, float], **changes: Any) -> Scenario:
    return replace(plain(protocol, **changes), moves=moves)


def _progress() -> Iterator[Case]:
    protocol = designs.parallel()
    method = "Projected progress: ANCOVA with HC3 errors"
    scenarios = (
        ("plain", "40 a arm, no drop-out, the scale's ends hardly met", 80, partial(plain, protocol)),
        ("small", "20 a arm", 40, partial(plain, protocol)),
        ("ceiling", f"40 a arm; {_CEILING}", 80, partial(ceiling, protocol)),
        ("spread", f"40 a arm; {_SPREADS}", 80, partial(plain, protocol, spread=_SPREAD)),
        ("mar", f"40 a arm; {_UNEVEN_LEAVING}", 80, partial(plain, protocol, **_MAR)),
        ("ceiling-mar", f"40 a arm; {_CEILING}; {_UNEVEN_LEAVING}", 80, partial(ceiling, protocol, **_MAR)),
    )
    for name, words, people, scenario in scenarios:
        run = _contrast(protocol, people, scenario).run
        yield Case(f"progress-{name}", method, words, CHEAP, run, _ANCOVA)
    uneven = designs.two_to_one()
    yield Case(
        "progress-uneven",
        method,
        f"27 against 53; {_SPREADS}, the larger in the smaller arm",
        CHEAP,
        _contrast(uneven, 80, partial(plain, uneven, spread=_SPREAD)).run,
        _ANCOVA,
    )


def _distance() -> Iterator[Case]:
    protocol = designs.parallel("distance")
    method = "Distance to the target: ANCOVA with HC3 errors (secondary, labelled “also moved by spread”)"
    still = partial(plain, protocol)
    yield Case("distance-plain", method, "40 a arm", CHEAP, _contrast(protocol, 80, still).run, _ANCOVA)
    # The spread differs and the means do not: what is moved is found for the ends of the scale alone.
    told = {"spread": _SPREAD, "post_mean": (0.6, -0.4)}
    yield Case(
        "distance-spread",
        method,
        f"40 a arm; {_SPREADS}, both arms centred on the target",
        CHEAP,
        Contrasted(
            protocol, 80, partial(plain, protocol, **told), partial(_moving, protocol, {"iso": -0.1}, **told)
        ).run,
        _ANCOVA,
        is_warning=True,
    )


def _axes() -> Iterator[Case]:
    for axis in ("valence", "arousal"):
        protocol = designs.parallel(axis)
        method = f"Felt {axis}: ANCOVA with HC3 errors"
        for name, words, scenario in (
            ("plain", "40 a arm", partial(plain, protocol)),
            ("ceiling", f"40 a arm; {_CEILING}", partial(ceiling, protocol)),
            ("mar", f"40 a arm; {_UNEVEN_LEAVING}", partial(plain, protocol, **_MAR)),
        ):
            run = _contrast(protocol, 80, scenario).run
            yield Case(f"{axis}-{name}", method, words, CHEAP, run, _ANCOVA)


def _both_axes() -> Iterator[Case]:
    protocol = designs.parallel()
    modules = (*_DRAWN, "analysis.effects.bivariate", "tests.simulation.contrasts")
    method = "Both axes at once: Hotelling's T²"
    for name, words, scenario in (
        ("plain", "40 a arm", partial(plain, protocol)),
        ("ceiling", f"40 a arm; {_CEILING}", partial(ceiling, protocol)),
        ("spread", f"40 a arm; {_SPREADS}", partial(plain, protocol, spread=_SPREAD)),
    ):
        run = BothAxes(protocol, 80, scenario, partial(moved, protocol, scenario)).run
        yield Case(f"hotelling-{name}", method, words, MIDDLE, run, modules)


def _crossover() -> Iterator[Case]:
    protocol = designs.crossover()
    method = "Crossover: within-person linear model"
    for name, words, scenario in (
        ("plain", "40 people", partial(plain, protocol)),
        ("ceiling", f"40 people; {_CEILING}", partial(ceiling, protocol)),
        (
            "drift",
            "40 people; everybody 0.1 further in the second period",
            partial(plain, protocol, drift=0.1),
        ),
        ("spread", f"40 people; {_SPREADS}", partial(plain, protocol, spread=_SPREAD)),
        (
            "mar",
            "40 people; 30 % have left by the second period, rather those who came in a worse mood (MAR)",
            partial(plain, protocol, **_MAR),
        ),
    ):
        run = _contrast(protocol, 40, scenario).run
        yield Case(f"crossover-{name}", method, words, CHEAP, run, _ANCOVA)


def _mixed() -> Iterator[Case]:
    protocol = designs.sessions(3, Model.MMRM)
    leaving = (
        "23 % of the first arm and 39 % of the second have left by then, rather those who last reported "
        "worse (MAR)"
    )
    method = "Repeated sessions: MMRM, unstructured, Satterthwaite"
    for name, words, people, scenario in (
        ("plain", "40 a arm, three sessions", 80, partial(plain, protocol)),
        ("mar", f"40 a arm, three sessions; {leaving}", 80, partial(plain, protocol, **_MAR)),
        ("small", f"15 a arm, three sessions; {leaving}", 30, partial(plain, protocol, **_MAR)),
        (
            "ceiling",
            f"40 a arm, three sessions; {_CEILING}; {leaving}",
            80,
            partial(ceiling, protocol, **_MAR),
        ),
        ("spread", f"40 a arm, three sessions; {_SPREADS}", 80, partial(plain, protocol, spread=_SPREAD)),
        (
            "drift",
            f"40 a arm, three sessions; everybody 0.1 further from session to session; {leaving}",
            80,
            partial(plain, protocol, drift=0.1, **_MAR),
        ),
    ):
        run = _contrast(protocol, people, scenario).run
        yield Case(f"mmrm-{name}", method, words, MIDDLE, run, _MIXED)
    protocol = designs.sessions(3, Model.RANDOM_EFFECTS)
    method = "Repeated sessions: random effects, Satterthwaite"
    for name, words, scenario in (
        ("plain", "40 a arm, three sessions", partial(plain, protocol)),
        ("mar", f"40 a arm, three sessions; {leaving}", partial(plain, protocol, **_MAR)),
    ):
        run = _contrast(protocol, 80, scenario).run
        yield Case(f"random-effects-{name}", method, words, MIDDLE, run, _MIXED)


def _missing() -> Iterator[Case]:
    protocol = designs.imputing()
    method = "Multiple imputation (50), Rubin's rules"
    for name, words, scenario in (
        ("mcar", "40 a arm; 20 % drop out by chance (MCAR)", partial(plain, protocol, drop_out=0.2)),
        ("mar", f"40 a arm; {_UNEVEN_LEAVING}", partial(plain, protocol, **_MAR)),
        ("ceiling", f"40 a arm; {_CEILING}; {_UNEVEN_LEAVING}", partial(ceiling, protocol, **_MAR)),
    ):
        run = _contrast(protocol, 80, scenario).run
        yield Case(f"imputation-{name}", method, words, MIDDLE, run, _IMPUTED)
    null = partial(plain, protocol, **_MAR)
    yield Case(
        "reference",
        "Jump to reference (50), Rubin's rules",
        f"40 a arm; {_UNEVEN_LEAVING}; whoever left is truly like the second arm",
        MIDDLE,
        JumpedToReference(protocol, 80, null, partial(moved, protocol, null)).run,
        _IMPUTED,
    )


def _margins() -> Iterator[Case]:
    for aim, method, people, margin, sign, bar in (
        (Aim.EQUIVALENCE, "Equivalence: two one-sided tests at .05", 200, 0.15, 1, AT_5),
        (Aim.NON_INFERIORITY, "Non-inferiority: one-sided test at .025", 240, 0.15, -1, AT_2_5),
    ):
        protocol = designs.aiming(aim, margin)
        for name, words, scenario in (
            ("plain", f"{people // 2} a arm, margin {margin}", partial(plain, protocol)),
            (
                "mar",
                f"{people // 2} a arm, margin {margin}; {_UNEVEN_LEAVING}",
                partial(plain, protocol, **_MAR),
            ),
        ):
            at_margin = partial(moved, protocol, scenario, sign * margin)
            run = Margined(protocol, people, at_margin, scenario, bar).run
            yield Case(f"{aim}-{name}", method, words, CHEAP, run, _DECIDED)


def _looks() -> Iterator[Case]:
    method = "Looks before the end: overall level of all looks"
    for name, looks, spending in (
        ("obrien-fleming", (0.5, 1.0), "obrien_fleming"),
        ("pocock", (1 / 3, 2 / 3, 1.0), "pocock"),
        ("lan-demets", (0.4, 0.7, 1.0), "lan_demets_obrien_fleming"),
    ):
        protocol = designs.looking(looks, spending)
        null = partial(plain, protocol)
        at = ", ".join(f"{look:.2g}" for look in looks)
        yield Case(
            f"looks-{name}",
            method,
            f"80 a arm; {spending.replace('_', ' ')}, looks at {at} of the people",
            CHEAP,
            Looked(protocol, 160, null, partial(moved, protocol, null)).run,
            _DECIDED,
        )


def _families() -> Iterator[Case]:
    for multiplicity, method in (
        ("holm", "Holm over three contrasts of three arms"),
        ("gatekeeping", "Gatekeeping: three contrasts of three arms in a fixed order"),
    ):
        protocol = designs.three_arms(multiplicity)
        null = partial(plain, protocol)
        # The third contrast is of the two arms that are not moved.
        truths = (
            ("no arm is moved", null, _always),
            ("the first arm is moved, the others are alike", partial(_moving, protocol, {"iso": 0.2}), _last),
        )
        run = Family(protocol, 120, truths).run
        yield Case(multiplicity, method, "40 a arm", MIDDLE, run, _DECIDED)


def _always(contrast_id: str) -> bool:
    return True


def _last(contrast_id: str) -> bool:
    return contrast_id == "target_only_vs_silence"


def _intervals_of_agreement() -> Iterator[Case]:
    method = "Agreement of report and prediction: percentile bootstrap over the design's unit"
    own, shared = "sound of their own", "people × clip drawn"
    for name, words, law in (
        ("own", f"40 people × 3 reports, {own}: people drawn", Law(40, 3)),
        ("own-many", f"120 people × 3 reports, {own}: people drawn", Law(120, 3)),
        ("shared", f"40 people × 6 of 24 shared clips: {shared}", Law(40, 6, 24, clip_sd=0.15)),
        ("shared-many", f"80 people × 6 of 72 shared clips: {shared}", Law(80, 6, 72, clip_sd=0.15)),
    ):
        yield Case(f"agreement-{name}", method, words, DEAR, Bootstrap(law).run, _AGREEMENT)
    yield Case(
        "agreement-participants-alone",
        method,
        "40 people × 6 of 24 shared clips, people drawn alone (isopath does not)",
        DEAR,
        Bootstrap(Law(40, 6, 24, clip_sd=0.15), participants_alone=True).run,
        _AGREEMENT,
        is_warning=True,
    )
    method = "Agreement of report and prediction: intervals by formula"
    for name, words, law in (
        ("once", f"40 people × 1 report, {own}: Lin, McGraw & Wong, Bland & Altman", Law(40, 1)),
        ("repeated", f"40 people × 3 reports, {own}: MOVER", Law(40, 3)),
    ):
        yield Case(f"formula-{name}", method, words, CHEAP, Published(law).run, _AGREEMENT)


def _tests_of_relation() -> Iterator[Case]:
    method = "Relation of report and prediction where there is none"
    shared = Law(40, 6, 24, relation=0.0, clip_sd=0.15)
    own = Law(40, 6, relation=0.0)
    drifting = replace(own, drift=1.0)
    shared_words = "40 people × 6 of 24 shared clips"
    drift_words = "40 people × 6 reports, sound of their own, both drift along the same path"
    for name, words, law, rejects, replicates, warning in (
        ("permutation", f"clip permutation; {shared_words}", shared, permuted, CHEAP, False),
        ("slope", f"slope, people × clip drawn; {shared_words}", shared, slope_interval, DEAR, False),
        (
            "slope-participants",
            f"slope, people drawn alone (isopath does not); {shared_words}",
            shared,
            slope_of_participants,
            DEAR,
            True,
        ),
        ("detrended", f"within-person r, detrended; {drift_words}", drifting, within(True), DEAR, False),
        ("raw", f"within-person r, raw; {drift_words}", drifting, within(False), DEAR, True),
        (
            "repeated",
            "repeated-measures correlation; 40 people × 6 reports, no drift",
            own,
            repeated,
            CHEAP,
            False,
        ),
        ("repeated-drift", f"repeated-measures correlation; {drift_words}", drifting, repeated, CHEAP, True),
    ):
        run = Unrelated(law, rejects).run
        yield Case(f"relation-{name}", method, words, replicates, run, _AGREEMENT, warning)
