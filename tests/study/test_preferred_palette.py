"""An arm may play the palette that each person chose before the music."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from study.affect import Affect
from study.cohort import SimulatedClock
from study.delivery import plan_session
from study.errors import ConductError
from study.founding import Study, initialise_study
from study.protocol import Phase
from study.protocol_file import load_protocol
from study.questionnaire import PREFERRED
from study.self_reports import submit_questionnaire
from study.session import Allocation, make_session_plan
from study.step import GiveReport, RenderSession
from tests.study.conftest import ONE_SESSION
from tests.study.walking import ACTOR, due, eligible, go_on

CHOICES = ("ambient", "chamber")


def protocol_asking_at(*phases: str, folder: Path) -> Path:
    """One session whose arms play what was chosen, and a question for it in each of `phases`."""
    protocol: dict[str, Any] = json.loads(ONE_SESSION.read_text())
    for arm in protocol["arms"]:
        arm["engine"] = {"name": "composer", "options": {"palette": PREFERRED, "cue_weights": {"groove": 0}}}
    protocol["questionnaires"] = [
        {
            "id": f"taste_{phase}",
            "items": [
                {
                    "id": "sound",
                    "kind": "choice",
                    "text": {"en": "Which sound would you like to lie back to?"},
                    "options": [{"id": choice, "text": {"en": choice}} for choice in CHOICES],
                    "measures": "palette",
                    "required": True,
                }
            ],
        }
        for phase in phases
    ]
    for assessment in protocol["assessments"]:
        if assessment["phase"] in phases:
            assessment["instruments"].insert(0, f"taste_{assessment['phase']}")
    path = folder / "protocol.json"
    path.write_text(json.dumps(protocol))
    return path


def study_of(protocol: Path, clock: SimulatedClock) -> Study:
    return initialise_study(protocol.parent / "study", protocol, "test", "isopath test", clock)


def arrived(study: Study, chosen: dict[Phase, str]) -> str:
    """Somebody whose sound is due, who chose a palette wherever one was asked for."""
    participant_id = eligible(study)
    while not isinstance(step := due(study, participant_id), RenderSession):
        if isinstance(step, GiveReport) and step.instrument_id.startswith("taste"):
            submit_questionnaire(study, ACTOR, participant_id, step, {"sound": chosen[step.phase]})
        else:
            go_on(study, participant_id)
    return participant_id


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("phase", [Phase.BASELINE, Phase.PRE])
def test_the_plan_names_the_palette_that_was_chosen(
    choice: str, phase: Phase, tmp_path: Path, clock: SimulatedClock
) -> None:
    study = study_of(protocol_asking_at(phase, folder=tmp_path), clock)

    plan = plan_session(study, arrived(study, {phase: choice}))

    assert plan.engine.options == {"palette": choice, "cue_weights": {"groove": 0}}
    study.record.close()


def test_what_was_chosen_last_counts(tmp_path: Path, clock: SimulatedClock) -> None:
    study = study_of(protocol_asking_at("baseline", "pre", folder=tmp_path), clock)

    plan = plan_session(study, arrived(study, {Phase.BASELINE: "ambient", Phase.PRE: "chamber"}))

    assert plan.engine.options["palette"] == "chamber"
    study.record.close()


def test_people_who_chose_otherwise_have_other_plans(tmp_path: Path) -> None:
    protocol = load_protocol(protocol_asking_at("pre", folder=tmp_path))
    place = Allocation("sub-01", "iso", ("iso",), {}, 0, 0)

    ambient, chamber = (
        make_session_plan(protocol, place, 1, Affect(-0.4, 0.4), choice) for choice in CHOICES
    )

    assert ambient.sha256 != chamber.sha256
    assert (ambient.seed, ambient.path) == (chamber.seed, chamber.path)


def test_nobody_is_given_a_palette_that_was_not_chosen(tmp_path: Path) -> None:
    protocol = load_protocol(protocol_asking_at("pre", folder=tmp_path))
    place = Allocation("sub-01", "iso", ("iso",), {}, 0, 0)

    with pytest.raises(ConductError, match="ses-01: has no palette that the person chose; have it chosen"):
        make_session_plan(protocol, place, 1, Affect(-0.4, 0.4))


def test_an_arm_with_its_own_palette_keeps_it(tmp_path: Path) -> None:
    path = protocol_asking_at("pre", folder=tmp_path)
    written = json.loads(path.read_text())
    written["arms"][1]["engine"]["options"] = {"palette": "acoustic"}
    path.write_text(json.dumps(written))
    place = Allocation("sub-01", "target_only", ("target_only",), {}, 0, 0)

    plan = make_session_plan(load_protocol(path), place, 1, Affect(-0.4, 0.4), "ambient")

    assert plan.engine.options == {"palette": "acoustic"}
