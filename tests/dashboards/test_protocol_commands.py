"""`isopath check`, `show` and `new`, as people and scripts use them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from analysis.guidelines.schedule import make_schedule
from dashboards.cli import protocol_commands
from dashboards.cli.protocol_interview import QUESTIONS, Interview, slug
from dashboards.cli.protocol_picture import example_start, planned_arms, plot_characters
from study.affect import NAMED_STATES, Affect
from study.errors import IsopathError, StorageError
from study.path import PathKind
from study.protocol import StudyProtocol
from study.protocol_file import load_protocol, parse_protocol

EXAMPLES = Path(__file__).parents[2] / "protocols" / "examples"
INVALID = Path(__file__).parents[1] / "protocols" / "invalid"
EVERY_PAGE = INVALID.with_name("valid") / "every_page.json"
ISO, THREE, CROSSOVER = (
    EXAMPLES / f"{name}.json" for name in ("iso_vs_target_only", "three_arm_silence", "crossover_2x2")
)

ANSWERS = {
    "title": "Evening calm",
    "start": "",
    "target": "serene",
    "arms": "iso, target_only, silence",
    "minutes": "10",
    "people": "60",
    "strata": "site: north, south",
    "contact": "Dr Lee, +44 20 7946 0000",
}


def _run(*arguments: str | Path, lines: str = "") -> Result:
    app = typer.Typer()
    protocol_commands.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=lines)


def _refused(result: Result) -> str:
    assert isinstance(result.exception, IsopathError)
    return str(result.exception)


def _lines(**changes: str) -> str:
    return "\n".join({**ANSWERS, **changes}.values()) + "\n"


def test_check_says_that_files_are_valid_and_what_they_plan() -> None:
    result = _run("check", ISO, CROSSOVER)

    assert result.exit_code == 0
    assert f"{ISO}: valid (parallel, 2 arms, 128 people, 1 session of 15:00 min)" in result.stdout
    assert f"{CROSSOVER}: valid (crossover, 2 arms, 48 people, 2 sessions of 15:00 min)" in result.stdout
    assert result.stderr == ""


def test_check_reports_every_problem_of_every_file(tmp_path: Path) -> None:
    result = _run(
        "check", INVALID / "too_loud.json", ISO, INVALID / "everything_at_once.json", tmp_path / "no"
    )

    assert result.exit_code == 2
    assert result.stderr.count("too_loud.json::$.safety.loudness_lufs: -6 is outside [-40, -14]") == 1
    assert result.stderr.count("everything_at_once.json::$") == 12
    assert f"{tmp_path / 'no'}: there is no such file" in result.stderr
    assert "iso_vs_target_only.json: valid" in result.stdout


def test_check_speaks_json_to_programs() -> None:
    result = _run("check", "--json", ISO, INVALID / "too_loud.json")

    said = json.loads(result.stdout)
    assert result.exit_code == 2
    assert said["valid"] is False
    good, bad = said["files"]
    assert good["valid"] is True
    assert good["sha256"] == load_protocol(ISO).sha256
    assert bad["problems"][0]["path"] == "$.safety.loudness_lufs"
    assert bad["problems"][0]["remedy"] == "write LUFS from -40 to -14, such as -23"


def test_the_command_line_ends_with_two_and_without_traceback() -> None:
    command = [sys.executable, "-c", "from dashboards.cli.main import main; main()"]

    shown = subprocess.run(
        [*command, "show", str(INVALID / "too_loud.json")], capture_output=True, text=True, check=False
    )

    assert shown.returncode == 2
    assert shown.stderr.endswith("-6 is outside [-40, -14]; write LUFS from -40 to -14, such as -23\n")
    assert "Traceback" not in shown.stderr
    assert shown.stdout == ""


@pytest.mark.parametrize("command", ["check", "show", "new"])
def test_every_command_helps_with_an_example(command: str) -> None:
    result = _run(command, "--help")

    assert result.exit_code == 0
    assert f"isopath {command} " in result.stdout


def test_the_schedule_says_what_happens_when() -> None:
    schedule = make_schedule(load_protocol(THREE))

    rows = {name: marks for _, section in schedule.sections for name, marks in section}
    assert schedule.columns == ("Enrolment", "Before", "Allocation", "Listening", "After")
    assert rows["Consent"] == ("X", "", "", "", "")
    assert rows["Mood induction"] == ("", "X", "", "", "")
    assert rows["Allocation"] == ("", "", "X", "", "")
    assert rows["silence"] == ("", "", "", "X", "")
    assert rows["feeling (felt)"] == ("X", "X", "", "5:00", "X")
    assert rows["anxiety (felt)"] == ("X", "X", "", "", "X")


def test_the_schedule_has_sound_check_questions_and_debriefing() -> None:
    schedule = make_schedule(load_protocol(EVERY_PAGE))

    rows = {name: marks for _, section in schedule.sections for name, marks in section}
    assert schedule.columns == ("Enrolment", "Before", "Allocation", "Listening", "After", "+1 day")
    assert rows["Sound check"] == ("X", "", "", "", "", "")
    assert rows["expectations (questions)"] == ("X", "", "", "2:30", "", "")
    assert rows["afterwards (questions)"] == ("", "", "", "", "X", "")
    assert rows["grid (perceived)"] == ("", "", "", "1 Hz", "", "")
    assert rows["Debriefing"] == ("", "", "", "", "", "X")
    assert schedule.notes[2:8] == (
        "expectations: 1 question, measuring expectancy.",
        "afterwards: 2 questions, measuring arm guess.",
        "Sound check before the first report of each session: the level, and headphones by antiphase,"
        " passed by 2 of 3, in 3 attempts; failing the last ends the person's part.",
        "The debriefing tells people which arm was theirs.",
        "Times under Listening are minutes into the session.",
        "1 Hz: may be rated all along, and is taken down once a second.",
    )


def test_show_states_bank_and_stop_rules() -> None:
    shown = " ".join(_run("show", EVERY_PAGE).stdout.split())

    assert "Delivery: from a bank of 5 × 5 starting moods, the nearest for each person" in shown
    assert (
        "Stop rule much_distress: 5 people of one arm with distress, at least 20% of its listeners" in shown
    )
    assert "Stop rule one_serious: 1 person of one arm with serious adverse event" in shown


def test_the_schedule_has_follow_ups_and_visits() -> None:
    iso, crossover = make_schedule(load_protocol(ISO)), make_schedule(load_protocol(CROSSOVER))

    assert iso.columns[-1] == "+1 day"
    assert dict(iso.sections[2][1])["anxiety (felt)"] == ("X", "", "", "", "X", "X")
    assert "Session 2: day 7 to 14 after session 1." in crossover.notes


@pytest.mark.parametrize("path", [ISO, THREE, CROSSOVER], ids=lambda path: path.stem)
def test_show_prints_title_arms_schedule_numbers_and_paths(path: Path) -> None:
    protocol = load_protocol(path)

    result = _run("show", path)

    assert result.exit_code == 0
    assert " ".join(result.stdout.split()).startswith(protocol.title)
    assert protocol.sha256 in result.stdout
    for arm in protocol.arms:
        assert arm.arm_id in result.stdout
    assert "Eligibility" in result.stdout
    assert "unpleasant" in result.stdout
    assert "In the study, each path starts at the participant's own pre report." in result.stdout


def test_show_prints_a_title_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text(
        ISO.read_text(encoding="utf-8").replace("Meeting the mood", "[red]:smile: [/]"), encoding="utf-8"
    )

    assert "[red]:smile: [/]" in _run("show", file).stdout


def test_show_states_the_largest_step_from_the_start_that_is_asked_for() -> None:
    result = _run("show", ISO, "--from", "-0.6,0.4")

    # hypot(1.2, 1.0) over 25 moves: 30 steps, 2 of them at the start and 4 at the target.
    assert "from (-0.6, 0.4) to (0.6, -0.6) the largest step is 0.062" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("start", "said"), [("low", "'low' is not a point"), ("-2,0", "valence: -2.0 is outside [-1, 1]")]
)
def test_show_refuses_a_start_off_the_plane(start: str, said: str) -> None:
    assert said in _refused(_run("show", ISO, "--from", start))


def test_show_states_every_shape_that_arms_have(tmp_path: Path) -> None:
    protocol = json.loads(ISO.read_text(encoding="utf-8"))
    protocol["arms"][1]["path"].update(steps=5, step_s=180)
    file = tmp_path / "p.json"
    file.write_text(json.dumps(protocol), encoding="utf-8")

    shown = _run("show", file).stdout

    assert "iso: 30 steps of 30 s" in shown
    assert "target_only: 5 steps of 180 s" in shown


def _sign(plot: str, point: Affect) -> str:
    row = plot.splitlines()[1 + round((1 - point.arousal) * 10)]
    return row[11 + round((point.valence + 1) * 24)]


def test_the_plot_puts_each_arm_where_it_is_on_the_plane() -> None:
    protocol, start = load_protocol(ISO), Affect(-0.6, 0.6)

    plot = plot_characters(planned_arms(protocol, start))

    assert _sign(plot, start) == "A"
    assert _sign(plot, protocol.target) == "*", "both arms end at the target"
    assert _sign(plot, Affect(-0.6, -0.6)) == " "


def test_the_example_start_is_opposite_the_target() -> None:
    assert example_start(load_protocol(ISO)) == Affect(-0.6, 0.6)


@pytest.mark.parametrize(("name", "magic"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")])
def test_show_draws_the_paths(tmp_path: Path, name: str, magic: bytes) -> None:
    picture = tmp_path / name

    result = _run("show", THREE, "--picture", picture)

    assert result.exit_code == 0
    assert picture.read_bytes().startswith(magic)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_the_picture_shows_each_arm_in_its_colour(tmp_path: Path) -> None:
    from matplotlib.image import imread

    _run("show", ISO, "--picture", tmp_path / "a.png")

    pixels = imread(tmp_path / "a.png")[..., :3]
    for colour in ("0072B2", "D55E00"):
        rgb = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        assert (np.abs(pixels - rgb).max(axis=2) < 0.02).sum() > 500


@pytest.mark.parametrize(
    ("name", "said"), [("a.txt", "is not the name of a picture"), ("no/a.png", "its folder is not there")]
)
def test_show_refuses_a_picture_it_cannot_write(tmp_path: Path, name: str, said: str) -> None:
    result = _run("show", THREE, "--picture", tmp_path / name)

    assert said in _refused(result)
    assert list(tmp_path.iterdir()) == []


def _new(tmp_path: Path, lines: str) -> tuple[Result, StudyProtocol]:
    result = _run("new", tmp_path / "p.json", lines=lines)
    return result, load_protocol(tmp_path / "p.json")


def test_new_writes_what_was_answered(tmp_path: Path) -> None:
    result, protocol = _new(tmp_path, _lines())

    assert result.exit_code == 0
    assert (protocol.study_id, protocol.title, protocol.sample_size) == ("evening_calm", "Evening calm", 60)
    assert protocol.start is None
    assert protocol.target == NAMED_STATES["serene"]
    assert [arm.path.kind for arm in protocol.arms] == [PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE]
    assert protocol.duration_s == 600
    assert protocol.probes_at_s == (180, 390)
    assert [(s.factor, s.levels) for s in protocol.allocation.strata] == [("site", ("north", "south"))]
    assert protocol.analysis.contrasts[0].arm_ids == ("iso", "target_only")
    assert "+44 20 7946 0000" in protocol.safety.support_text["en"]
    assert "+44 20 7946 0000" in protocol.consent_text["en"]
    assert [file.name for file in tmp_path.iterdir()] == ["p.json"]


def test_new_takes_the_proposed_answer_for_an_empty_line(tmp_path: Path) -> None:
    _, protocol = _new(tmp_path, "Rest\n\n\n\n\n40\n\nnurse@example.org\n")

    assert protocol.target == NAMED_STATES["calm"]
    assert [arm.arm_id for arm in protocol.arms] == ["iso", "target_only"]
    assert protocol.duration_s == 900
    assert protocol.allocation.strata == ()


@pytest.mark.parametrize(
    ("question", "bad", "reason"),
    [
        ("title", "", "Please write something."),
        ("title", "x" * 501, "is 501 characters long, more than 500"),
        ("title", "a\x1b[2Jb", "holds a character that cannot be shown"),
        ("start", "angst", "'angst' is not a mood I know"),
        ("start", "-2,0", "-2.0 is outside [-1, 1]"),
        ("start", "nan,0", "is not a finite number"),
        ("target", "clam", 'did you mean "calm"?'),
        ("target", "0.6;0.2", "is not a mood I know"),
        ("arms", "iso", "write two or more different kinds"),
        ("arms", "iso, iso", "write two or more different kinds"),
        ("arms", "iso, speech", "speech needs sound files"),
        ("arms", "iso, nois", 'did you mean "noise"?'),
        ("minutes", "soon", "'soon' is not a number"),
        ("minutes", "0", "write whole or half minutes from 1 to 240"),
        ("minutes", "15.2", "write whole or half minutes"),
        ("minutes", "nan", "write whole or half minutes"),
        ("people", "many", "is not a number of people"),
        ("people", "1", "1 is outside [2, 100000]"),
        ("people", "-5", "is not a number of people"),
        ("people", "2", "a block of 3 is never full with a sample_size of 2"),
        ("strata", "north, south", "write a name, a colon and the groups"),
        ("strata", "site: north", "holds 1 level(s)"),
        ("strata", "arm: a, b", "has a meaning of its own in tables and models"),
        ("strata", "age: " + ",".join("abcdefghijklmnopqrstu"), "leave most blocks unfinished"),
        ("contact", "", "Please write something."),
    ],
)
def test_new_asks_again_with_the_reason(tmp_path: Path, question: str, bad: str, reason: str) -> None:
    result, protocol = _new(tmp_path, _lines(**{question: f"{bad}\n{ANSWERS[question]}"}))

    assert reason in result.stdout
    assert protocol.title == "Evening calm"


def test_new_asks_again_when_the_target_is_the_start(tmp_path: Path) -> None:
    result, protocol = _new(tmp_path, _lines(start="calm", target="calm\nhappy"))

    assert "the start is the target" in result.stdout
    assert (protocol.start, protocol.target) == (NAMED_STATES["calm"], NAMED_STATES["happy"])


@pytest.mark.parametrize("answered", range(8))
def test_new_writes_nothing_when_the_answers_end_early(tmp_path: Path, answered: int) -> None:
    lines = "".join(line + "\n" for line in list(ANSWERS.values())[:answered])

    result = _run("new", tmp_path / "p.json", lines=lines)

    assert f"the answers ended at question {answered + 1}; nothing was written" in _refused(result)
    assert list(tmp_path.iterdir()) == []


def test_new_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("mine", encoding="utf-8")

    for options in ((), ("--example", "crossover_2x2")):
        assert "is there already" in _refused(_run("new", tmp_path / "p.json", *options, lines=_lines()))

    assert (tmp_path / "p.json").read_text(encoding="utf-8") == "mine"


def test_new_refuses_a_folder_that_is_not_there_before_it_asks(tmp_path: Path) -> None:
    result = _run("new", tmp_path / "no" / "p.json", lines=_lines())

    assert isinstance(result.exception, StorageError)
    assert result.stdout == ""


@pytest.mark.parametrize("name", ["iso_vs_target_only", "three_arm_silence", "crossover_2x2"])
def test_new_copies_an_example(tmp_path: Path, name: str) -> None:
    result = _run("new", tmp_path / "p.json", "--example", name)

    assert result.exit_code == 0
    copied, original = load_protocol(tmp_path / "p.json"), load_protocol(EXAMPLES / f"{name}.json")
    assert (copied.study_id, copied.arms, copied.consent_text) == (
        original.study_id,
        original.arms,
        original.consent_text,
    )


def test_new_names_the_examples_there_are(tmp_path: Path) -> None:
    result = _run("new", tmp_path / "p.json", "--example", "crossover")

    assert "write one of crossover_2x2, iso_vs_target_only, three_arm_silence" in _refused(result)
    assert list(tmp_path.iterdir()) == []


_CHOICES = [kind.value for kind in PathKind if not kind.needs_files]


@settings(max_examples=60, deadline=None)
@given(
    title=st.text(min_size=1, max_size=60),
    start=st.sampled_from(["own", "anxious", "0.3,-0.9", "sad"]),
    target=st.sampled_from([*NAMED_STATES, "0.1,0.1", "-0.95,0.9"]),
    arms=st.lists(st.sampled_from(_CHOICES), min_size=2, max_size=5, unique=True),
    half_minutes=st.integers(2, 480),
    people=st.integers(2, 500),
    strata=st.sampled_from(["none", "site: a, b", "site: a, b; age: young, old"]),
)
def test_whatever_is_accepted_is_a_valid_protocol(
    title: str, start: str, target: str, arms: list[str], half_minutes: int, people: int, strata: str
) -> None:
    answers = [
        title.strip(),
        start,
        target,
        ", ".join(arms),
        str(half_minutes / 2),
        str(people),
        strata,
        "a@b.org",
    ]
    interview = Interview()

    reasons: list[str] = []
    while interview.next_question is not None and not reasons:
        reason = interview.answer(answers[interview.number - 1])
        reasons += [reason] if reason else []

    if not reasons:
        assert len(QUESTIONS) == 8
        assert parse_protocol(interview.protocol_bytes(), "p.json").sample_size == people


@given(st.text())
def test_a_slug_is_always_an_id(text: str) -> None:
    name = slug(text, "study")

    assert name[0].isalpha()
    assert len(name) <= 40
    assert all(
        letter.isascii() and (letter.islower() or letter.isdigit() or letter == "_") for letter in name
    )
