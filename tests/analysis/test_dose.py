"""The endpoint by how much was heard: counted by hand, and never a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from analysis.description.dose import BANDS, dose_of
from analysis.effects.endpoint import outcomes_of
from analysis.tables.build import build_tables
from study.affect import Affect
from study.events import PlaybackEnded, PlaybackStarted, PlaybackStopped, StopReason
from study.protocol import Design, Phase
from study.session import session_id_of
from tests.analysis.made_study import MadeStudy, make_protocol, simulate


def heard_study(heard_s: Sequence[float | None], design: Design = Design.PARALLEL) -> MadeStudy:
    """One person for each number of seconds heard, all in the first group; None: not even rendered.

    A second period is heard to its end by everyone.
    `post` is at the target less a tenth for each place in the list, on valence.
    """
    study = MadeStudy(make_protocol(design=design, start=Affect(-0.4, -0.4), probes_at_s=()))
    for number, first_s in enumerate(heard_s):
        who = f"sub-{number}"
        study.enrol(who)
        study.report(who, "ses-01", Phase.PRE, Affect(-0.4, -0.4))
        study.allocate(who, study.protocol.allocation.groups[0].group_id)
        for period in range(1, study.protocol.session_count + 1):
            session = session_id_of(period)
            seconds = first_s if period == 1 else 240.0
            if period > 1:
                study.report(who, session, Phase.PRE, Affect(-0.4, -0.4))
            if seconds is not None:
                study.render(who, period, Affect(-0.4, -0.4))
                if seconds > 0:
                    study.add(PlaybackStarted(0.0), who, session)
                    ended = PlaybackEnded(240.0)
                    stopped = PlaybackStopped(seconds, StopReason.CHOSE_TO_STOP)
                    study.add(ended if seconds == 240 else stopped, who, session)
            study.report(who, session, Phase.POST, Affect(0.6 - 0.1 * number, -0.4))
    return study


def dose(study: MadeStudy) -> dict[str, dict[str, Any]]:
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    found = dose_of(study.protocol, tables, outcomes_of(study.protocol, tables))
    return {arm["arm"]: {b["band"]: (b["n"], b["mean"]) for b in arm["bands"]} for arm in found["arms"]}


def test_each_outcome_stands_in_the_band_of_what_its_person_heard() -> None:
    found = dose(heard_study([240.0, 216.0, 215.0, 120.0, 60.0, None]))["iso"]

    # Progress: post − target on valence, the path's direction: 0, −.1, … −.5.
    assert found["90 to 100 %"] == (2, pytest.approx(-0.05))
    assert found["50 to < 90 %"] == (2, pytest.approx(-0.25))
    assert found["> 0 to < 50 %"] == (1, pytest.approx(-0.4))
    assert found["0 %"] == (1, pytest.approx(-0.5))


def test_an_arm_nobody_is_in_has_bands_of_nobody() -> None:
    assert dose(heard_study([240.0]))["target_only"] == dict.fromkeys(BANDS, (0, None))


def test_in_a_crossover_a_periods_outcome_stands_beside_what_was_heard_in_it() -> None:
    found = dose(heard_study([240.0, 60.0], Design.CROSSOVER))

    assert found["iso"]["90 to 100 %"][0] == 1
    assert found["iso"]["> 0 to < 50 %"][0] == 1
    assert found["target_only"]["90 to 100 %"][0] == 2


def test_the_line_is_that_of_least_squares_without_interval_or_p() -> None:
    study = heard_study([240.0, 120.0, None])
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)

    found = dose_of(study.protocol, tables, outcomes_of(study.protocol, tables))
    row = next(row for row in found["slope_rows"] if row["arm"] == "iso")

    # Shares 1, ½, 0; progress 0, −.1, −.2.
    assert row["estimate"] == pytest.approx(0.2)
    assert row["ci_low"] is row["ci_high"] is row["p_value"] is None
    assert "chosen after allocation" in row["reason"]
    assert "no p-values" in found["note"]
    assert found["arms"][0]["heard_s_median"] == 120.0
    assert found["arms"][0]["heard_share_mean"] == pytest.approx(0.5)


def test_where_everyone_heard_everything_there_is_no_line() -> None:
    study = simulate(make_protocol(), 8)
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)

    rows = dose_of(study.protocol, tables, outcomes_of(study.protocol, tables))["slope_rows"]

    assert {row["reason"] for row in rows} == {"everyone heard the same share"}


def test_without_playback_on_record_nothing_is_said_of_dose() -> None:
    study = heard_study([None, None])
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)

    found = dose_of(study.protocol, tables, outcomes_of(study.protocol, tables))

    assert found["arms"] == []
    assert found["note"].startswith("No playback is on record")
