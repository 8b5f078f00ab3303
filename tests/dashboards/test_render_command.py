"""`isopath render`: whose, by what, where; what was changed is recorded, and a stop loses nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.description.descriptives import deviations_of
from analysis.tables.build import build_tables
from dashboards.cli.engine_choice import EngineChoice
from dashboards.study_analysis import analyse_study
from generation.cohort import render_cohort
from study.delivery import plan_session
from study.events import DeviationRecorded, SessionRendered
from study.founding import Study
from study.protocol import EngineSpec
from tests.dashboards.command_line import ISOPATH, isopath, refusal
from tests.dashboards.short_study import one_of_each, short_study, waiting
from tests.generation.counted_engine import APART, ROOT, TOGETHER, install, lines_of


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package's engines, installed for this process and for the commands it runs."""
    install(tmp_path / "installed")
    monkeypatch.syspath_prepend(tmp_path / "installed")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'installed'}{os.pathsep}{ROOT}")


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    made = short_study(tmp_path / "study")
    yield made
    made.record.close()


def root(study: Study) -> Path:
    return study.folder.root


def deviations(study: Study) -> dict[str | None, DeviationRecorded]:
    return {
        recorded.participant_id: recorded.event
        for recorded in study.record.events(kinds=[DeviationRecorded])
        if isinstance(recorded.event, DeviationRecorded)
    }


def files_under(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Finished files; a process that was killed may leave a hidden folder, swept by the next."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and not path.parent.name.startswith(".")
    }


def test_another_engine_is_a_deviation_in_the_record_and_no_hint_on_the_screen(study: Study) -> None:
    people = one_of_each(study)

    said = {
        arm: isopath(
            "render",
            root(study),
            "--participant",
            participant_id,
            *("--engine", APART, "--actor", "coordinator:anna", "--no-hear"),
        )
        for arm, participant_id in people.items()
    }

    assert {done.code for done in said.values()} == {0}
    told = [done.out.replace(people[arm], "sub-x") for arm, done in said.items()]
    assert told[0] == told[1]
    assert told[0].endswith("What was made otherwise than the protocol says is recorded as a deviation.\n")
    assert deviations(study) == {
        people["iso"]: DeviationRecorded(
            "music by engine counted, planned: engine composer", "isopath render was given --engine counted"
        )
    }
    last = study.record.participant(people["iso"])[-2:]
    assert [recorded.kind for recorded in last] == ["DeviationRecorded", "SessionRendered"]
    assert {(recorded.session_id, recorded.actor) for recorded in last} == {("ses-01", "coordinator:anna")}
    (row,) = deviations_of(build_tables(study.protocol, study.record.events(), {}, {}))
    assert (row["participant_id"], row["session_id"], row["arm"]) == (people["iso"], "ses-01", "iso")
    assert row["description"] == "music by engine counted, planned: engine composer"


def test_the_protocols_own_engine_is_no_deviation(study: Study) -> None:
    participant_id = one_of_each(study)["iso"]

    done = isopath("render", root(study), participant_id, "--engine", "composer", "--no-hear", "--json")

    assert done.code == 0, done.err
    assert [session["participant_id"] for session in done.facts["rendered"]] == [participant_id]
    assert deviations(study) == {}
    assert list(study.folder.predictions.iterdir()) == []


def test_what_was_made_is_heard_by_every_predictor_and_the_screen_tells_no_arm(study: Study) -> None:
    people = one_of_each(study)

    said = {arm: isopath("render", root(study), who) for arm, who in people.items()}

    assert {done.code for done in said.values()} == {0}
    assert sorted(path.name for path in study.folder.predictions.iterdir()) == [
        f"{people['iso']}_ses-01_{name}.json" for name in ("cues", "musicnn")
    ]
    told = {
        re.sub(r"[0-9:.]+|[━╸╺ ]", "", f"{done.out}{done.err}".replace(people[arm], "sub-x"))
        for arm, done in said.items()
    }
    assert len(told) == 1
    assert "hearingsession(s)" in told.pop()
    # The analysis finds them, and hears nothing again.
    before = files_under(study.folder.predictions)
    analyse_study(study, lambda *_: None)
    assert files_under(study.folder.predictions) == before


