"""Every column is defined once, and every table is held to its definition."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from analysis.tables.data_dictionary import DTYPES, check_table, data_dictionary, make_table
from study.errors import OutOfRange, UnknownName

PLAYED: dict[str, Any] = {
    "participant_id": "sub-1",
    "session_id": "ses-01",
    "sequence": 3,
    "at": pd.Timestamp("2026-03-02T09:00:00Z"),
    "player_id": None,
    "player_line": None,
    "player_s": None,
    "action": "started",
    "position_s": 0.0,
    "reason": None,
    "volume": None,
    "rate": None,
    "valence": None,
    "arousal": None,
    "detail": None,
}


def test_every_column_is_used_by_a_table_and_described_in_a_sentence() -> None:
    dictionary = data_dictionary()
    used = {name for names in dictionary.tables.values() for name in names}

    assert used == set(dictionary.columns)
    for column in dictionary.columns.values():
        assert column.type in DTYPES
        assert column.description.endswith(".")


def test_every_column_in_seconds_says_so_in_its_name_and_its_unit() -> None:
    for column in data_dictionary().columns.values():
        assert (column.unit == "s") == column.name.endswith("_s"), column.name


def test_affect_columns_are_bounded_by_the_circumplex() -> None:
    for name, column in data_dictionary().columns.items():
        if name.endswith(("_displacement", "_disagreement")):
            assert (abs(column.minimum or 0), column.maximum) in ((0, 2), (2, 2)), name
        elif name.startswith(("valence", "arousal")) and not name.endswith("_spread"):
            assert (column.minimum, column.maximum) == (-1, 1), name


def test_a_row_with_an_unknown_column_is_refused() -> None:
    with pytest.raises(UnknownName, match="unknown column colour"):
        make_table("playback", [{**PLAYED, "colour": "red"}])


def test_a_row_without_a_column_is_refused() -> None:
    row = {name: value for name, value in PLAYED.items() if name != "position_s"}

    with pytest.raises(UnknownName, match="missing column position_s"):
        make_table("playback", [row])


def test_a_number_outside_its_limits_is_refused() -> None:
    with pytest.raises(OutOfRange, match=r"playback.position_s: -1 is outside 0 to inf"):
        make_table("playback", [{**PLAYED, "position_s": -1.0}])


def test_a_level_that_is_not_listed_is_refused() -> None:
    with pytest.raises(UnknownName, match="'rewound' is not a level"):
        make_table("playback", [{**PLAYED, "action": "rewound"}])


def test_another_type_is_refused() -> None:
    table = make_table("playback", [PLAYED]).astype({"sequence": "float64"})

    with pytest.raises(UnknownName, match="has type float64"):
        check_table("playback", table)


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(UnknownName, match="table moods"):
        make_table("moods", [])


def test_a_table_without_rows_has_every_typed_column() -> None:
    table = make_table("participants", [], factors=["site", "sex"])

    assert {"stratum_site", "stratum_sex"} <= set(table.columns)
    assert "stratum_{factor}" not in table.columns
    assert str(table["enrolled_at"].dtype) == "datetime64[us, UTC]"
