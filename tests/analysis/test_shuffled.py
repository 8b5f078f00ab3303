"""Before the record is unblinded the analysis runs on arms that were dealt anew."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from analysis.effects.endpoint import outcomes_of
from analysis.effects.estimate import estimate_effects
from analysis.tables.build import StudyTables, build_tables
from analysis.tables.data_dictionary import check_table
from analysis.tables.shuffled import shuffle_arms
from study.path import PathKind
from study.protocol import Design
from tests.analysis.made_study import MadeStudy, make_protocol, simulate

HEAD = "a" * 64


def tables_of(study: MadeStudy) -> StudyTables:
    return build_tables(study.protocol, study.events, study.manifests, study.predictions)


@pytest.fixture(scope="module")
def study() -> MadeStudy:
    return simulate(make_protocol((PathKind.ISO, PathKind.TARGET_ONLY)), 40, effect=1.5)


@pytest.fixture(scope="module")
def tables(study: MadeStudy) -> StudyTables:
    return tables_of(study)


@pytest.fixture(scope="module")
def shuffled(study: MadeStudy, tables: StudyTables) -> StudyTables:
    return shuffle_arms(study.protocol, tables, HEAD)


def test_everybody_keeps_what_they_said_and_heard(tables: StudyTables, shuffled: StudyTables) -> None:
    for field in fields(tables):
        before, after = getattr(tables, field.name), getattr(shuffled, field.name)
        kept = [name for name in before.columns if name not in ("arm", "group")]
        pd.testing.assert_frame_equal(after[kept], before[kept])


def test_how_likely_somebodys_own_group_was_is_left_out(study: MadeStudy, tables: StudyTables) -> None:
    known = replace(tables, participants=tables.participants.assign(allocation_probability=0.8))

    dealt = shuffle_arms(study.protocol, known, HEAD).participants

    assert dealt["allocation_probability"].isna().all()


def test_arms_keep_their_sizes_within_each_stratum(tables: StudyTables, shuffled: StudyTables) -> None:
    for table in (tables, shuffled):
        counts = table.participants.groupby(["stratum_site", "group"]).size()
        expected = tables.participants.groupby(["stratum_site", "group"]).size()
        pd.testing.assert_series_equal(counts, expected)


def test_a_label_says_nothing_of_the_arm_that_was_allocated(
    study: MadeStudy, tables: StudyTables, shuffled: StudyTables
) -> None:
    true, dealt = tables.participants["group"], shuffled.participants["group"]
    shares = [
        (shuffle_arms(study.protocol, tables, str(n)).participants["group"] == true).mean() for n in range(60)
    ]

    assert (true != dealt).any()
    # Two arms of equal size: half the labels agree by chance.
    assert abs(np.mean(shares) - 0.5) < 0.05


def test_every_table_tells_the_same_arm_of_a_person(shuffled: StudyTables) -> None:
    groups = shuffled.participants.set_index("participant_id")["group"]
    for name in ("sessions", "clips", "self_reports", "pairs"):
        table = getattr(shuffled, name)
        told = table[table["arm"].notna()]
        assert len(told) > 0
        assert (told["participant_id"].map(groups) == told["arm"]).all()


def test_the_tables_still_keep_to_the_dictionary(study: MadeStudy, shuffled: StudyTables) -> None:
    factors = [stratum.factor for stratum in study.protocol.allocation.strata]
    for field in fields(shuffled):
        of_people = factors if field.name == "participants" else ()
        check_table(field.name, getattr(shuffled, field.name), of_people)


def test_the_same_record_is_dealt_alike_and_another_otherwise(study: MadeStudy, tables: StudyTables) -> None:
    def dealt(head: str) -> list[str]:
        return list(shuffle_arms(study.protocol, tables, head).participants["group"])

    assert dealt(HEAD) == dealt(HEAD)
    assert dealt(HEAD) != dealt("b" * 64)


def test_a_large_effect_is_gone_from_the_shuffled_analysis(study: MadeStudy, tables: StudyTables) -> None:
    def difference(seen: StudyTables) -> float:
        outcomes = outcomes_of(study.protocol, seen)
        (row,) = estimate_effects(study.protocol, outcomes, "projected_progress").contrasts
        assert row.estimate is not None
        return row.estimate

    real = difference(tables)
    dealt = [difference(shuffle_arms(study.protocol, tables, str(n))) for n in range(30)]

    assert real > 0.5
    assert abs(np.mean(dealt)) < real / 8


def test_in_a_crossover_the_orders_are_dealt_anew() -> None:
    made = simulate(make_protocol(design=Design.CROSSOVER), 12)
    tables = tables_of(made)
    shuffled = shuffle_arms(made.protocol, tables, HEAD)
    orders = {group.group_id: group.arm_ids for group in made.protocol.allocation.groups}

    for who, group in zip(
        shuffled.participants["participant_id"], shuffled.participants["group"], strict=True
    ):
        mine = shuffled.sessions[shuffled.sessions["participant_id"] == who].sort_values("period")
        assert tuple(mine["arm"]) == orders[group]
