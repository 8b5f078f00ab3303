"""A table from another system is read as it is, or refused with the place and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.importing.source_table import DELIMITERS, ENCODINGS, SourceTable, load_table, parse_table
from study.errors import IsopathError, Refusals, StorageError


def cells_of(table: SourceTable) -> list[tuple[str, ...]]:
    return [tuple(row.cells.values()) for row in table.rows]


@pytest.mark.parametrize(("separator", "name"), [(",", "comma"), (";", "semicolon"), ("\t", "tab")], ids=repr)
def test_the_one_separator_the_header_can_mean_is_found_and_told(separator: str, name: str) -> None:
    data = f"code{separator}valence\n007{separator}3\n".encode()

    table = parse_table(data, "t.csv")

    assert table.columns == ("code", "valence")
    assert cells_of(table) == [("007", "3")]
    assert table.told == (f"read as UTF-8, separated by {name}",)


def test_a_header_that_two_separators_could_split_is_refused_until_the_map_says() -> None:
    data = b"code;valence,arousal\n007;3,4\n"

    with pytest.raises(IsopathError, match="could be separated by comma and semicolon"):
        parse_table(data, "t.csv")
    assert cells_of(parse_table(data, "t.csv", delimiter="semicolon")) == [("007", "3,4")]


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    table = parse_table(b"\xef\xbb\xbfcode,valence\n007,3\n", "t.csv")

    assert table.columns == ("code", "valence")
    assert "byte-order mark" in table.told[0]


def test_an_encoding_is_told_and_never_guessed() -> None:
    data = "code;site\n007;Süd\n".encode("windows-1252")

    with pytest.raises(IsopathError) as refused:
        parse_table(data, "t.csv")

    assert "t.csv, line 2: the byte 0xfc is not utf-8 text" in str(refused.value)
    assert '"encoding": "windows-1252"' in str(refused.value)
    assert cells_of(parse_table(data, "t.csv", "windows-1252")) == [("007", "Süd")]


def test_utf_16_is_named_in_the_refusal() -> None:
    data = "code,v\n1,2\n".encode("utf-16")

    with pytest.raises(IsopathError, match='write "encoding": "utf-16"'):
        parse_table(data, "t.csv")
    assert cells_of(parse_table(data, "t.csv", "utf-16")) == [("1", "2")]


def test_every_row_that_does_not_fit_the_header_is_named_at_once() -> None:
    with pytest.raises(Refusals) as refused:
        parse_table(b'code,v\n1,2\n3\n"4\n4",5\n6,7,8\n', "t.csv")

    assert [one.where for one in refused.value.refusals] == ["t.csv, line 3", "t.csv, line 6"]


def test_a_quotation_mark_that_is_never_closed_is_refused() -> None:
    with pytest.raises(IsopathError, match="line 3: is not a row of a CSV file"):
        parse_table(b'code,v\n1,2\n"3,4\n5,6\n', "t.csv")


def test_blank_rows_are_left_out_and_told_and_blanks_around_a_cell_are_no_part_of_it() -> None:
    table = parse_table(b"code,v\n 007 , 3\n,\n\n", "t.csv")

    assert cells_of(table) == [("007", "3")]
    assert table.told[1] == "2 blank row(s) left out"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"code,v\n", "a header and no rows"),
        (b"\ncode,v\n1,2\n", "line 1: is blank"),
        (b"code,v,v\n1,2,3\n", "'v' stands 2 times"),
        (b"code,,v\n1,2,3\n", "column 2 has no name"),
        (b"code,v\n,\n", "blank rows alone"),
        (b"code,v\n1,\x00\n", "line 2: a NUL character"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(IsopathError, match=why):
        parse_table(data, "t.csv")


def test_a_file_that_is_not_there_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        load_table(tmp_path / "none.csv")


@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='ab01,;\t\r\n" \xfc', max_size=80).map(str.encode),
    ),
    encoding=st.sampled_from(ENCODINGS),
    delimiter=st.sampled_from([None, *DELIMITERS]),
)
def test_any_bytes_are_read_or_refused_and_nothing_else(
    data: bytes, encoding: str, delimiter: str | None
) -> None:
    try:
        table = parse_table(data, "t.csv", encoding, delimiter)
    except IsopathError:
        return

    assert table.rows
    assert all(tuple(row.cells) == table.columns for row in table.rows)
    lines = [row.line for row in table.rows]
    assert lines == sorted(lines)
    assert min(lines) >= 2


_CELLS = st.text(alphabet='abü0", ;\n', max_size=8)


@given(rows=st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=6))
def test_what_a_csv_writer_wrote_comes_back(rows: list[tuple[str, str]]) -> None:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    data = ("code,v\r\n" + "\r\n".join(quoted) + "\r\n").encode()
    wanted = [tuple(cell.strip() for cell in row) for row in rows]

    try:
        found = cells_of(parse_table(data, "t.csv"))
    except IsopathError:
        found = []

    assert found == [row for row in wanted if any(row)]