def test_a_render_that_stopped_before_it_was_recorded_keeps_its_deviation(study: Study) -> None:
    participant_id = one_of_each(study)["iso"]
    changed = EngineChoice(APART, None).applied(plan_session(study, participant_id))
    render_cohort([changed], study.folder.sessions, 1, lambda _: None)
    before, head = files_under(study.folder.sessions), study.record.head()

    refused = refusal(isopath("render", root(study), participant_id))
    assert "holds a session that was rendered from another plan; move the folder away" in refused
    assert study.record.head() == head
    done = isopath("render", root(study), participant_id, "--engine", APART, "--no-hear")

    assert done.code == 0, done.err
    assert list(deviations(study)) == [participant_id]
    assert files_under(study.folder.sessions) == before


def test_another_model_keeps_the_arms_options_and_another_engine_does_not() -> None:
    planned = EngineSpec("musicgen", {"model": "musicgen-small", "revision": "abc", "top_k": 50})

    def used(engine: str | None, model: str | None) -> EngineSpec:
        return EngineChoice(engine, model)._used(planned)

    assert used(None, None) == used("musicgen", None) == used("musicgen", "musicgen-small") == planned
    assert used(None, "musicgen-large") == EngineSpec("musicgen", {"model": "musicgen-large", "top_k": 50})
    assert used("audiocraft", "musicgen-small") == EngineSpec("audiocraft", {"model": "musicgen-small"})
    assert used("composer", None) == EngineSpec("composer", {})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--engine", "nosuch"),
            "--engine: 'nosuch' is not installed here; write one of audiocraft, ",
        ),
        (
            ("--model", "musicgen-small"),
            "--model: the engine composer has no models; leave it out, or name",
        ),
        (("--device", "gpu"), "--device: 'gpu' is not a device; write cpu, cuda or cuda:0"),
        (("--device", "cuda:77"), "--device cuda:77: "),
        (("--cluster", "local", "--device", "cuda:1"), "--device: cuda:1 is one GPU; a cluster gives each"),
    ],
)
def test_what_cannot_be_rendered_is_refused_whoever_it_is_for(
    study: Study, options: tuple[str, ...], said: str
) -> None:
    # No engine makes this one's silence, and the refusal may not tell.
    participant_id = one_of_each(study)["silence"]
    before = study.record.head()

    message = refusal(isopath("render", root(study), participant_id, *options))

    assert message.startswith(said)
    assert len(message.splitlines()) == 1
    assert files_under(study.folder.sessions) == {}
    assert study.record.head() == before


#: A shell's background job ignores interrupts, and so does what it starts: this program hears them again.
AS_AT_A_TERMINAL = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize(("engine", "jobs"), [(TOGETHER, 1), (APART, 2)])
def test_an_interrupted_cohort_goes_on_where_it_stopped(tmp_path: Path, engine: str, jobs: int) -> None:
    log = tmp_path / "log"
    spec = {"name": engine, "options": {"log": str(log), "pause_s": 0.5}}
    study = short_study(tmp_path / "slow", other="target_only", engine=spec)
    people = [waiting(study) for _ in range(4)]
    command = [str(ISOPATH), "render", str(root(study)), "--all", "--no-hear", "--jobs", str(jobs)]

    running = subprocess.Popen(
        [sys.executable, "-c", AS_AT_A_TERMINAL, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while sum(line.what == "written" for line in lines_of(log)) < 1 and running.poll() is None:
        time.sleep(0.02)
    # As a terminal does it: to every process of the command.
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)

    kept = files_under(study.folder.sessions)
    before = len(lines_of(log))
    assert (running.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert err.strip().endswith("stopped; what was finished is kept, run the command again to go on")
    assert 2 <= len(kept) < 2 * len(people)
    assert {Path(name).name for name in kept} == {"session.flac", "manifest.json"}
    assert not study.record.events(kinds=[SessionRendered])

    done = isopath("render", root(study), "--all", "--no-hear", "--jobs", str(jobs))

    assert done.code == 0, done.err
    after = files_under(study.folder.sessions)
    assert {name: after[name] for name in kept} == kept
    assert len(after) == 2 * len(people)
    # The first run may have been stopped between a file and its line: only what begins anew counts.
    anew = [line.detail for line in lines_of(log)[before:] if line.what == "begun"]
    assert sorted(anew) == sorted(p for p in people if not any(p in name for name in kept))
    rendered = [r.participant_id for r in study.record.events(kinds=[SessionRendered])]
    assert rendered == people
    study.record.close()
