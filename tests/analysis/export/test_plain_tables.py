"""CSV and Parquet give back the very tables they were written from, whatever people typed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.export import read_tables
from analysis.export.codebook import codebook_of
from analysis.export.content import ExportContent, Told
from analysis.export.plain_tables import csv_of, write_csv_tables, write_parquet_tables
from study.errors import RecordMismatch, StorageError
from tests.analysis.export.made_content import NASTY, made_content, no_progress

Write = Callable[[ExportContent, Path, Told], None]
BOTH = pytest.mark.parametrize("write", [write_csv_tables, write_parquet_tables])


@pytest.fixture(scope="module")
def content() -> ExportContent:
    return made_content()


@pytest.fixture(scope="module")
def blinded() -> ExportContent:
    return made_content(is_blinded=True)


def assert_same(read: dict[str, pd.DataFrame], written: ExportContent) -> None:
    assert list(read) == list(written.tables)
    for name, table in written.tables.items():
        pd.testing.assert_frame_equal(read[name], table, check_exact=True)


@BOTH
@pytest.mark.requirement("ALCOA+ complete", "ALCOA+ enduring")
def test_reading_the_files_gives_the_same_tables_value_for_value_and_type_for_type(
    content: ExportContent, write: Write, tmp_path: Path
) -> None:
    write(content, tmp_path, no_progress)

    read = read_tables(tmp_path)

    assert_same(read, content)
    assert NASTY in set(read["adverse_events"]["description"])
    assert read["self_reports"]["sequence"].dtype == "Int64"


@BOTH
def test_the_blinded_tables_come_back_too_with_days_for_times(
    blinded: ExportContent, write: Write, tmp_path: Path
) -> None:
    write(blinded, tmp_path, no_progress)

    read = read_tables(tmp_path)

    assert set(read["events"]["at"]) == {"2026-03-02"}
    assert "arm" not in read["sessions"]
    for name, table in blinded.tables.items():
        pd.testing.assert_frame_equal(read[name], table, check_dtype=False)


@BOTH
def test_the_same_record_gives_the_same_bytes(content: ExportContent, write: Write, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write(content, tmp_path / name, no_progress)

    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert all((tmp_path / "first" / f).read_bytes() == (tmp_path / "second" / f).read_bytes() for f in files)


@pytest.mark.requirement("ALCOA+ legible")
def test_every_exported_column_stands_in_the_codebook_with_its_meaning(
    content: ExportContent, tmp_path: Path
) -> None:
    write_csv_tables(content, tmp_path, no_progress)

    rows = list(csv.DictReader(io.StringIO((tmp_path / "codebook.csv").read_text())))
    listed = {(row["table"], row["column"]) for row in rows}
    assert listed == {(name, column) for name, table in content.tables.items() for column in table.columns}
    assert all(row["description"].endswith(".") for row in rows)
    heard = next(row for row in rows if (row["table"], row["column"]) == ("sessions", "heard_s"))
    assert (heard["type"], heard["unit"], heard["minimum"]) == ("number", "s", "0")
    assert "sub-003" in (tmp_path / "README.txt").read_text()


def test_parquet_columns_carry_their_descriptions(content: ExportContent, tmp_path: Path) -> None:
    write_parquet_tables(content, tmp_path, no_progress)

    field = pq.read_schema(tmp_path / "sessions.parquet").field("heard_s")
    assert field.metadata == {b"description": b"Seconds heard at least once.", b"unit": b"s"}


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from('",\r\n\t;=+-@ N')
)
NASTY_TEXT = st.none() | TEXT | st.sampled_from(["", "NA", "n/a", "null", "true", "=cmd()", "  ", "\r", '""'])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(NASTY_TEXT, NASTY_TEXT, st.none() | st.floats(allow_nan=False, allow_infinity=False)),
        min_size=1,
        max_size=6,
    )
)
def test_no_text_is_altered_or_lost_on_the_way(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str | None, str | None, float | None]]
) -> None:
    table = pd.DataFrame(rows, columns=["description", "deviation_reason", "valence"]).astype(
        {"description": "string", "deviation_reason": "string", "valence": "float64"}
    )
    folder = tmp_path_factory.mktemp("text")
    (folder / "t.csv").write_bytes(csv_of(table).encode())
    columns = [{"name": c.name, "type": c.type} for c in codebook_of({"t": table})[0].columns]
    (folder / "codebook.json").write_text(json.dumps({"tables": {"t": {"columns": columns}}}))

    pd.testing.assert_frame_equal(read_tables(folder)["t"], table, check_exact=True)


def test_a_formula_is_written_as_it_was_typed_and_the_readme_says_so(
    content: ExportContent, tmp_path: Path
) -> None:
    write_csv_tables(content, tmp_path, no_progress)

    rows = list(csv.DictReader(io.StringIO((tmp_path / "adverse_events.csv").read_text())))
    assert [row["description"] for row in rows] == [NASTY]
    assert "spreadsheet may take" in (tmp_path / "README.txt").read_text()


def test_a_table_that_is_not_there_or_has_other_columns_is_refused(
    content: ExportContent, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match="is no codebook"):
        read_tables(tmp_path)
    write_csv_tables(content, tmp_path, no_progress)
    sessions = tmp_path / "sessions.csv"
    sessions.write_text(sessions.read_text().replace("heard_s", "heard"))

    with pytest.raises(RecordMismatch, match="sessions"):
        read_tables(tmp_path)
    sessions.unlink()
    with pytest.raises(StorageError, match=r"sessions\.csv: is named by the codebook"):
        read_tables(tmp_path)
