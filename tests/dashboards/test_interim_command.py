"""`isopath interim` on a rehearsed study: what it compares, prints, records and refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analysis.effects.endpoint import outcomes_of
from analysis.effects.estimate import estimate_effects
from analysis.effects.looks.group_sequential import boundaries
from analysis.effects.looks.sequential_test import z_of
from analysis.tables.build import build_tables
from study.cohort import SimulatedClock
from study.events import ArmsSeen, InterimLookTaken, RehearsalStarted
from study.founding import initialise_study, open_study
from study.freeze import freeze
from study.manifest import RenderManifest
from study.rehearsal import begin_rehearsal, rehearse
from study.rendered import read_manifests
from study.session import SessionPlan
from tests.dashboards.command_line import refusal
from tests.dashboards.short_study import short_protocol
from tests.dashboards.test_step_commands import isopath
from tests.study.walking import manifest_of

SPEC = RehearsalStarted(14, 1.5, 0.6, 3, 6.0)


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen simulated people of the twenty-four planned; their sound is described and not made."""
    folder = tmp_path_factory.mktemp("interim")
    path = short_protocol(folder / "short.json")
    protocol = json.loads(path.read_text())
    protocol["population"]["sample_size"] = 24
    protocol["analysis"]["interim"] = {"looks": [0.5, 1], "spending": "lan_demets_obrien_fleming"}
    path.write_text(json.dumps(protocol))
    clock = SimulatedClock(datetime(2026, 3, 1, tzinfo=UTC))
    study = begin_rehearsal(initialise_study(folder / "study", path, "test", "isopath test", clock), SPEC)

    def render(plans: Sequence[SessionPlan]) -> dict[tuple[str, str], RenderManifest]:
        made = {(plan.participant_id, plan.session_id): manifest_of(plan) for plan in plans}
        for (who, session), manifest in made.items():
            place = study.folder.sessions / who / session
            place.mkdir(parents=True)
            (place / "manifest.json").write_text(manifest.to_json())
        return made

    rehearse(study, SPEC, render, lambda *_: None)
    study.record.close()
    return folder / "study"


@pytest.fixture
def copy(rehearsed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(rehearsed, tmp_path / "study"))


def test_a_look_prints_the_statistic_of_the_real_arms_and_its_boundary(copy: Path) -> None:
    study = open_study(copy)
    tables = build_tables(study.protocol, study.record.events(), read_manifests(study), {})
    (contrast,) = estimate_effects(
        study.protocol, outcomes_of(study.protocol, tables), "projected_progress"
    ).contrasts
    study.record.close()
    assert contrast.estimate is not None
    assert contrast.p_value is not None
    (boundary,) = boundaries("lan_demets_obrien_fleming", [contrast.n / 24], 0.05, is_final=False)

    facts = isopath("interim", copy, "--look", "1", "--reason", "first meeting", "--json").facts

    assert facts["statistic_z"] == pytest.approx(
        z_of(contrast.p_value) * (1 if contrast.estimate > 0 else -1)
    )
    assert facts["boundary_z"] == pytest.approx(boundary.z)
    assert facts["information"] == pytest.approx(contrast.n / 24)
    assert facts["crossed"] is (abs(facts["statistic_z"]) >= facts["boundary_z"])


def test_the_look_is_on_record_with_the_head_it_rests_on_and_tells_no_persons_arm(copy: Path) -> None:
    before = open_study(copy)
    head, seen = before.record.head().sha256, before.record.events(kinds=[ArmsSeen])
    before.record.close()
    facts = isopath(
        "interim", copy, "--look", "1", "--reason", "first meeting", "--actor", "dmc:anna", "--json"
    ).facts

    after = open_study(copy)
    (recorded,) = after.record.events(kinds=[InterimLookTaken])
    assert isinstance(recorded.event, InterimLookTaken)
    assert recorded.event.head_sha256 == facts["head_sha256"] == head
    assert recorded.event.statistic_z == facts["statistic_z"]
    assert (recorded.actor, recorded.event.reason) == ("dmc:anna", "first meeting")
    assert after.record.events(kinds=[ArmsSeen]) == seen
    after.record.verify()
    after.record.close()


def test_what_is_printed_is_the_look_and_no_advice(copy: Path) -> None:
    done = isopath("interim", copy, "--look", "1", "--reason", "first meeting")
    first, second, third = done.out.splitlines()

    assert done.code == 0
    assert first.startswith("Look 1 of 2, at 0.")
    assert second.startswith("z ")
    assert "; boundary ±" in second
    assert second.endswith((": crossed", ": not crossed"))
    assert third.startswith("On record, with the record's head ")
    for advice in ("stop", "continue", "arm", "p ", "estimate"):
        assert advice not in done.out.replace("On record", "")


def test_no_results_are_written_by_a_look(copy: Path) -> None:
    isopath("interim", copy, "--look", "1", "--reason", "first meeting")

    assert not (copy / "results.json").exists()


def test_a_second_call_is_refused_before_anything_is_compared(copy: Path) -> None:
    isopath("interim", copy, "--look", "1", "--reason", "first meeting")

    assert refusal(isopath("interim", copy, "--look", "1", "--reason", "again")) == (
        "the interim look: look 1 was taken already; a look is taken once; wait for the next, or for the end"
    )
    assert "is the last: the analysis at the end" in refusal(
        isopath("interim", copy, "--look", "2", "--reason", "again")
    )


def test_a_frozen_study_is_not_looked_at(copy: Path) -> None:
    study = open_study(copy)
    freeze(study, "test", "last visit done")
    study.record.close()

    assert "the record is frozen" in refusal(isopath("interim", copy, "--look", "1", "--reason", "late"))


def test_a_study_without_outcomes_is_not_looked_at(copy: Path, tmp_path: Path) -> None:
    study = initialise_study(tmp_path / "new", copy / "protocol.json", "test", "isopath test")
    study.record.close()

    assert refusal(isopath("interim", tmp_path / "new", "--look", "1", "--reason", "early")) == (
        "the interim look: there are no outcomes yet; look when there are more outcomes"
    )


def test_a_record_that_does_not_hold_is_not_looked_at(copy: Path) -> None:
    manifest = next((copy / "sessions").glob("*/*/manifest.json"))
    manifest.write_text(manifest.read_text().replace('"seed"', '"Seed"'))

    assert "is not the manifest the record names" in refusal(
        isopath("interim", copy, "--look", "1", "--reason", "first meeting")
    )
