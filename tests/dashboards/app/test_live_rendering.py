"""A session's sound is made in another process while its person waits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboards.server.live_rendering import LiveRendering, RenderingProgress, RenderingState
from dashboards.server.render_worker import NICENESS, Order, Refused, RenderWorker, WorkerDied
from generation.cohort import render_cohort
from study.bank import bank_plans
from study.conduct import discontinue
from study.delivery import plan_session, record_render
from study.events import DeviationRecorded, EndReason, SessionRendered
from study.founding import Study, initialise_study
from study.manifest import RenderManifest
from study.oversight.alerts import AlertKind, alerts_of
from study.step import Listen
from study.steps import next_step
from tests.dashboards.short_study import ACTOR, one_of_each, short_protocol, waiting
from tests.dashboards.test_bank_command import banked_study

WITHIN_S = 120.0


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def rendered(study: Study) -> dict[str, str]:
    events = study.record.events(kinds=[SessionRendered])
    return {str(r.participant_id): r.actor for r in events}


class FrailWorker(RenderWorker):
    """Dies when it is asked for something."""

    def render(self, order: Order, progress: Callable[[float], None]) -> RenderManifest | Refused:
        raise WorkerDied


@pytest.fixture
def study(tmp_path: Path) -> Study:
    file = short_protocol(tmp_path / "short.json")
    protocol = json.loads(file.read_text())
    # Noise and silence: what is tested here is the same for music, and sooner there.
    protocol["arms"][0]["path"]["kind"] = "noise"
    file.write_text(json.dumps(protocol))
    return initialise_study(tmp_path / "study", file, ACTOR, "isopath test")


@pytest.fixture
def started() -> Iterator[Callable[[LiveRendering], LiveRendering]]:
    begun: list[LiveRendering] = []

    def start(rendering: LiveRendering) -> LiveRendering:
        begun.append(rendering)
        rendering.start()
        return rendering

    yield start
    for rendering in begun:
        rendering.close()


def test_everybody_who_is_due_is_found_and_their_sound_made_and_recorded_once(
    study: Study, started: Callable[[LiveRendering], LiveRendering]
) -> None:
    people = one_of_each(study)

    rendering = started(LiveRendering(study))

    assert {rendering.progress_of(p).state for p in people.values()} <= {"waiting", "working"}
    until(lambda: len(rendered(study)) == 2)
    until(lambda: {rendering.progress_of(p).state for p in people.values()} == {"ready"})
    assert set(rendered(study).values()) == {"server"}
    for participant_id in people.values():
        step = next_step(study.protocol, study.record.participant(participant_id))
        assert isinstance(step, Listen)
    assert len(study.record.events(kinds=[SessionRendered])) == 2


def test_the_process_that_renders_lets_the_server_go_first_and_ends_with_it(
    study: Study, started: Callable[[LiveRendering], LiveRendering]
) -> None:
    waiting(study)
    rendering = started(LiveRendering(study))
    until(lambda: bool(rendered(study)))
    process_id = rendering.workers[0].process_id
    assert process_id is not None

    assert os.getpriority(os.PRIO_PROCESS, process_id) >= NICENESS

    rendering.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def test_a_killed_process_is_noticed_and_the_session_is_made_all_the_same(
    study: Study, started: Callable[[LiveRendering], LiveRendering]
) -> None:
    participant_id = waiting(study)
    rendering = started(LiveRendering(study))
    until(lambda: rendering.workers[0].process_id is not None)

    os.kill(rendering.workers[0].process_id or 0, signal.SIGKILL)

    until(lambda: participant_id in rendered(study))
    assert study.record.events(participant_id, kinds=[DeviationRecorded]) == []


def test_what_cannot_be_made_is_told_to_staff_once_and_the_page_says_so_kindly(
    study: Study, started: Callable[[LiveRendering], LiveRendering]
) -> None:
    participant_id = waiting(study)
    rendering = started(LiveRendering(study, make_worker=FrailWorker))

    until(lambda: rendering.progress_of(participant_id).state is RenderingState.FAILED)
    rendering.close()
    again = started(LiveRendering(study, make_worker=FrailWorker))
    until(lambda: again.progress_of(participant_id).state is RenderingState.FAILED)

    events = study.record.events()
    alerts = [a for a in alerts_of(study.protocol, events, study.record.clock()) if "sound" in a.kind]
    assert [(a.kind, a.participant_id) for a in alerts] == [(AlertKind.RENDER_FAILED, participant_id)]


def test_sound_that_staff_made_meanwhile_is_ready(
    study: Study, started: Callable[[LiveRendering], LiveRendering]
) -> None:
    participant_id = waiting(study)
    rendering = started(LiveRendering(study, make_worker=FrailWorker))
    until(lambda: rendering.progress_of(participant_id).state is RenderingState.FAILED)

    plan = plan_session(study, participant_id)
    (manifest,) = render_cohort([plan], study.folder.sessions, 1, lambda _: None)
    record_render(study, "coordinator:anna", plan, manifest)

    assert rendering.progress_of(participant_id) == RenderingProgress(RenderingState.READY, 1.0)


def test_sound_that_was_finished_but_not_recorded_is_recorded_and_not_made_again(
    study: Study, started: Callable[[LiveRendering], LiveRendering]
) -> None:
    participant_id = waiting(study)
    (made,) = render_cohort([plan_session(study, participant_id)], study.folder.sessions, 1, lambda _: None)
    file = study.folder.sessions / participant_id / "ses-01" / made.stim_file
    before = file.stat()

    started(LiveRendering(study))
    until(lambda: participant_id in rendered(study))

    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_whoever_leaves_while_they_wait_is_no_alert(
    study: Study, started: Callable[[LiveRendering], LiveRendering]
) -> None:
    participant_id = waiting(study)
    discontinue(study, "test", participant_id, EndReason.WITHDREW)

    rendering = LiveRendering(study)
    rendering.look_at(participant_id)
    started(rendering)

    assert rendering.progress_of(participant_id).state is RenderingState.READY
    assert rendered(study) == {}
    assert rendering.workers[0].process_id is None


def test_the_process_that_renders_does_not_outlive_a_killed_server() -> None:
    said = "from dashboards.server.render_worker import RenderWorker as W; import time; w = W(); w.start()"
    script = f"{said}; print(w.process_id, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        process_id = int(server.stdout.readline())
        server.kill()

    until(lambda: not Path(f"/proc/{process_id}/cmdline").exists() or is_zombie(process_id))


def is_zombie(process_id: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return True


def test_a_session_of_the_bank_is_given_from_it(
    tmp_path: Path, started: Callable[[LiveRendering], LiveRendering]
) -> None:
    study = banked_study(tmp_path / "study")
    # Noise sounds the same from every mood: its bank is one session.
    people = one_of_each(study)
    discontinue(study, "test", people.pop("iso"), EndReason.WITHDREW)
    ((arm_id, participant_id),) = people.items()
    needed = [plan for plan in bank_plans(study) if plan.arm_id == arm_id]
    render_cohort(needed, study.folder.bank, 1, lambda _: None)

    rendering = started(LiveRendering(study))
    until(lambda: participant_id in rendered(study))

    (event,) = (r.event for r in study.record.events(kinds=[SessionRendered]))
    assert isinstance(event, SessionRendered)
    assert event.start_rule is not None
    # Nothing was made: the other process was not even started.
    assert rendering.workers[0].process_id is None
