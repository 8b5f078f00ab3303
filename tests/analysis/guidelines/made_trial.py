"""A trial with every way of leaving it, for the tests of what guidelines ask for."""

from __future__ import annotations

from functools import cache

from analysis.guidelines.record_facts import record_facts
from analysis.guidelines.trial import Trial
from analysis.results import analyse
from analysis.tables.build import build_tables
from analysis.tables.shuffled import shuffle_arms
from study.affect import Affect
from study.events import (
    ConsentDeclined,
    ConsentGiven,
    EligibilityAssessed,
    EndReason,
    ParticipantDiscontinued,
    ParticipantEnrolled,
    PlaybackStarted,
)
from study.protocol import Phase
from tests.analysis.made_study import MadeStudy, make_protocol, simulate

HEAD = "ab" * 32
PEOPLE = 12


def leaving_study() -> MadeStudy:
    """Twelve people who heard everything; five others.

    One declined, one is not eligible, two of the first arm leave before they listen, and one of the second
    while they listen.
    """
    study = simulate(make_protocol(), PEOPLE, rehearsal=False)
    for who in ("sub-901", "sub-902"):
        study.add(ParticipantEnrolled({"site": "home"}, False), who)
    study.add(ConsentDeclined("1"), "sub-901")
    study.add(ConsentGiven("1", "0" * 64, "en"), "sub-902")
    study.add(EligibilityAssessed({"hears": False}, False), "sub-902")
    for who, reason in (("sub-903", EndReason.LOST_TO_FOLLOW_UP), ("sub-905", EndReason.WITHDREW)):
        study.enrol(who, "home", simulated=False)
        study.allocate(who, "iso", "home")
        study.add(ParticipantDiscontinued(reason, ""), who)
    study.enrol("sub-907", "home", simulated=False)
    pre = Affect(-0.5, 0.5)
    study.report("sub-907", "ses-01", Phase.PRE, pre)
    study.allocate("sub-907", "target_only", "home")
    study.render("sub-907", 1, pre)
    study.add(PlaybackStarted(0.0), "sub-907", "ses-01")
    study.add(ParticipantDiscontinued(EndReason.LOST_TO_FOLLOW_UP, ""), "sub-907")
    return study


@cache
def made_trial(hidden: bool = False) -> Trial:
    """The trial of `leaving_study`, with arms as allocated or hidden."""
    study = leaving_study()
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    if hidden:
        tables = shuffle_arms(study.protocol, tables, HEAD)
    results = analyse(
        study.protocol,
        tables,
        study.manifests,
        study.predictions,
        HEAD,
        shuffled="Arms were dealt anew by chance." if hidden else None,
        events=study.events,
    )
    return Trial(study.protocol, record_facts(study.events, HEAD), results)
