"""Whatever goes wrong: one clear message, exit code 2, nothing half-written, no traceback."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dashboards.cli.main import app
from study.chain import Head
from study.founding import Study, open_study
from tests.dashboards.command_line import isopath, refusal
from tests.study.conftest import ONE_SESSION
from tests.study.walking import allocated, completed, due, eligible

EXAMPLE = ONE_SESSION


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    from study.founding import initialise_study

    made = initialise_study(tmp_path / "calm", EXAMPLE, "test", "isopath test")
    yield made
    made.record.close()


def root(study: Study) -> Path:
    return study.folder.root


def head(study: Study) -> Head:
    return study.record.head()


def after_baseline(study: Study) -> str:
    from study.self_reports import miss_report
    from study.step import GiveReport

    participant_id = eligible(study)
    for _ in range(2):
        step = due(study, participant_id)
        assert isinstance(step, GiveReport)
        miss_report(study, "test", participant_id, step, "not asked")
    return participant_id


@pytest.mark.parametrize(
    ("valence", "arousal", "said"),
    [
        ("nan", "0.5", "feeling.valence: nan is outside 0 to 1 (Affective Slider 0 to 1)"),
        ("0.5", "1.5", "feeling.arousal: 1.5 is outside 0 to 1 (Affective Slider 0 to 1)"),
        ("inf", "0.5", "feeling.valence: inf is outside 0 to 1 (Affective Slider 0 to 1)"),
        ("-0.1", "0.5", "feeling.valence: -0.1 is outside 0 to 1 (Affective Slider 0 to 1)"),
    ],
)
def test_a_report_off_its_scale(study: Study, valence: str, arousal: str, said: str) -> None:
    participant_id = after_baseline(study)
    before = head(study)

    done = isopath(
        "self-report",
        root(study),
        participant_id,
        "--phase",
        "pre",
        f"--valence={valence}",
        f"--arousal={arousal}",
    )

    assert refusal(done).startswith(said)
    assert head(study) == before


def test_a_report_of_distress_shows_the_support_text(study: Study) -> None:
    participant_id = after_baseline(study)
    pre = ("self-report", root(study), participant_id, "--phase", "pre", "--arousal", "0.9")

    told = isopath(*pre, "--valence", "0.05")

    assert told.code == 0
    assert "DISTRESS, by the protocol's rule" in told.out
    assert "call your emergency number" in told.out


def test_a_second_post_report(study: Study) -> None:
    participant_id = completed(study)
    before = head(study)

    done = isopath(
        "self-report", root(study), participant_id, "--phase", "post", "--valence", "0.5", "--arousal", "0.5"
    )

    assert refusal(done) == (
        f"{participant_id}: the post report is not the next step; "
        "next is: nothing, this participant's part is over (completed)"
    )
    assert head(study) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("consent", "sub-nobody"),
        ("self-report", "sub-nobody", "--phase", "pre", "--valence", "0.5", "--arousal", "0.5"),
        ("render", "sub-nobody"),
        ("playback", "sub-nobody", "started"),
        ("discontinue", "sub-nobody", "--reason", "withdrew"),
    ],
)
def test_an_unknown_participant(study: Study, arguments: tuple[str, ...]) -> None:
    command, *rest = arguments

    done = isopath(command, root(study), *rest)

    assert refusal(done) == "participant: 'sub-nobody' is not enrolled; see isopath status"
    assert head(study).sequence == 1


def test_a_truncated_record(study: Study) -> None:
    for _ in range(3):
        allocated(study)
    study.record.close()
    shutil.rmtree(root(study) / "record.sqlite-wal", ignore_errors=True)
    file = study.folder.record
    file.write_bytes(file.read_bytes()[:6000])

    for command in ("status", "verify", "analyse"):
        assert "record.sqlite" in refusal(isopath(command, root(study)))


def test_a_record_of_another_protocol_version(study: Study) -> None:
    frozen = study.folder.protocol
    frozen.write_text(frozen.read_text().replace('"version": "1.0"', '"version": "1.1"', 1))

    said = refusal(isopath("enrol", root(study), "--stratum", "site=north"))

    assert "record.sqlite: belongs to protocol" in said
    assert "put the protocol file back as it was" in said


def test_a_locked_database(study: Study) -> None:
    blocker = sqlite3.connect(study.folder.record, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")

    done = isopath("enrol", root(study), "--stratum", "site=north", "--stratum", "baseline_arousal=low")

    assert "another process is writing to the record" in refusal(done)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert head(study).sequence == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place: Path, leave: int) -> None:
    free = shutil.disk_usage(place).free
    (place / "ballast").write_bytes(b"x" * max(free - leave, 0))


def test_a_full_disk_at_the_beginning_of_a_study(small_disk: Path) -> None:
    fill(small_disk, leave=20_000)

    said = refusal(isopath("init", small_disk / "calm", "--protocol", EXAMPLE))

    assert "full" in said or "No space left" in said
    assert sorted(path.name for path in small_disk.iterdir()) == ["ballast"]


def test_a_full_disk_under_a_running_study(small_disk: Path) -> None:
    assert isopath("init", small_disk / "calm", "--protocol", EXAMPLE).code == 0
    fill(small_disk, leave=0)
    study = small_disk / "calm"
    enrol = ("enrol", study, "--stratum", "site=north", "--stratum", "baseline_arousal=low")

    told = []
    for _ in range(60):
        done = isopath(*enrol, "--json")
        if done.code != 0:
            break
        told.append(done.facts["participant_id"])
    assert "disk is full" in refusal(done)

    (small_disk / "ballast").unlink()
    assert isopath("verify", study).code == 0
    assert sorted(isopath("status", study, "--json").facts["next"]) == sorted(told)


def test_a_full_disk_under_a_render(small_disk: Path, study: Study) -> None:
    participant_id = allocated(study)
    study.folder.sessions.rmdir()
    study.folder.sessions.symlink_to(small_disk)
    before = head(study)

    said = refusal(isopath("render", root(study), participant_id))

    assert "MB" in said
    assert list(small_disk.iterdir()) == []
    assert head(study) == before


def test_a_folder_that_cannot_be_written(tmp_path: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    for arguments in (
        ("init", small_disk / "calm", "--protocol", EXAMPLE),
        ("compose", "--minutes", "0.1", "-o", small_disk / "a.flac"),
        ("new", small_disk / "p.json", "--example", "crossover_2x2"),
    ):
        assert str(small_disk) in refusal(isopath(*arguments))


def test_a_file_that_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("a text file named .wav")

    done = isopath("hear", tmp_path / "notes.wav")

    assert done.code == 2
    assert "notes.wav: cannot be read as sound" in done.err
    assert "Traceback" not in done.err


def test_results_before_the_analysis(study: Study) -> None:
    assert "run isopath analyse" in refusal(isopath("report", root(study)))


def test_results_of_another_version(study: Study) -> None:
    study.folder.results.write_text('{"results_version": 99}')

    assert "is of version 99" in refusal(isopath("report", root(study)))


def test_results_that_somebody_cut_into(study: Study) -> None:
    assert isopath("analyse", root(study)).code == 0
    results = json.loads(study.folder.results.read_text())
    del results["study"]["arms"]
    study.folder.results.write_text(json.dumps(results))

    assert "results.json: lacks what a report needs ('arms'); run isopath analyse" in refusal(
        isopath("report", root(study))
    )
    assert not study.folder.report.exists()


def test_a_sound_that_is_not_the_one_rendered(study: Study) -> None:
    participant_id = allocated(study)
    assert isopath("rehearse", root(study)).code == 2
    plan_root = study.folder.sessions / participant_id / "ses-01"
    plan_root.mkdir(parents=True)
    (plan_root / "session.flac").write_bytes(b"not a sound")

    said = refusal(isopath("render", root(study), participant_id))

    assert "is not a whole rendered session" in said


def test_a_study_folder_that_is_none(tmp_path: Path) -> None:
    for command in ("status", "verify", "analyse", "report", "render", "rehearse"):
        assert refusal(isopath(command, tmp_path / "nowhere")).startswith(f"{tmp_path / 'nowhere'}: ")


def test_every_command_explains_itself_with_an_example() -> None:
    names = typer.main.get_group(app).commands

    assert len(names) >= 18
    for name in names:
        shown = CliRunner().invoke(app, [name, "--help"], prog_name="isopath", env={"COLUMNS": "200"})
        assert shown.exit_code == 0, name
        assert f"isopath {name}" in shown.output.replace("Usage: isopath", ""), name


def test_the_record_opened_after_all_this_is_whole(study: Study) -> None:
    completed(study)

    again = open_study(root(study))

    assert again.record.verify() == head(study)
    again.record.close()
