"""What a protocol file may say, and what its author is told when it may not."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from study.affect import NAMED_STATES, Affect
from study.errors import ProtocolErrors, ProtocolProblem, StorageError
from study.instruments import KINDS
from study.path import PathKind, make_path
from study.protocol import Debrief, Design, ListeningSpec, Phase, SoundCheck, StopRule, StudyProtocol
from study.protocol_file import load_protocol, parse_protocol
from study.protocol_file.shape import protocol_schema
from study.questionnaire import Item, ItemKind

PROTOCOLS = Path(__file__).parents[1] / "protocols"
EXAMPLES = Path(__file__).parents[2] / "protocols" / "examples"
SMALLEST = (PROTOCOLS / "valid" / "smallest.json").read_bytes()

INVALID = sorted((PROTOCOLS / "invalid").glob("*.json"))
VALID = sorted([*(PROTOCOLS / "valid").glob("*.json"), *EXAMPLES.glob("*.json")])


def _named(path: Path) -> str:
    return path.stem


def _edited(edit: Callable[[dict[str, Any]], object]) -> bytes:
    value = json.loads(SMALLEST)
    edit(value)
    return json.dumps(value).encode()


def _parsed(edit: Callable[[dict[str, Any]], object]) -> StudyProtocol:
    return parse_protocol(_edited(edit), "smallest.json")


def _problems(data: bytes) -> str:
    with pytest.raises(ProtocolErrors) as refused:
        parse_protocol(data, "p.json")
    return str(refused.value)


def _problems_if_any(data: bytes) -> tuple[ProtocolProblem, ...]:
    try:
        parse_protocol(data, "p.json")
    except ProtocolErrors as refused:
        return refused.problems
    return ()


@pytest.mark.parametrize("path", INVALID, ids=_named)
def test_an_invalid_protocol_is_refused_with_the_messages_beside_it(path: Path) -> None:
    expected = path.with_suffix(".txt").read_text(encoding="utf-8")

    with pytest.raises(ProtocolErrors) as refused:
        parse_protocol(path.read_bytes(), path.name, path.parent)

    assert str(refused.value) + "\n" == expected


def test_there_are_many_invalid_protocols_and_each_has_its_messages() -> None:
    messages = {path.stem for path in (PROTOCOLS / "invalid").glob("*.txt")}

    assert len(INVALID) >= 30
    assert messages == {path.stem for path in INVALID}


@pytest.mark.parametrize("path", INVALID, ids=_named)
def test_messages_never_speak_as_a_schema_library_does(path: Path) -> None:
    message = path.with_suffix(".txt").read_text(encoding="utf-8")

    for line in message.splitlines():
        assert line.startswith(f"{path.name}::$")
        assert "; " in line.split(": ", 1)[1], "each problem has a remedy"
    for phrase in (
        "is not valid under",
        "does not match",
        "required property",
        "Additional properties",
        "is not of type",
    ):
        assert phrase not in message


@pytest.mark.parametrize("path", VALID, ids=_named)
def test_a_valid_protocol_is_read(path: Path) -> None:
    protocol = load_protocol(path)

    assert protocol.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert protocol.study_id
    assert all(arm.path.duration_s == protocol.duration_s for arm in protocol.arms)
    assert {group.weight for group in protocol.allocation.groups} == {1}


def test_the_examples_are_a_stratified_parallel_a_three_arm_and_a_crossover_study() -> None:
    parallel, three, crossover = (
        load_protocol(EXAMPLES / f"{name}.json")
        for name in ("iso_vs_target_only", "three_arm_silence", "crossover_2x2")
    )

    assert [arm.path.kind for arm in parallel.arms] == [PathKind.ISO, PathKind.TARGET_ONLY]
    assert parallel.duration_s == 900.0
    assert parallel.probes_at_s == (300.0, 600.0)
    assert [stratum.factor for stratum in parallel.allocation.strata] == ["site", "baseline_arousal"]
    assert parallel.target == Affect(0.6, -0.6)
    assert parallel.start is None
    assert parallel.safety.loudness_lufs == -23.0
    assert [arm.path.kind for arm in three.arms] == [PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE]
    assert three.induction_text is not None
    assert crossover.design is Design.CROSSOVER
    assert [group.arm_ids for group in crossover.allocation.groups] == [
        ("iso", "random_order"),
        ("random_order", "iso"),
    ]
    assert crossover.visit_windows[0].session_number == 2


def test_the_first_example_asks_all_that_a_trial_of_music_should_in_two_languages() -> None:
    protocol = load_protocol(EXAMPLES / "iso_vs_target_only.json")

    assert protocol.languages == ("en", "de")
    assert protocol.sound_check == SoundCheck("huggins", 6, 5, 2, ends_on_failure=False)
    assert protocol.debrief is not None
    assert (protocol.debrief.after_follow_up, protocol.debrief.tells_arm) == (True, True)
    given = {phase: [i for a in protocol.assessments_at(phase) for i in a.instrument_ids] for phase in Phase}
    assert given[Phase.PRE] == ["expectations", "feeling"]
    assert given[Phase.POST] == ["feeling", "expressed", "anxiety", "afterwards"]
    measured = [item.measures for page in protocol.questionnaires for item in page.items]
    assert measured == ["expectancy", "preference", "familiarity", None, "arm_guess"]
    assert [rule.counts for rule in protocol.safety.stop_rules] == ["distress", "serious_adverse_event"]
    assert protocol.listening.has_visual
    assert all(arm.told_in("de") != arm.told_in("en") for arm in protocol.arms)


def test_texts_and_versions_come_from_their_own_fields() -> None:
    protocol = load_protocol(PROTOCOLS / "valid" / "two_languages.json")

    assert protocol.version == "1.0"
    assert protocol.consent_text == {
        "en": "I take part of my own free will.",
        "de-AT": "Ich nehme aus freien Stücken teil.",
    }
    assert protocol.safety.support_text["en"] == "Call 112 if you are in danger."
    assert protocol.induction_text == {
        "en": "Think of a hard day.",
        "de-AT": "Denken Sie an einen schweren Tag.",
    }
    assert protocol.eligibility[0].text["en"] == "Are you 18 or older?"
    assert protocol.eligibility[0].eligible_if is True
    assert protocol.population == "Adults who sleep badly."


def test_an_arm_takes_the_studys_path_except_for_what_it_says_itself() -> None:
    protocol = _parsed(
        lambda p: p["arms"][0]["path"].update(steps=5, step_s=60, start={"state": "tense"}, dwell_end_steps=1)
    )

    iso, silence = protocol.arms
    assert (iso.path.steps, iso.path.step_s, iso.path.dwell_start_steps, iso.path.dwell_end_steps) == (
        5,
        60,
        1,
        1,
    )
    assert iso.start == NAMED_STATES["tense"]
    assert iso.target == protocol.target
    assert (silence.path.steps, silence.path.step_s, silence.start) == (10, 30, None)


def test_an_arm_that_does_not_move_may_have_fewer_steps_than_the_studys_dwells() -> None:
    protocol = _parsed(
        lambda p: (
            p["path"].update(dwell_start_steps=3, dwell_end_steps=4),
            p["arms"][1]["path"].update(steps=5, step_s=60),
        )
    )

    assert protocol.arms[1].path.steps == 5


def test_what_a_protocol_leaves_out_has_the_documented_value() -> None:
    protocol = parse_protocol(SMALLEST, "smallest.json")

    assert protocol.safety.loudness_lufs == -23.0
    assert protocol.analysis.agreement.probe_window_s == 30.0
    assert protocol.analysis.agreement.post_window_s == 60.0
    assert protocol.arms[0].engine.name == "composer"
    assert protocol.max_step is None
    assert protocol.visit_windows == ()
    assert protocol.induction_text is None
    assert (protocol.sound_check, protocol.debrief, protocol.bank_points) == (None, None, None)
    assert protocol.listening == ListeningSpec(has_visual=True, rating_instrument_id=None)
    assert (protocol.questionnaires, protocol.safety.stop_rules) == ((), ())
    assert protocol.arms[0].told_in("en") == "Iso"


def test_a_parallel_study_of_several_sessions_repeats_the_arm() -> None:
    windows = [{"session": 2, "from_day": 1, "to_day": 2}, {"session": 3, "from_day": 2, "to_day": 5}]

    protocol = _parsed(lambda p: p["session"].update(count=3, windows=windows))

    assert protocol.allocation.groups[0].arm_ids == ("iso", "iso", "iso")


def test_whole_numbers_may_be_written_with_a_point() -> None:
    protocol = _parsed(lambda p: p["path"].update(steps=10.0))

    assert protocol.arms[0].path.steps == 10
    assert isinstance(protocol.arms[0].path.steps, int)


def test_a_constant_arm_holds_its_point() -> None:
    protocol = _parsed(
        lambda p: p["arms"].__setitem__(
            1, {"id": "silence", "label": "Calm", "path": {"kind": "constant", "hold": {"state": "sad"}}}
        )
    )

    assert protocol.arms[1].path.hold == NAMED_STATES["sad"]


def test_a_byte_order_mark_is_no_problem() -> None:
    assert parse_protocol(b"\xef\xbb\xbf" + SMALLEST, "p.json").study_id == "evening_calm"


def test_what_stands_on_the_pages_comes_from_its_own_fields() -> None:
    protocol = load_protocol(PROTOCOLS / "valid" / "every_page.json")

    assert protocol.sound_check == SoundCheck("antiphase", 3, 2, 3, ends_on_failure=True)
    assert protocol.listening == ListeningSpec(has_visual=False, rating_instrument_id="grid")
    assert protocol.debrief == Debrief({"en": "Thank you.", "fr": "Merci."}, True, True)
    assert protocol.safety.stop_rules == (
        StopRule("much_distress", "distress", 5, 0.2),
        StopRule("one_serious", "serious_adverse_event", 1, 0.0),
    )
    assert (protocol.delivery, protocol.bank_points) == ("bank", 5)
    assert protocol.instrument("feeling").pictures["arousal"][8] == "pictures/arousal_9.png"
    assert protocol.instrument("grid").pictures == {}
    assert [arm.told_in("fr") for arm in protocol.arms] == ["un chemin", "le silence"]


def test_the_studys_own_questions_come_with_their_words_and_what_they_measure() -> None:
    protocol = load_protocol(PROTOCOLS / "valid" / "every_page.json")

    expectations, afterwards = protocol.questionnaires
    assert protocol.questionnaire("afterwards") is afterwards
    assert protocol.questionnaire("feeling") is None
    assert expectations.items == (
        Item(
            "hoped_for",
            ItemKind.SCALE,
            {"en": "How much do you expect?", "fr": "Qu'attendez-vous ?"},
            points=7,
            low={"en": "nothing", "fr": "rien"},
            high={"en": "a great deal", "fr": "beaucoup"},
            measures="expectancy",
            is_required=True,
        ),
    )
    guess, words = afterwards.items
    assert [option_id for option_id, _ in guess.options] == ["iso", "silence", "do_not_know"]
    assert guess.options[0][1]["fr"] == "un chemin"
    assert (guess.measures, guess.is_required) == ("arm_guess", False)
    assert (words.kind, words.points, words.low, words.options) == (ItemKind.TEXT, 0, None, ())


def test_a_sound_check_without_headphone_test_passes_at_its_first_attempt() -> None:
    protocol = _parsed(lambda p: p.update(sound_check={"headphone_test": "none"}))

    assert protocol.sound_check == SoundCheck(None, 0, 0, 1, ends_on_failure=False)


def test_an_instrument_that_is_only_rated_while_listening_is_not_idle() -> None:
    def rated(protocol: dict[str, Any]) -> None:
        protocol["instruments"].append({"id": "grid", "kind": "affect_grid", "perspective": "felt"})
        protocol["listening"] = {"continuous_rating": "grid"}

    assert _parsed(rated).listening == ListeningSpec(True, "grid")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<svg onload='alert(1)'/>", "holds no png or jpg picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(2_000_000), "is larger than a phone should load"),
        (None, "there is no such file beside the protocol"),
    ],
)
def test_a_picture_that_is_none_is_told_by_its_place(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    shutil.copytree(PROTOCOLS / "valid", tmp_path / "valid")
    picture = tmp_path / "valid" / "pictures" / "valence_3.png"
    picture.unlink() if content is None else picture.write_bytes(content)

    with pytest.raises(ProtocolErrors) as refused:
        load_protocol(tmp_path / "valid" / "every_page.json")

    assert [problem.json_path for problem in refused.value.problems] == [
        "$.instruments[0].pictures.valence[2]"
    ]
    assert said in refused.value.problem


def test_speech_files_are_looked_for_beside_the_protocol(tmp_path: Path) -> None:
    def talk(protocol: dict[str, Any]) -> None:
        protocol["arms"][1]["path"] = {"kind": "speech", "files": ["sounds/talk.flac"]}

    file = tmp_path / "p.json"
    file.write_bytes(_edited(talk))
    with pytest.raises(ProtocolErrors, match=r"files\[0\]: there is no such file beside the protocol"):
        load_protocol(file)
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "talk.flac").write_bytes(b"sound")

    assert load_protocol(file).arms[1].files == ("sounds/talk.flac",)


def test_self_selected_arms_name_no_files_for_each_person_brings_their_own() -> None:
    named = {"kind": "self_selected", "files": ["own/one.mp3"]}

    with pytest.raises(ProtocolErrors, match="does nothing in an arm of kind self_selected"):
        _parsed(lambda p: p["arms"][1].update(path=named))

    assert _parsed(lambda p: p["arms"][1].update(path={"kind": "self_selected"})).arms[1].files == ()


@pytest.mark.parametrize("max_step", [0.2829, 0.3, 2.83])
def test_the_limit_that_a_message_proposes_is_enough(max_step: float) -> None:
    protocol = _parsed(lambda p: p["path"].update(max_step=max_step))

    assert protocol.max_step == max_step


def test_the_number_of_steps_that_a_message_proposes_is_enough_and_one_fewer_is_not() -> None:
    def with_steps(steps: int) -> bytes:
        return _edited(
            lambda p: (
                p["path"].update(max_step=0.2, steps=steps, step_s=60),
                p["session"].update(duration_s=60 * steps),
            )
        )

    assert "write 14 steps or more" in _problems(with_steps(13))
    assert parse_protocol(with_steps(14), "p.json").max_step == 0.2


def test_problems_stand_in_file_order() -> None:
    message = _problems((PROTOCOLS / "invalid" / "everything_at_once.json").read_bytes())

    places = [line.split("::")[1].split(":")[0] for line in message.splitlines()]
    tops = [place.split(".")[1].split("[")[0] for place in places]
    assert list(dict.fromkeys(tops)) == [
        "study", "path", "arms", "allocation", "consent", "assessments", "safety", "analysis",
    ]  # fmt: skip


def test_a_wrong_part_does_not_hide_problems_elsewhere() -> None:
    def edit(protocol: dict[str, Any]) -> None:
        protocol["study"] = "calm"
        protocol["instruments"][0]["kind"] = 3
        protocol["allocation"]["block_sizes"] = [3]
        protocol["analysis"]["contrasts"][0]["arms"] = ["iso", "quiet"]

    message = _problems(_edited(edit))

    assert [line.split("::")[1].split(":")[0] for line in message.splitlines()] == [
        "$.study",
        "$.allocation.block_sizes[0]",
        "$.instruments[0].kind",
        "$.analysis.contrasts[0].arms[1]",
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent.json", "there is no such file; check the name"),
        (".", "is a folder; name the protocol file in it"),
        ("x" * 300, "the name is too long"),
        ("a\0b", "is not a file name"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_message(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(StorageError, match=said):
        load_protocol(tmp_path / name)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    with file.open("wb") as sparse:
        sparse.truncate(3_000_000_000)

    with pytest.raises(ProtocolErrors, match="larger than a protocol can be"):
        load_protocol(file)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b"{" * 3 + b"["])
def test_very_deep_nesting_is_one_message(opening: bytes) -> None:
    message = _problems(opening * 100_000)

    assert message.count("\n") == 0


def test_the_schema_is_a_valid_schema_and_knows_our_vocabulary() -> None:
    schema = protocol_schema()

    Draft202012Validator.check_schema(schema)
    arm = schema["properties"]["arms"]["items"]["properties"]
    assert arm["path"]["properties"]["kind"]["enum"] == [kind.value for kind in PathKind]
    assert schema["$defs"]["point"]["then"]["properties"]["state"]["enum"] == list(NAMED_STATES)
    instruments = schema["properties"]["instruments"]["items"]["properties"]
    assert instruments["kind"]["enum"] == list(KINDS)
    assessments = schema["properties"]["assessments"]["items"]["properties"]
    assert assessments["phase"]["enum"] == [phase.value for phase in Phase]
    questions = schema["properties"]["questionnaires"]["items"]["properties"]["items"]["items"]["properties"]
    assert questions["kind"]["enum"] == [kind.value for kind in ItemKind]


def test_the_parts_of_the_documentation_make_one_protocol_with_every_section() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
    parts = [json.loads(part) for part in re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]
    whole = {name: section for part in parts for name, section in part.items()}

    protocol = parse_protocol(json.dumps(whole).encode(), "docs/protocol.md")

    assert sum(map(len, parts)) == len(whole)
    assert {*whole, "$schema"} == set(protocol_schema()["properties"])
    assert protocol.study_id == "evening_calm"


def _objects(node: Any) -> list[dict[str, Any]]:
    here = [node] if isinstance(node, dict) else []
    items = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    return here + [found for item in items for found in _objects(item)]


def test_every_field_of_the_schema_is_described_and_says_what_to_write() -> None:
    schema = protocol_schema()
    fields = [
        (n, f) for o in _objects(schema) for n, f in o.get("properties", {}).items() if isinstance(f, dict)
    ]

    assert len(fields) > 80
    for name, field in fields:
        assert field.get("description"), name
        assert "x-write" in field or "$ref" in field or name in ("properties",), name


def test_every_object_of_the_schema_is_closed() -> None:
    for node in _objects(protocol_schema()):
        if node.get("type") == "object" and "properties" in node:
            assert node["additionalProperties"] is False


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _paths(value: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [here] + [path for key, item in items for path in _paths(item, (*here, key))]


_FULL = json.loads((EXAMPLES / "crossover_2x2.json").read_text(encoding="utf-8"))
_EVERY_PAGE = json.loads((PROTOCOLS / "valid" / "every_page.json").read_text(encoding="utf-8"))


def test_fields_that_differ_only_in_a_character_that_cannot_be_shown_are_told_apart() -> None:
    value = copy.deepcopy(_FULL) | {"?": 1, "\x7f": 1}

    problems = _problems_if_any(json.dumps(value).encode())

    assert {problem.json_path for problem in problems} == {'$["?"]', '$["\\u007f"]'}


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_protocol_with_anything_anywhere_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    value = copy.deepcopy(data.draw(st.sampled_from([_FULL, _EVERY_PAGE])))
    for _ in range(data.draw(st.integers(1, 3))):
        *owner, last = data.draw(st.sampled_from(_paths(value)[1:]))
        node = value
        for key in owner:
            node = node[key]
        if data.draw(st.booleans()):
            node[last] = data.draw(_JSON)
        else:
            del node[last]

    problems = _problems_if_any(json.dumps(value).encode())

    assert len(set(problems)) == len(problems)
    assert all(p.json_path.startswith("$") and p.problem and p.remedy for p in problems)


@settings(max_examples=250, deadline=None)
@given(
    own=st.fixed_dictionaries(
        {"kind": st.sampled_from(list(PathKind))},
        optional={
            "steps": st.sampled_from([1, 2, 3, 5, 10]),
            "step_s": st.sampled_from([30, 60, 150, 300]),
            "dwell_start_steps": st.integers(0, 6),
            "dwell_end_steps": st.integers(0, 6),
            "start": st.sampled_from(["pre", {"state": "calm"}, {"state": "sad"}]),
            "target": st.sampled_from([{"state": "calm"}, {"state": "happy"}]),
            "hold": st.just({"state": "sad"}),
            "files": st.just(["a.wav"]),
        },
    ),
    max_step=st.sampled_from([None, 0.1, 0.5, 2.0]),
)
def test_an_arm_that_passes_can_be_made_into_a_path(own: dict[str, Any], max_step: float | None) -> None:
    def edit(protocol: dict[str, Any]) -> None:
        protocol["arms"][0]["path"] = own
        if max_step is not None:
            protocol["path"].update(max_step=max_step)

    try:
        protocol = _parsed(edit)
    except ProtocolErrors:
        return

    arm = protocol.arms[0]
    for start in (Affect(-1, 1), Affect(1, 1), Affect(0, 0)):
        path = make_path(arm.path, arm.start or start, arm.target, seed=1)
        assert path.duration_s == protocol.duration_s
        if max_step is not None and arm.path.kind in (PathKind.ISO, PathKind.REVERSE):
            assert path.largest_step <= max_step + 1e-9


@settings(max_examples=150, deadline=None)
@given(_JSON)
def test_any_json_is_read_or_refused_and_nothing_else(value: Any) -> None:
    with pytest.raises(ProtocolErrors):
        parse_protocol(json.dumps(value).encode(), "p.json")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    with pytest.raises(ProtocolErrors):
        parse_protocol(data, "p.json")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SMALLEST) - 1), st.binary(max_size=3))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(place: int, inserted: bytes) -> None:
    damaged = SMALLEST[:place] + inserted + SMALLEST[place + 1 :]

    assert all(p.problem and p.remedy for p in _problems_if_any(damaged))
