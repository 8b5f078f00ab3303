"""backup, restore, checkpoint, verify and join, as they are typed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from study.events import RecruitmentPaused
from study.founding import initialise_study
from study.record import Draft, Record
from tests.dashboards.command_line import isopath, refusal

PROTOCOL = Path(__file__).parents[1] / "protocols" / "valid" / "one_session.json"
WORDS = "four words kept apart"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    study = initialise_study(tmp_path / "calm-study", PROTOCOL, "test", "isopath test")
    study.record.close()
    return study.folder.root


def test_a_study_is_backed_up_and_restored(root: Path, tmp_path: Path) -> None:
    taken = isopath("backup", root, tmp_path / "backups", "--json").facts
    head = isopath("verify", root, "--json").facts
    back = isopath(
        *("restore", taken["backup"], tmp_path / "again", "--reason", "the disk failed", "--live", root),
        *("--seed", root / "allocation.seed", "--json"),
    ).facts

    assert (taken["rows"], back["rows"], head["rows"]) == (1, 1, 2)
    assert back["can_allocate"] is True
    assert isopath("verify", tmp_path / "again", "--head", taken["head_sha256"], "--json").facts["rows"] == 2
    said = refusal(isopath("restore", taken["backup"], root, "--reason", "a slip"))
    assert "calm-study: is there already" in said
    assert "is a backup" in refusal(isopath("enrol", taken["backup"], "--stratum", "site=north"))


def test_a_checkpoint_is_signed_and_the_record_held_against_it(root: Path, tmp_path: Path) -> None:
    (tmp_path / "words").write_text(WORDS)
    (tmp_path / "wrong").write_text("four other words")
    words = ("--passphrase-file", tmp_path / "words")
    key, out = tmp_path / "calm.key", tmp_path / "checkpoint.json"

    public_key = isopath("checkpoint", root, "--make-key", key, *words, "--json").facts["public_key"]
    signed = isopath("checkpoint", root, "--key", key, "--out", out, *words, "--json").facts

    held = isopath("verify", root, "--checkpoint", out, "--public-key", public_key, "--json").facts
    assert held["checkpoint"]["rows"] == signed["rows"] == 2
    other = isopath("verify", root, "--checkpoint", out, "--public-key", "ab" * 32)
    assert "not the one given" in refusal(other)
    sign_again = ("checkpoint", root, "--key", key, "--out", tmp_path / "more.json")
    assert "not opened by this passphrase" in refusal(
        isopath(*sign_again, "--passphrase-file", tmp_path / "wrong")
    )
    assert not (tmp_path / "more.json").exists()
    assert "needs --key and --out" in refusal(isopath("checkpoint", root))


def test_verify_says_where_a_clock_went_back(root: Path, tmp_path: Path) -> None:
    ahead = Record.at(f"sqlite:///{root / 'record.sqlite'}", lambda: datetime.now(UTC) + timedelta(hours=1))
    ahead.append("test", lambda _: [Draft(RecruitmentPaused("a holiday"))])
    ahead.close()

    assert isopath("backup", root, tmp_path / "backups").code == 0

    found = isopath("verify", root)
    assert "A clock went back before row 3" in found.out
    assert isopath("verify", root, "--json").facts["clock_went_back"] == [3]


@pytest.mark.postgres
def test_a_study_in_postgresql_is_begun_and_joined(tmp_path: Path, postgres_url: str) -> None:
    begun = isopath(
        "init", tmp_path / "south", "--protocol", PROTOCOL, "--store", postgres_url, "--draw", "--json"
    )
    joined = isopath("join", postgres_url, tmp_path / "north", "--json").facts

    assert joined["head_sha256"] == begun.facts["head_sha256"]
    assert joined["can_allocate"] is True
    enrolled = isopath(
        *(
            "enrol",
            tmp_path / "north",
            "--stratum",
            "site=north",
            "--stratum",
            "baseline_arousal=high",
            "--json",
        )
    ).facts["participant_id"]
    assert enrolled in isopath("status", tmp_path / "south").out
    assert json.loads((tmp_path / "north" / "store.json").read_text()) == {"url": postgres_url}
    assert "already holds a record" in refusal(
        isopath("init", tmp_path / "again", "--protocol", PROTOCOL, "--store", postgres_url)
    )
    assert not (tmp_path / "again").exists()
