"""Whatever stands in a table, every row of it is a track or a fault, or the table is refused."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from generation.training.corpora.read import read_corpus
from generation.training.corpora.table import COLUMNS
from generation.training.recipe import DataRecipe
from generation.training.tracks import Corpus
from study.errors import IsopathError
from tests.generation.training.corpora.sounds import HEADER, jamendo_row

CELLS = st.one_of(
    st.sampled_from(
        ["0.5", "-1", "1.01", "nan", "", " ", "a.wav", "b.wav", "../c.wav", "/d", "train", "val", "calm"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6),
)
JAMENDO_ROWS = st.one_of(
    st.builds(
        jamendo_row,
        st.integers(1, 4),
        st.sampled_from(["mood/theme---calm", "genre---pop", "calm", ""]),
        duration_s=st.sampled_from(["9.5", "0", "x"]),
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=20),
)

NAMES = ("m.tsv", "m-train.tsv", "m-validation.tsv", "m-test.tsv")


def read_files(kind: str, name: str, files: dict[str, bytes]) -> Corpus | None:
    with tempfile.TemporaryDirectory() as folder:
        for file_name, content in files.items():
            (Path(folder) / file_name).write_bytes(content)
        try:
            return read_corpus(DataRecipe(kind, str(Path(folder) / name)), 0)
        except IsopathError:
            return None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(COLUMNS[1:]), unique=True), st.lists(st.lists(CELLS, max_size=8), min_size=1))
def test_every_row_of_a_csv_is_a_track_or_a_fault(columns: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["path", *columns])
    writer.writerows(rows)
    # A line with nothing on it is no row.
    n_rows = sum(any(cell.strip() for cell in row) for row in rows)

    corpus = read_files("table", "music.csv", {"music.csv": text.getvalue().encode()})

    if n_rows and ("valence" in columns) == ("arousal" in columns):
        assert corpus is not None
        assert len(corpus.tracks) + len(corpus.faults) == n_rows
        assert len({track.track_id for track in corpus.tracks}) == len(corpus.tracks)
        assert all(fault.problem.startswith("music.csv:") for fault in corpus.faults)
    else:
        assert corpus is None


@settings(max_examples=50, deadline=None)
@given(
    st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"path,valence,arousal\n{text}".encode())
)
def test_any_bytes_are_a_corpus_or_a_refusal(content: bytes) -> None:
    read_files("table", "music.csv", {"music.csv": content})
    read_files(
        "jamendo",
        "m.tsv",
        dict.fromkeys(NAMES, content),
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(JAMENDO_ROWS, min_size=1, max_size=5), min_size=4, max_size=4))
def test_every_row_of_mtg_jamendos_table_is_a_track_or_a_fault(files: list[list[str]]) -> None:
    written = {name: "\n".join([HEADER, *rows]).encode() for name, rows in zip(NAMES, files, strict=True)}
    n_rows = sum(any(cell.strip() for cell in row.split("\t")) for row in files[0])

    corpus = read_files("jamendo", "m.tsv", written)

    if corpus is not None:
        of_table = [fault for fault in corpus.faults if fault.problem.startswith("m.tsv:")]
        assert len(corpus.tracks) + len(of_table) == n_rows
        assert len({track.track_id for track in corpus.tracks}) == len(corpus.tracks)
    else:
        assert not all(any(row.strip() for row in rows) for rows in files)
