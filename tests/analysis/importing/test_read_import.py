"""What a file says of people: long, wide, REDCap, ids, missing answers; every refusal has its place."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.importing.map_file import parse_map
from analysis.importing.people import participant_id_of
from analysis.importing.read_import import read_import, read_table
from analysis.importing.source_table import parse_table
from study.errors import IsopathError
from study.events import EndReason, ParticipantEnrolled, StopReason
from study.imported_people import ImportedPerson, new_drafts
from study.protocol import AllocationGroup, Arm, Design
from tests.analysis.importing.files import (
    EXAMPLE,
    ROWS,
    WIDE,
    protocol,
    read,
    report,
    said,
    wide_map,
)

LONG = ("code", "group", "site", "time", "at", "v", "a")
LONG_MAP: dict[str, Any] = wide_map(
    layout="long",
    phase={"column": "time", "codes": {"t0": "pre", "t1": "probe", "t2": "post", "intake": None}},
    probe_at_s={"column": "at"},
    reports=[{"instrument": "feeling", "items": {"valence": "v", "arousal": "a"}}],
)


def refused(folder: Path, *rows: tuple[str, ...], **changes: Any) -> list[str]:
    with pytest.raises(IsopathError) as found:
        read(folder, rows or ROWS, **changes)
    return said(found.value)


class TestAWideTable:
    def test_raw_values_are_kept_as_they_were_answered(self, tmp_path: Path) -> None:
        first, second = read(tmp_path).people

        assert (first.source_id, first.group_id, dict(first.stratum)) == ("007", "iso", {"site": "north"})
        assert report(first, "pre").raw == {"valence": 3.0, "arousal": 7.0}
        assert (report(first, "probe").probe_at_s, report(first, "probe").session_id) == (6.0, "ses-01")
        assert report(second, "post").raw == {"valence": 4.0, "arousal": 5.0}

    def test_every_wrong_cell_is_named_with_line_column_value_and_remedy(self, tmp_path: Path) -> None:
        found = refused(
            tmp_path,
            ("007", "A", "north", "11", "7", "4,5", "6", "6", "3"),
            ("010", "C", "east", "2.5", "x", "", "", "4", "5"),
            separator=";",
        )

        assert found == [
            "table.csv, line 2, column v0: 11 is outside 1 to 9 (nine points 1 to 9); write a value from 1 "
            'to 9, or leave the item out if it was missed; if "11" stands for no answer, write it into the '
            "map's `missing`",
            'table.csv, line 2, column v1: "4,5" is not a number with a decimal point; write "decimal": '
            '"comma" in the map if all its numbers are written so',
            'table.csv, line 3, column site: "east" is not one of the protocol\'s; write one of north, '
            "south, or say in the map's codes which it means",
            'table.csv, line 3, column group: "C" is not in the map\'s codes; add it to the codes, or write '
            'one of "A", "B"',
            "table.csv, line 3, column v0: 2.5 lies between two answers (nine points 1 to 9); write a whole "
            'number from 1 to 9; if "2.5" stands for no answer, write it into the map\'s `missing`',
            'table.csv, line 3, column a0: "x" is not a number; write a number, or say in the map\'s '
            "`missing` what it stands for",
        ]

    def test_a_decimal_comma_is_read_where_the_map_says_so_and_a_point_is_refused_there(
        self, tmp_path: Path
    ) -> None:
        row = ("007", "A", "north", "3,0", "7", "4", "6", "6", "3")

        (person,) = read(tmp_path, [row], fields=wide_map(decimal="comma"), separator=";").people
        assert report(person, "pre").raw["valence"] == 3.0

        (problem,) = refused(
            tmp_path, (*row[:3], "3.0", *row[4:]), fields=wide_map(decimal="comma"), separator=";"
        )
        assert '"3.0" is not a number with a decimal comma' in problem

    def test_an_answer_with_one_item_missing_is_given_and_one_with_none_is_missed_with_its_reason(
        self, tmp_path: Path
    ) -> None:
        fields = wide_map(missing={"-99": "preferred not to answer", "-": None})
        row = ("007", "A", "north", "3", "-99", "-99", "-99", "-", "-")

        (person,) = read(tmp_path, [row], fields=fields).people

        assert (report(person, "pre").raw, report(person, "pre").missed_reason) == ({"valence": 3.0}, None)
        assert report(person, "probe").missed_reason == "preferred not to answer"
        # Still to come: nothing is said of it.
        assert [one.phase for one in person.reports] == ["pre", "probe"]

    def test_whose_part_ended_early_and_why_comes_from_the_file(self, tmp_path: Path) -> None:
        ended = {"column": "out", "codes": {"1": None, "3": "withdrew"}, "note": "said"}
        columns = (*WIDE, "out", "said")
        rows = [(*ROWS[0], "3", "too long"), (*ROWS[1], "1", "")]

        first, second = read(tmp_path, rows, columns, wide_map(ended=ended)).people

        assert first.ended == (EndReason.WITHDREW, "too long")
        assert second.ended is None
        (problem,) = refused(tmp_path, (*ROWS[0], "7", ""), columns=columns, fields=wide_map(ended=ended))
        assert 'line 2, column out: "7" is not in the map\'s codes' in problem

    def test_an_arm_that_nobody_told_is_refused_unless_the_map_says_never_allocated(
        self, tmp_path: Path
    ) -> None:
        row = ("007", "", *ROWS[0][2:])
        allowed = wide_map(arm={"column": "group", "codes": {"A": "iso", "": None}})

        (problem,) = refused(tmp_path, row)

        assert 'no row tells the arm of "007"' in problem
        assert read(tmp_path, [row], fields=allowed).people[0].group_id is None

    def test_what_is_the_same_for_everybody_is_written_down_as_assumed(self, tmp_path: Path) -> None:
        columns = tuple(column for column in WIDE if column != "site")
        row = tuple(cell for column, cell in zip(WIDE, ROWS[0], strict=True) if column != "site")

        found = read(tmp_path, [row], columns, wide_map(strata={"site": {"is": "south"}}))

        assert dict(found.people[0].stratum) == {"site": "south"}
        assert found.data.assumed == ("For every row, site was taken as south: the file does not tell it.",)


class TestALongTable:
    def test_each_row_is_a_report_of_the_moment_it_names(self, tmp_path: Path) -> None:
        first = ("007", "A", "north")
        rows = [
            (*first, "t2", "", "6", "3"),
            (*first, "t0", "", "3", "7"),
            (*first, "t1", "6.0", "4", "6"),
            (*first, "intake", "", "", ""),
        ]

        found = read(tmp_path, rows, LONG, LONG_MAP)

        (person,) = found.people
        assert {one.phase: dict(one.raw) for one in person.reports} == {
            "pre": {"valence": 3.0, "arousal": 7.0},
            "probe": {"valence": 4.0, "arousal": 6.0},
            "post": {"valence": 6.0, "arousal": 3.0},
        }
        assert report(person, "post").where == "table.csv, line 2"
        assert "1 row(s) were left out, as the map says of their phase or instrument." in found.data.assumed

    @pytest.mark.parametrize(
        ("row", "why"),
        [
            (("t1", "7", "4", "6"), "line 3, column at: 7 s is no probe of the protocol; write one of 6"),
            (("t1", "", "4", "6"), "line 3, column at: is blank"),
            (("t9", "", "4", "6"), 'line 3, column time: "t9" is not in the map\'s codes'),
            (("", "", "4", "6"), "line 3, column time: does not tell the phase"),
            (
                ("t0", "", "4", "6"),
                "line 3: a second answer to feeling at pre of ses-01; the first stands in ",
            ),
            (("intake", "", "4", "6"), None),
        ],
    )
    def test_a_row_of_no_known_moment_is_refused(
        self, tmp_path: Path, row: tuple[str, ...], why: str | None
    ) -> None:
        first = ("007", "A", "north")
        rows = ((*first, "t0", "", "3", "7"), (*first, *row))
        if why is None:
            assert len(read(tmp_path, rows, LONG, LONG_MAP).people[0].reports) == 1
            return

        found = refused(tmp_path, *rows, columns=LONG, fields=LONG_MAP)

        assert any(why in problem for problem in found), found


class TestARedcapExport:
    @pytest.fixture
    def lines(self) -> list[str]:
        return (EXAMPLE / "redcap.csv").read_text().splitlines()

    def read(self, folder: Path, lines: list[str]) -> Any:
        table = folder / "redcap.csv"
        table.write_text("\n".join(lines) + "\n")
        return read_import(table, EXAMPLE / "redcap-map.json", protocol(), None, "isopath test")

    def test_the_example_is_read_as_its_documentation_says(self, tmp_path: Path, lines: list[str]) -> None:
        found = self.read(tmp_path, lines)

        people = {person.source_id: person for person in found.people}
        assert len(people) == 16
        assert report(people["001"], "pre").raw == {"valence": 2.0, "arousal": 7.0}
        assert report(people["001"], "probe").raw == {"valence": 2.0, "arousal": 5.0}
        assert report(people["009"], "post").missed_reason == "preferred not to answer"
        assert people["012"].ended == (EndReason.WITHDREW, "")
        assert report(people["012"], "post").missed_reason == "left blank in the imported file"
        assert "16 row(s) of entry_arm_1 hold no report or sound that the map names" in found.told

    def test_only_who_answered_during_or_after_the_session_is_taken_to_have_heard_it(
        self, tmp_path: Path, lines: list[str]
    ) -> None:
        people = {person.source_id: person for person in self.read(tmp_path, lines).people}

        assert people["001"].listening["ses-01"].heard_s == 12.0
        assert people["012"].listening == {}

    def test_an_answer_in_a_row_that_no_report_takes_is_never_passed_over(
        self, tmp_path: Path, lines: list[str]
    ) -> None:
        lines.append("001,session_arm_1,moment,2,,,,,,5,5,,,2")

        with pytest.raises(IsopathError) as refusal:
            self.read(tmp_path, lines)

        assert said(refusal.value)[0] == (
            'redcap.csv, line 49, column now_valence: "5" stands in a row of which the map reads no such '
            "answer; write a report for these rows into the map, or take the value out"
        )


class TestWhoseRowItIs:
    def test_an_id_follows_from_protocol_and_code_and_a_valid_one_is_kept(self) -> None:
        study = protocol()

        made = participant_id_of(study, "007")

        assert made == participant_id_of(study, "007")
        assert made != participant_id_of(study, "7")
        assert made != participant_id_of(replace(study, sha256="0" * 64), "007")
        assert made.startswith("sub-")
        assert len(made) == len("sub-") + 12
        assert participant_id_of(study, "sub-0A7") == "sub-0A7"

    def test_codes_that_differ_in_leading_zeros_alone_are_refused_until_the_map_says_who_is_who(
        self, tmp_path: Path
    ) -> None:
        rows = [(*ROWS[0][:7], "", ""), ("7", *ROWS[0][1:3], "", "", "", "", "6", "3")]

        (problem,) = refused(tmp_path, *rows)
        assert '"7" and "007" (line 2) differ in leading zeros or capitals alone' in problem
        assert '"same": {"7": "007"}' in problem

        fields = wide_map(person={"column": "code", "same": {"7": "007"}})
        (person,) = read(tmp_path, rows, fields=fields).people
        assert person.source_id == "007"
        assert report(person, "pre").raw == {"valence": 3.0, "arousal": 7.0}
        assert report(person, "post").raw == {"valence": 6.0, "arousal": 3.0}

    @pytest.mark.parametrize("code", ["anna@example.org", "Anna Schmidt", "", "x" * 65])
    def test_what_may_be_a_name_is_no_code(self, tmp_path: Path, code: str) -> None:
        (problem,) = refused(tmp_path, (code, *ROWS[0][1:]))

        assert "line 2, column code" in problem
        assert "study code, never a name" in problem

    def test_a_row_that_stands_there_twice_is_read_once_and_told(self, tmp_path: Path) -> None:
        found = read(tmp_path, [*ROWS, ROWS[0]])

        assert len(found.people) == 2
        assert "1 row(s) stand there twice, word for word: each was read once" in found.told

    def test_two_answers_to_one_question_are_refused_with_both_lines(self, tmp_path: Path) -> None:
        found = refused(tmp_path, ROWS[0], (*ROWS[0][:8], "9"))

        assert "line 3: a second answer to feeling at post of ses-01; the first stands in line 2" in found[-1]

    def test_rows_of_one_person_agree_on_the_arm(self, tmp_path: Path) -> None:
        found = refused(tmp_path, ROWS[0], ("007", "B", "north", *[""] * 6))

        assert found == [
            'table.csv, line 3, column group: the arm is "target_only" here and "iso" in line 2; let all '
            "rows of a person say the same"
        ]


class TestTheHeader:
    def test_a_column_the_map_does_not_know_and_one_that_is_not_there_are_refused(
        self, tmp_path: Path
    ) -> None:
        found = refused(tmp_path, (*ROWS[0], "1"), columns=(*WIDE[:-1], "A2", "extra"))

        assert [problem.split("; ")[0] for problem in found] == [
            'table.csv, line 1: there is no column "a2", which the map takes for feeling.arousal at post',
            'table.csv, line 1: the map says nothing of the column "A2"',
            'table.csv, line 1: the map says nothing of the column "extra"',
        ]

    def test_columns_that_are_left_out_are_told(self, tmp_path: Path) -> None:
        fields = wide_map(ignored=["extra"])

        found = read(tmp_path, [(*ROWS[0], "1")], (*WIDE, "extra"), fields)

        assert "columns left out: extra" in found.told
        assert found.data.column_map["extra"] == "left out"
        assert found.data.column_map["v2"] == "feeling.valence at post"


class TestListening:
    COLUMNS = (*WIDE, "s", "why")
    FIELDS = wide_map(
        sounds=[
            {"listened_s": "s", "stopped": {"column": "why", "codes": {"tired": "chose_to_stop", "": None}}}
        ]
    )

    def heard(self, folder: Path, seconds: str, why: str = "", v1: str = "4") -> Any:
        row = (*ROWS[0][:5], v1, "6" if v1 else "", *ROWS[0][7:], seconds, why)
        return read(folder, [row], self.COLUMNS, self.FIELDS).people[0].listening

    def test_it_goes_as_far_as_the_file_says(self, tmp_path: Path) -> None:
        stopped = self.heard(tmp_path, "7.5", "tired")["ses-01"]

        assert (stopped.heard_s, stopped.stop_reason) == (7.5, StopReason.CHOSE_TO_STOP)
        assert self.heard(tmp_path, "11.2")["ses-01"].heard_s == 12.0
        assert self.heard(tmp_path, "0", v1="") == {}
        assert self.heard(tmp_path, "", v1="4") == {}

    @pytest.mark.parametrize(
        ("seconds", "why", "told"),
        [
            ("7.5", "", "7.5 s of 12 s listened, and nothing says why it was stopped"),
            ("14", "", "14 s listened, and the sound lasts 12 s"),
            ("-1", "", "-1 s is below 0"),
            ("3", "tired", "a probe at 6 s was answered, and the sound was heard to 3 s"),
        ],
    )
    def test_what_cannot_be_is_refused(self, tmp_path: Path, seconds: str, why: str, told: str) -> None:
        with pytest.raises(IsopathError, match=told):
            self.heard(tmp_path, seconds, why)


class TestACrossover:
    def test_a_sequence_is_found_from_the_arms_of_the_sessions(self, tmp_path: Path) -> None:
        study = protocol()
        arms: tuple[Arm, ...] = study.arms
        groups = (
            AllocationGroup("ab", ("iso", "target_only"), 1),
            AllocationGroup("ba", ("target_only", "iso"), 1),
        )
        study = replace(
            study,
            design=Design.CROSSOVER,
            session_count=2,
            arms=arms,
            allocation=replace(study.allocation, groups=groups),
        )
        fields = wide_map(session={"column": "visit", "codes": {"1": "ses-01", "2": "ses-02"}})
        rows = [("007", "B", *ROWS[0][2:], "1"), ("007", "A", *ROWS[0][2:8], "4", "2")]

        (person,) = read(tmp_path, rows, (*WIDE, "visit"), fields, study=study).people

        assert person.group_id == "ba"
        assert [one.session_id for one in person.reports if one.phase == "post"] == ["ses-01", "ses-02"]
        with pytest.raises(IsopathError, match="fits no sequence of the protocol"):
            read(tmp_path, [rows[0], ("007", "B", *rows[1][2:])], (*WIDE, "visit"), fields, study=study)


CELL = st.sampled_from(["", "A", "B", "1", "7", "9", "10", "007", "7,5", "-99", "north", "probe", "6", "x;y"])
READINGS = tuple(
    parse_map(json.dumps(fields).encode(), "map.json", protocol())
    for fields in (
        wide_map(missing={"-99": "refused"}, ended={"column": "v0", "codes": {"9": "withdrew", "7": None}}),
        wide_map(
            sounds=[
                {"listened_s": "a2", "stopped": {"column": "v1", "codes": {"x;y": "distress", "7": None}}}
            ],
            missing={"": None},
        ),
        wide_map(
            layout="long",
            phase={"column": "v0", "codes": {"7": "pre", "9": "post", "1": None, "6": "probe"}},
            probe_at_s={"column": "a0"},
            reports=[{"instrument": "feeling", "items": {"valence": "v1", "arousal": "a1"}}],
            ignored=["v2", "a2"],
            listening="assumed_whole",
        ),
    )
)


@given(rows=st.lists(st.tuples(*[CELL] * len(WIDE)), min_size=1, max_size=5), number=st.integers(0, 2))
def test_any_cells_are_read_or_refused_and_what_is_read_can_be_recorded(
    rows: list[tuple[str, ...]], number: int
) -> None:
    data = "\n".join("\t".join(cells) for cells in (WIDE, *rows)).encode()

    problems: list[str] = []
    people: tuple[ImportedPerson, ...] = ()
    try:
        people = read_table(parse_table(data, "t.csv"), READINGS[number], protocol(), None).people
    except IsopathError as refusal:
        problems = said(refusal)

    assert all("t.csv" in problem for problem in problems)
    assert bool(problems) != bool(people)
    drafts, known = new_drafts(protocol(), (), people)
    assert known == 0
    assert sum(isinstance(draft.event, ParticipantEnrolled) for draft in drafts) == len(people)


def test_more_than_a_hundred_problems_are_counted(tmp_path: Path) -> None:
    rows = [(f"{number:04d}", "A", "north", "99", *ROWS[0][4:]) for number in range(130)]

    found = refused(tmp_path, *rows)

    assert len(found) == 101
    assert "30 more problem(s) like these" in found[-1]


def test_a_map_and_its_table_are_read_with_json_as_written(tmp_path: Path) -> None:
    column_map = tmp_path / "broken.json"
    column_map.write_text(json.dumps(wide_map())[:-1])

    with pytest.raises(IsopathError, match="ends too early"):
        read_import(EXAMPLE / "redcap.csv", column_map, protocol(), None, "isopath test")
