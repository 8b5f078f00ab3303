"""From a protocol file to a report through the installed command, with real music and a real network."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import soundfile

from study.events import SessionRendered
from study.founding import open_study
from tests.dashboards.command_line import isopath, isopath_anew, refusal
from tests.study.conftest import EXAMPLES

REHEARSE = ("--participants", "6", "--seed", "5", "--session-s", "24")


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = tmp_path_factory.mktemp("whole") / "study"
    for command in (
        ("init", study, "--protocol", EXAMPLES / "three_arm_silence.json"),
        ("rehearse", study, *REHEARSE),
        ("analyse", study, "--tables", study.parent / "tables"),
        ("report", study),
    ):
        done = isopath(*command)
        assert done.code == 0, done.err
    return study


def sounds(study: Path) -> dict[tuple[str, str], str]:
    opened = open_study(study)
    found = {
        (r.participant_id or "", r.session_id or ""): r.event.audio_sha256
        for r in opened.record.events(kinds=[SessionRendered])
        if isinstance(r.event, SessionRendered)
    }
    opened.record.close()
    return found


def test_everything_is_where_the_tour_says(rehearsed: Path) -> None:
    for name in ("protocol.json", "record.sqlite", "results.json", "report.html", "circumplex.png"):
        assert (rehearsed / name).stat().st_size > 0, name
    assert (rehearsed.parent / "tables" / "pairs.csv").read_text().startswith("participant_id,session_id,arm")
    assert isopath("verify", rehearsed).code == 0


def test_every_session_is_whole_sound_of_the_planned_length(rehearsed: Path) -> None:
    files = sorted((rehearsed / "sessions").glob("*/ses-01/session.flac"))

    assert len(files) == len(sounds(rehearsed)) >= 3
    for file in files:
        sound = soundfile.info(file)
        assert (sound.samplerate, sound.channels, sound.frames) == (32_000, 2, 24 * 32_000)


def test_a_rehearsal_says_so_everywhere(rehearsed: Path) -> None:
    page = (rehearsed / "report.html").read_text()

    assert "SIMULATED PARTICIPANTS" in page
    assert "Sessions ran in time-lapse: 24 s for the planned 600 s." in page
    assert json.loads((rehearsed / "results.json").read_text())["simulated"] is True
    assert "SIMULATED PARTICIPANTS" in isopath("status", rehearsed).out
    assert isopath("status", rehearsed, "--json").facts["simulated"] is True


def test_both_predictors_stand_side_by_side_from_the_sound_to_the_report(rehearsed: Path) -> None:
    tables = rehearsed.parent / "tables"
    heard = pd.read_csv(tables / "predictions.csv")
    clips = pd.read_csv(tables / "clips.csv").set_index(["participant_id", "session_id", "onset_s"])
    following = json.loads((rehearsed / "results.json").read_text())["agreement"]["path_following"]
    page = (rehearsed / "report.html").read_text()

    # A row for each clip with music and each predictor; silence has none.
    music = clips[clips["arm"] != "silence"]
    assert heard.groupby("predictor").size().to_dict() == {"cues": len(music), "musicnn": len(music)}
    both = heard.pivot(
        index=["participant_id", "session_id", "onset_s"], columns="predictor", values="arousal_pred"
    )
    apart = (both["cues"] - both["musicnn"]).abs()
    assert music["arousal_disagreement"].tolist() == pytest.approx(apart.loc[music.index].tolist())
    assert music["arousal_pred"].tolist() == both["musicnn"].loc[music.index].tolist()
    assert [part["predictor"] for part in following["parts"]] == ["musicnn", "cues"]
    assert following["parts"][1]["manipulation_check"] == ["iso", "target_only"]
    assert {(row["predictor"], row["arm"]) for row in following["rows"]} <= {
        (name, arm) for name in ("musicnn", "cues") for arm in ("iso", "target_only")
    }
    assert "cues hears the very cues the composer writes" in page
    assert "Does the sound follow its plan?" in page


def test_a_coordinator_never_sees_an_arm(rehearsed: Path) -> None:
    shown = isopath("status", rehearsed).out + isopath("status", rehearsed, "--json").out

    title = re.compile(r"Recovering from a stressful task:.*?study", re.DOTALL)
    assert not re.search(r"\biso\b|target_only|silence", title.sub("", shown))


def test_the_same_seed_gives_the_same_sound_on_one_core_and_on_two(rehearsed: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert isopath("init", again, "--protocol", EXAMPLES / "three_arm_silence.json").code == 0
    assert isopath_anew("rehearse", again, *REHEARSE, "--jobs", "1").code == 0

    assert sounds(again) == sounds(rehearsed)


def test_analysing_again_gives_the_same_results(rehearsed: Path) -> None:
    before = (rehearsed / "results.json").read_bytes()

    assert isopath_anew("analyse", rehearsed).code == 0

    assert (rehearsed / "results.json").read_bytes() == before


def test_rehearsing_again_with_the_same_settings_changes_nothing(rehearsed: Path) -> None:
    head = isopath("verify", rehearsed, "--json").facts

    assert isopath_anew("rehearse", rehearsed, *REHEARSE).code == 0

    assert isopath("verify", rehearsed, "--json").facts == head
    assert "was rehearsed with other settings" in refusal_of_rehearsal(rehearsed, "--seed", "6")
    assert "is a rehearsal" in refusal(isopath("enrol", rehearsed))


def refusal_of_rehearsal(study: Path, *arguments: str) -> str:
    done = isopath("rehearse", study, *REHEARSE, *arguments)
    assert done.code == 2
    return done.err


def test_sound_that_was_exchanged_is_not_analysed(rehearsed: Path) -> None:
    manifest = next((rehearsed / "sessions").glob("*/ses-01/manifest.json"))
    kept = manifest.read_text()
    manifest.write_text(kept.replace('"seed": ', '"seed": 1'))
    try:
        said = isopath("analyse", rehearsed)
    finally:
        manifest.write_text(kept)

    assert said.code == 2
    assert "is not the manifest the record names" in said.err


def test_verify_hears_when_a_sound_was_exchanged(rehearsed: Path) -> None:
    assert isopath("verify", rehearsed, "--sounds", "--json").facts["sounds"] == len(sounds(rehearsed))
    sound = next((rehearsed / "sessions").glob("*/ses-01/session.flac"))
    kept = sound.read_bytes()
    sound.write_bytes(kept[:-1])
    try:
        said = refusal(isopath("verify", rehearsed, "--sounds"))
    finally:
        sound.write_bytes(kept)

    assert said == f"{sound}: is not the sound the record names; put the rendered file back"
