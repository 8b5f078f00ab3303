"""A bank of sessions made ahead: which starts it holds, and whom it gives what."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.affect import Affect
from study.bank import bank_plans, is_in_bank, session_from_bank
from study.conduct import assess_eligibility, enrol, give_consent
from study.delivery import plan_session, record_render
from study.errors import ConductError, StorageError
from study.events import SessionRendered
from study.folder import file_sha256
from study.founding import Study, initialise_study
from study.manifest import RenderManifest
from study.protocol import Phase
from study.rendered import check_sounds
from study.self_reports import submit_report
from study.session import SessionPlan
from study.starting_moods import starting_moods
from study.step import GiveReport
from tests.study.walking import manifest_of

SMALLEST = Path(__file__).parents[1] / "protocols" / "valid" / "smallest.json"
ARMS = ("iso", "random_order", "target_only", "constant", "noise", "self_selected")


def _study(root: Path, points: int | None = 3, edit: Callable[[dict[str, Any]], object] = dict) -> Study:
    protocol = json.loads(SMALLEST.read_text())
    protocol["arms"] = [{"id": kind, "label": kind, "path": {"kind": kind}} for kind in ARMS]
    protocol["allocation"] |= {"ratio": dict.fromkeys(ARMS, 1), "block_sizes": [len(ARMS)]}
    protocol["analysis"]["contrasts"][0]["arms"] = ["iso", "target_only"]
    if points is not None:
        protocol |= {"delivery": "bank", "bank": {"points": points}}
    edit(protocol)
    file = root.parent / f"{root.name}.json"
    file.write_text(json.dumps(protocol))
    return initialise_study(root, file, "test", "isopath test")


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    made = _study(tmp_path / "study")
    yield made
    made.record.close()


def _waiting(study: Study, valence: float = 0.2, arousal: float = 0.8) -> str:
    participant_id = enrol(study, "test", {})
    give_consent(study, "test", participant_id, "en")
    assess_eligibility(study, "test", participant_id, {"adult": True})
    report = GiveReport(Phase.PRE, "feeling", "ses-01")
    submit_report(study, "test", participant_id, report, {"valence": valence, "arousal": arousal})
    return participant_id


def _one_of_each(study: Study) -> dict[str, SessionPlan]:
    plans = [_planned(study, _waiting(study)) for _ in ARMS]
    return {plan.arm_id: plan for plan in plans}


def _planned(study: Study, participant_id: str) -> SessionPlan:
    own = study.folder.own_music(participant_id)
    own.mkdir(parents=True)
    (own / "1.flac").write_bytes(b"brought")
    return plan_session(study, participant_id)


def _made(study: Study) -> None:
    """What `isopath bank` leaves, with a few bytes for each sound."""
    for plan in bank_plans(study):
        folder = study.folder.bank / plan.participant_id / plan.session_id
        folder.mkdir(parents=True)
        sound = f"{plan.participant_id} {plan.session_id}".encode()
        (folder / "session.flac").write_bytes(sound)
        manifest = manifest_of(plan).to_json().replace("0" * 64, hashlib.sha256(sound).hexdigest())
        (folder / "manifest.json").write_text(manifest)


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_grid_covers_the_plane_evenly_with_its_corners() -> None:
    assert starting_moods(3) == tuple(Affect(v, a) for a in (-1.0, 0.0, 1.0) for v in (-1.0, 0.0, 1.0))
    for points in range(3, 10):
        moods = starting_moods(points)
        axis = sorted({mood.valence for mood in moods})
        assert len(set(moods)) == points**2
        assert {Affect(v, a) for v in (-1.0, 1.0) for a in (-1.0, 1.0)} <= set(moods)
        assert {round(b - a, 12) for a, b in itertools.pairwise(axis)} == {round(2 / (points - 1), 12)}
        assert axis == [-value for value in reversed(axis)]


@given(st.integers(3, 9), st.floats(-1, 1), st.floats(-1, 1))
def test_nobody_starts_farther_off_than_half_a_cell(points: int, valence: float, arousal: float) -> None:
    reported = Affect(valence, arousal)

    nearest = min(starting_moods(points), key=reported.distance_to)

    half = 1 / (points - 1)
    assert abs(nearest.valence - valence) <= half + 1e-12
    assert abs(nearest.arousal - arousal) <= half + 1e-12


def test_the_bank_holds_each_start_that_an_arm_can_have(study: Study) -> None:
    held: dict[str, list[SessionPlan]] = {}
    for plan in bank_plans(study):
        held.setdefault(plan.arm_id, []).append(plan)

    assert {arm_id: len(plans) for arm_id, plans in held.items()} == {
        "iso": 9,
        "random_order": 9,
        "target_only": 1,
        "constant": 9,
        "noise": 1,
    }
    assert {plan.start for plan in held["iso"]} == set(starting_moods(3))
    assert all(plan.path.waypoints[0].affect == plan.start for plan in held["iso"])
    assert len({plan.sha256 for plan in bank_plans(study)}) == 29
    assert len({plan.seed for plan in bank_plans(study)}) == 29


def test_an_arm_with_a_fixed_start_has_one_session(tmp_path: Path) -> None:
    def fixed(protocol: dict[str, Any]) -> None:
        protocol["path"]["start"] = {"state": "sad"}

    study = _study(tmp_path / "study", edit=fixed)

    assert [plan.arm_id for plan in bank_plans(study)] == [arm for arm in ARMS if arm != "self_selected"]
    assert {plan.start for plan in bank_plans(study)} == {study.protocol.start}
    _made(study)
    plan, manifest, rule = session_from_bank(study, _one_of_each(study)["iso"].participant_id)
    assert plan.start == study.protocol.start
    assert rule == "the protocol's fixed start"
    assert manifest.notes == ("from the bank, made ahead: the protocol's fixed start",)
    study.record.close()


def test_a_study_that_makes_its_sessions_live_has_no_bank(tmp_path: Path) -> None:
    study = _study(tmp_path / "study", points=None)

    with pytest.raises(ConductError, match="its sessions are made live"):
        bank_plans(study)

    start = _planned(study, _waiting(study)).start
    assert start.distance_to(Affect(-0.6, 0.6)) < 1e-9
    study.record.close()


def test_every_arm_starts_at_the_mood_of_the_grid_that_is_nearest(study: Study) -> None:
    plans = _one_of_each(study)

    # A slider at 0.2 and 0.8 is (-0.6, 0.6) on the plane.
    assert {plan.start for plan in plans.values()} == {Affect(-1.0, 1.0)}
    assert plans["iso"].path.waypoints[0].affect == Affect(-1.0, 1.0)


def test_halfway_between_two_moods_the_first_of_the_grid_is_taken(study: Study) -> None:
    plan = _planned(study, _waiting(study, 0.25, 0.75))

    assert plan.start == Affect(-1.0, 0.0)


def test_whoever_starts_at_the_same_mood_hears_the_same(study: Study) -> None:
    _made(study)
    plans = _one_of_each(study)
    del plans["self_selected"]

    given = {arm: session_from_bank(study, plan.participant_id) for arm, plan in plans.items()}

    for arm, (plan, manifest, _) in given.items():
        start = "v-1.00_a+1.00" if arm in ("iso", "random_order", "constant") else "any_start"
        banked = study.folder.bank / arm / start
        sound = study.folder.sessions / plan.participant_id / "ses-01" / "session.flac"
        assert sound.read_bytes() == f"{arm} {start}".encode()
        assert sound.samefile(banked / "session.flac")
        assert manifest.audio_sha256 == file_sha256(sound)
        assert plan.seed == RenderManifest.from_json((banked / "manifest.json").read_text()).seed


def test_what_a_participant_is_given_can_be_recorded_and_says_where_it_comes_from(study: Study) -> None:
    _made(study)
    participant_id = _one_of_each(study)["iso"].participant_id

    plan, manifest, rule = session_from_bank(study, participant_id)
    record_render(study, "test", plan, manifest)

    assert rule == "nearest of 3 × 3 starting moods: (-1, 1) for a report of (-0.6, 0.6)"
    assert manifest.notes == (f"from the bank, made ahead: {rule}",)
    assert (manifest.participant_id, manifest.session_id) == (participant_id, "ses-01")
    assert manifest.plan_sha256 == plan.sha256
    rendered = study.record.participant(participant_id)[-1].event
    assert isinstance(rendered, SessionRendered)
    assert rendered.start_rule == rule
    assert check_sounds(study) == 1
    assert _files(study.folder.sessions / participant_id) == [
        "ses-01",
        "ses-01/manifest.json",
        "ses-01/session.flac",
    ]


def test_the_rule_of_the_start_is_recorded_also_where_a_banks_session_was_made_live(study: Study) -> None:
    plan = _one_of_each(study)["iso"]

    record_render(study, "test", plan, manifest_of(plan))

    rendered = study.record.participant(plan.participant_id)[-1].event
    assert isinstance(rendered, SessionRendered)
    assert rendered.start_rule == "nearest of 3 × 3 starting moods: (-1, 1) for a report of (-0.6, 0.6)"


def test_a_session_that_was_given_but_not_recorded_is_given_again_as_it_is(study: Study) -> None:
    _made(study)
    participant_id = _one_of_each(study)["iso"].participant_id
    first = session_from_bank(study, participant_id)
    manifest = study.folder.sessions / participant_id / "ses-01" / "manifest.json"
    written = manifest.stat().st_mtime_ns

    again = session_from_bank(study, participant_id)

    assert again == first
    assert manifest.stat().st_mtime_ns == written


def test_another_disk_gets_a_copy(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    _made(study)
    participant_id = _one_of_each(study)["iso"].participant_id
    monkeypatch.setattr(os, "link", refused)

    session_from_bank(study, participant_id)

    sound = study.folder.sessions / participant_id / "ses-01" / "session.flac"
    assert sound.read_bytes() == b"iso v-1.00_a+1.00"
    assert sound.stat().st_nlink == 1


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "session.flac").unlink(), "is not a whole rendered session"),
        (lambda folder: (folder / "session.flac").write_bytes(b"other"), "its manifest does not describe"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "is not a whole rendered session"),
        (lambda folder: folder.rename(folder.with_name("away")), "does not hold this session yet"),
    ],
)
def test_a_bank_that_is_not_whole_gives_nothing(
    study: Study, damage: Callable[[Path], object], said: str
) -> None:
    _made(study)
    plan = _one_of_each(study)["iso"]
    damage(study.folder.bank / "iso" / "v-1.00_a+1.00")

    with pytest.raises(StorageError, match=said):
        session_from_bank(study, plan.participant_id)

    assert not (study.folder.sessions / plan.participant_id).exists()


def test_a_bank_made_for_another_protocol_gives_nothing(study: Study, tmp_path: Path) -> None:
    other = _study(tmp_path / "other", edit=lambda p: p["study"].update(version="1.1"))
    _made(other)
    other.record.close()
    other.folder.bank.rename(study.folder.bank)
    plan = _one_of_each(study)["iso"]

    with pytest.raises(StorageError, match="was rendered from another plan"):
        session_from_bank(study, plan.participant_id)


def test_peoples_own_music_is_in_no_bank(study: Study) -> None:
    plans = _one_of_each(study)

    with pytest.raises(ConductError, match="is no session that a bank can hold"):
        session_from_bank(study, plans["self_selected"].participant_id)

    assert not is_in_bank(study, plans["self_selected"])
    assert not is_in_bank(study, plans["iso"])
    _made(study)
    assert is_in_bank(study, plans["iso"])
    assert not is_in_bank(study, plans["self_selected"])
