"""`isopath bank`: what is made ahead, that a stop loses nothing, and that people hear just that."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.tables.build import build_tables
from generation.cohort import render_cohort
from study.bank import bank_plans
from study.delivery import plan_session
from study.events import SessionRendered
from study.folder import file_sha256
from study.founding import Study, initialise_study
from study.manifest import RenderManifest
from tests.dashboards.command_line import ISOPATH, isopath, refusal
from tests.dashboards.short_study import ACTOR, one_of_each, short_protocol, short_study, waiting


def banked_study(root: Path, other: str = "noise", **changes: Any) -> Study:
    file = short_protocol(root.parent / "short.json", other)
    file.write_text(
        json.dumps(json.loads(file.read_text()) | {"delivery": "bank", "bank": {"points": 3}} | changes)
    )
    return initialise_study(root, file, ACTOR, "isopath test")


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    made = banked_study(tmp_path / "study")
    yield made
    made.record.close()


def rendered(study: Study, participant_id: str) -> SessionRendered:
    (event,) = (
        r.event for r in study.record.participant(participant_id) if isinstance(r.event, SessionRendered)
    )
    return event


def whole_sessions(folder: Path) -> dict[str, int]:
    """Each session's place in the bank, and when it was made; every one of them is whole."""
    found = {}
    for file in folder.glob("*/[!.]*/manifest.json"):
        manifest = RenderManifest.from_json(file.read_text())
        assert file_sha256(file.parent / manifest.stim_file) == manifest.audio_sha256
        found[str(file.parent.relative_to(folder))] = file.stat().st_mtime_ns
    return found


def killed_after_one_session(study: Study) -> None:
    command = [str(ISOPATH), "bank", str(study.folder.root), "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        deadline = time.monotonic() + 60
        while not whole_sessions(study.folder.bank):
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(running.pid, signal.SIGKILL)
        running.communicate()


def test_a_killed_run_leaves_whole_sessions_and_the_next_makes_what_is_missing(study: Study) -> None:
    killed_after_one_session(study)
    before = whole_sessions(study.folder.bank)

    done = isopath("bank", study.folder.root, "--jobs", "1", "--json")
    after = whole_sessions(study.folder.bank)
    again = isopath("bank", study.folder.root, "--jobs", "1")

    assert 0 < len(before) < 10
    assert len(after) == 10
    assert {place: made for place, made in after.items() if place in before} == before
    assert whole_sessions(study.folder.bank) == after
    assert not list(study.folder.bank.glob("*/.*"))
    assert done.facts["by_arm"] == {"iso": 9, "silence": 1}
    first = done.facts["sessions"][0]
    assert (first["arm"], first["start"], first["duration_s"]) == ("iso", [-1.0, -1.0], 6.0)
    assert file_sha256(Path(first["file"])) == first["audio_sha256"]
    assert again.out.splitlines() == [
        "iso: 9 sessions, one for each starting mood",
        "silence: 1 session, for every start alike",
        f"They are in {study.folder.bank}",
    ]


def test_people_hear_the_banks_own_file_which_is_what_a_live_render_would_have_made(study: Study) -> None:
    people = one_of_each(study)
    needed = {"iso": "iso/v-1.00_a+1.00", "silence": "silence/any_start"}
    plans = [p for p in bank_plans(study) if f"{p.participant_id}/{p.session_id}" in needed.values()]
    render_cohort(plans, study.folder.bank, 1, lambda _: None)
    live = render_cohort([plan_session(study, people["iso"])], study.folder.root / "live", 1, lambda _: None)

    said = isopath("render", study.folder.root, "--all", "--no-hear")

    assert said.code == 0, said.err
    event = rendered(study, people["iso"])
    assert event.start_rule == "nearest of 3 × 3 starting moods: (-1, 1) for a report of (-0.6, 0.6)"
    assert event.audio_sha256 == live[0].audio_sha256
    for arm, place in needed.items():
        sound = study.folder.sessions / people[arm] / "ses-01" / "session.flac"
        assert sound.samefile(study.folder.bank / place / "session.flac")
    rows = build_tables(study.protocol, study.record.events(), {}, {}).sessions
    assert {(row["start_valence"], row["start_arousal"]) for _, row in rows.iterrows()} == {(-1.0, 1.0)}
    assert isopath("verify", study.folder.root).code == 0


def test_where_the_bank_is_empty_a_session_is_made_live_from_the_same_start(study: Study) -> None:
    participant_id = waiting(study)

    assert isopath("render", study.folder.root, participant_id, "--no-hear").code == 0

    assert (rendered(study, participant_id).start_rule or "").startswith("nearest of 3 × 3 starting moods")
    assert not study.folder.bank.exists()


def test_a_fixed_start_is_one_session_and_peoples_own_music_is_none(tmp_path: Path) -> None:
    path = json.loads(short_protocol(tmp_path / "short.json").read_text())["path"]
    study = banked_study(tmp_path / "study", "self_selected", path=path | {"start": {"state": "sad"}})
    study.record.close()

    said = isopath("bank", study.folder.root)

    assert said.out.splitlines()[:2] == [
        "iso: 1 session, for its fixed start",
        "silence: none (everyone brings their own music, so that it is made when they are there)",
    ]


def test_a_study_that_makes_its_sessions_live_is_told_so(tmp_path: Path) -> None:
    study = short_study(tmp_path / "study")
    study.record.close()

    said = refusal(isopath("bank", tmp_path / "study"))

    assert "its sessions are made live, after each pre report" in said
    assert "a bank needs delivery bank in the protocol" in said
