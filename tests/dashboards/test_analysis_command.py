"""`isopath analyse` on a record of people: blind until the record is unblinded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from study.events import ParticipantAllocated
from study.founding import Study
from tests.dashboards.command_line import isopath
from tests.dashboards.short_study import short_study, waiting


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    made = short_study(tmp_path_factory.mktemp("blind") / "study")
    for _ in range(12):
        waiting(made)
    yield made
    made.record.close()


def allocated(study: Study) -> dict[str, str]:
    return {
        r.participant_id or "": r.event.group_id
        for r in study.record.events(kinds=[ParticipantAllocated])
        if isinstance(r.event, ParticipantAllocated)
    }


def test_arms_are_dealt_anew_until_the_record_is_unblinded(study: Study, tmp_path: Path) -> None:
    root = study.folder.root
    blind = isopath("analyse", root, "--json", "--tables", tmp_path / "blind")
    told = isopath("analyse", root)
    assert isopath("freeze", root, "--reason", "the last person is done").code == 0
    frozen = isopath("analyse", root, "--json")
    typed = f"{study.protocol.study_id}\n"
    assert isopath("unblind", "study", root, "--reason", "the plan is signed", lines=typed).code == 0
    seen = isopath("analyse", root, "--json", "--tables", tmp_path / "seen")

    assert blind.facts["shuffled"].startswith("Arms were dealt anew by chance")
    assert "SHUFFLED ARMS" in told.out
    assert frozen.facts["shuffled"] == blind.facts["shuffled"]
    assert seen.facts["shuffled"] is None
    assert json.loads(study.folder.results.read_text())["shuffled"] is None
    status = isopath("status", root).out
    assert "Frozen on " in status
    assert "Unblinded on " in status
    assert isopath("status", root, "--json").facts["frozen"] is True
    people = pd.read_csv(tmp_path / "seen" / "participants.csv")
    assert dict(zip(people["participant_id"], people["group"], strict=True)) == allocated(study)


def test_tables_written_blind_hold_nothing_that_tells_an_arm(study: Study, tmp_path: Path) -> None:
    fresh = short_study(tmp_path / "study")
    who = waiting(fresh)
    assert isopath("analyse", fresh.folder.root, "--tables", tmp_path / "tables").code == 0
    fresh.record.close()

    written = {path.name: path.read_text() for path in (tmp_path / "tables").iterdir()}

    assert who in written["participants.csv"]
    assert not {"clips.csv", "pairs.csv"} & set(written)
    header = {name: text.splitlines()[0].split(",") for name, text in written.items()}
    assert not any({"arm", "group", "audio_sha256"} & set(columns) for columns in header.values())
