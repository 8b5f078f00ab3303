"""The allocation at the command line: its seed sealed, drawn or plain, and the example list."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.allocation import place_at
from study.founding import open_study
from tests.dashboards.command_line import refusal
from tests.dashboards.test_step_commands import isopath
from tests.study.test_allocation_concurrency import SMALLEST

WORDS = "four words that differ"
PRE = ("--phase", "pre", "--valence", "0.2", "--arousal", "0.7")


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(f"{WORDS}\n")
    return file


def ready(study: Path) -> str:
    """The id of somebody whose pre report is due."""
    who = isopath("enrol", study).out.strip()
    isopath("consent", study, who)
    isopath("screen", study, who, "--answer", "adult=yes")
    return who


def test_a_sealed_seed_is_opened_where_somebody_is_allocated_and_nowhere_else(
    tmp_path: Path, passphrase: Path
) -> None:
    study, wrong = tmp_path / "study", tmp_path / "wrong"
    wrong.write_text("some other words entirely")
    begun = isopath(
        "init", study, "--protocol", SMALLEST, "--seal-allocation", "--passphrase-file", passphrase, "--json"
    )
    who = ready(study)
    rows = open_study(study).record.head().sequence

    without = refusal(isopath("self-report", study, who, *PRE))
    mistaken = refusal(isopath("self-report", study, who, *PRE, "--passphrase-file", wrong))

    assert begun.facts["allocation_source"] == "sealed_seed"
    assert "cannot be asked for: this is no terminal; use --passphrase-file" in without
    assert "is not opened by this passphrase, or was changed" in mistaken
    assert open_study(study).record.head().sequence == rows
    assert isopath("self-report", study, who, *PRE, "--passphrase-file", passphrase).code == 0
    checked = isopath("verify", study, "--allocation", "--passphrase-file", passphrase, "--json").facts
    assert checked["places"] == {"places": 1, "unknown": 0}
    assert WORDS.encode() not in b"".join(f.read_bytes() for f in study.rglob("*") if f.is_file())
    assert "cannot be asked for" in refusal(isopath("serve", study, "--port", "65535"))


def test_a_drawn_allocation_needs_no_seed_and_is_verified_without_one(tmp_path: Path) -> None:
    study = tmp_path / "study"
    isopath("init", study, "--protocol", SMALLEST, "--draw")
    who = ready(study)

    assert isopath("self-report", study, who, *PRE).code == 0

    assert not list(study.glob("allocation.seed*"))
    assert "Allocation: 1 place(s) are as they were drawn." in isopath("verify", study, "--allocation").out


def test_settings_that_contradict_each_other_are_refused_before_anything_is_made(
    tmp_path: Path, passphrase: Path
) -> None:
    start = ("init", tmp_path / "study", "--protocol", SMALLEST)
    short = tmp_path / "short"
    short.write_text("short")

    assert "keeps no seed that could be sealed" in refusal(isopath(*start, "--draw", "--seal-allocation"))
    assert "nothing is sealed" in refusal(isopath(*start, "--passphrase-file", passphrase))
    assert "fewer than 12 characters" in refusal(
        isopath(*start, "--seal-allocation", "--passphrase-file", short)
    )
    assert not (tmp_path / "study").exists()


def test_a_site_that_the_protocol_does_not_have_is_refused_by_serve(tmp_path: Path) -> None:
    study = tmp_path / "study"
    isopath("init", study, "--protocol", SMALLEST)

    assert refusal(isopath("serve", study, "--site", "north", "--port", "65535")) == (
        "site: 'north' is not a site of this protocol; name sites in the protocol's allocation"
    )


def test_the_example_list_is_of_a_test_seed_and_the_live_list_is_shown_to_nobody(tmp_path: Path) -> None:
    study = tmp_path / "study"
    isopath("init", study, "--protocol", SMALLEST)

    by_study = isopath("allocation-list", study, "--test", "--people", "40", "--json").facts
    by_file = isopath("allocation-list", SMALLEST, "--test", "--people", "40", "--json").facts
    live = open_study(study)
    seed = live.folder.allocation_seed.read_bytes()
    groups = [place_at(live.protocol.allocation, seed, {}, index).group_id for index in range(40)]

    assert by_study == by_file
    assert len(by_study["places"]) == 40
    assert [place["group"] for place in by_study["places"]] != groups
    assert "the live list is shown to nobody" in refusal(isopath("allocation-list", study))
    assert "TEST LIST" in isopath("allocation-list", study, "--test").out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("minimisation_per_site", "2 list(s), minimisation of sex by variance with probability 0.8"),
        ("biased_coin", "1 list(s), biased coin of 0.667"),
        ("smallest", "1 list(s), blocks of 2, 4, random size"),
    ],
)
def test_the_protocol_is_shown_with_its_method_of_allocation(name: str, said: str) -> None:
    file = SMALLEST.with_name(f"{name}.json")

    shown = isopath("show", file).out

    assert said in " ".join(shown.split())
