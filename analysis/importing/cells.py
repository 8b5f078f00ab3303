"""Cells of a source table as numbers, codes and reasons; every one that cannot be read is collected."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from analysis.importing.column_map import Code, ColumnMap, Source
from analysis.importing.source_table import SourceRow, SourceTable
from study.affect import Scale
from study.errors import IsopathError, OutOfRange, UnknownName
from study.protocol_file.text import shown

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def _line_of(where: str) -> int:
    line = re.search(r", line (\d+)", where)
    return int(line[1]) if line else 0


@dataclass(frozen=True)
class NoAnswer:
    """A cell that stands for no answer; `reason` is None where one may still come."""

    reason: str | None


@dataclass
class Cells:
    """Reads the cells of one table by one map, and keeps what was refused."""

    table: SourceTable
    column_map: ColumnMap
    refusals: list[IsopathError] = field(default_factory=list)

    def refused(self) -> list[IsopathError]:
        """What was refused, in file order, each once however often the cell was read."""
        by_text = {str(refusal): refusal for refusal in self.refusals}
        return sorted(by_text.values(), key=lambda refusal: _line_of(refusal.where))

    def refuse(self, row: SourceRow, column: str | None, problem: str, remedy: str) -> None:
        """Note that a cell or row cannot be taken."""
        self.refusals.append(OutOfRange(self.table.at(row, column), problem, remedy))

    def meaning(self, row: SourceRow, source: Source) -> Code:
        """What a source says of a row; None where it says nothing, or what cannot be taken."""
        if source.column is None:
            return source.constant
        cell = row.cells[source.column]
        codes = source.codes
        if codes is None:
            return cell or None
        if cell in codes:
            return codes[cell]
        if cell:
            known = ", ".join(map(shown, codes))
            self.refusals.append(
                UnknownName(
                    self.table.at(row, source.column),
                    f"{shown(cell)} is not in the map's codes",
                    f"add it to the codes, or write one of {known}",
                )
            )
        return None

    def word(self, row: SourceRow, source: Source, known: tuple[str, ...]) -> str | None:
        """As `meaning`, held to the names that are known; a refused one is None."""
        found = self.meaning(row, source)
        if found is None:
            return None
        if found in known:
            return str(found)
        self.refusals.append(
            UnknownName(
                self.table.at(row, source.column),
                f"{shown(found)} is not one of the protocol's",
                "write one of " + ", ".join(known) + ", or say in the map's codes which it means",
            )
        )
        return None

    def answer(
        self, row: SourceRow, column: str, check: Callable[[float], object]
    ) -> float | NoAnswer | None:
        """An item's raw value, why there is none, or None where the cell was refused.

        Args:
            check: raises OutOfRange where the value is not an answer.
        """
        cell = row.cells[column]
        if cell in self.column_map.missing:
            return NoAnswer(self.column_map.missing[cell])
        value = self.number(row, column)
        if value is None:
            return None
        try:
            # A whole number is shown without a point, as it was written.
            check(int(value) if value.is_integer() else value)
        except OutOfRange as refusal:
            self.refuse(row, column, refusal.problem, self._remedy_of(refusal, cell))
            return None
        return value

    def _remedy_of(self, refusal: OutOfRange, cell: str) -> str:
        return f"{refusal.remedy}; if {shown(cell)} stands for no answer, write it into the map's `missing`"

    def number(self, row: SourceRow, column: str) -> float | None:
        """A cell's number; None where it stands for nothing or was refused."""
        cell = row.cells[column]
        if cell in self.column_map.missing or not cell:
            return None
        uses_comma = self.column_map.decimal == "comma"
        wrong, right = (".", ",") if uses_comma else (",", ".")
        if wrong in cell:
            told = "comma" if uses_comma else "point"
            other = "point" if uses_comma else "comma"
            remedy = f'write "decimal": "{other}" in the map if all its numbers are written so'
            problem = f"{shown(cell)} is not a number with a decimal {told}"
            self.refuse(row, column, problem, remedy)
            return None
        if not _NUMBER.fullmatch(cell.replace(right, ".")):
            remedy = "write a number, or say in the map's `missing` what it stands for"
            self.refuse(row, column, f"{shown(cell)} is not a number", remedy)
            return None
        value = float(cell.replace(right, "."))
        if not math.isfinite(value):
            self.refuse(row, column, f"{shown(cell)} is beyond any scale", "write an ordinary number")
            return None
        return value

    def seconds(self, row: SourceRow, column: str | None) -> float | None:
        """Seconds from 0; None where there are none or the cell was refused."""
        value = None if column is None else self.number(row, column)
        if value is not None and value < 0:
            self.refuse(row, column, f"{value:g} s is below 0", "write seconds from 0")
            return None
        return value

    def on_scale(self, row: SourceRow, column: str | None, scale: tuple[float, float]) -> float | None:
        """A value of a stated scale in [-1, 1]; None where there is none or the cell was refused."""
        value = None if column is None else self.number(row, column)
        if value is None:
            return None
        try:
            stated = Scale("the map's target_scale", *scale)
            # On [-1, 1] itself the map would only round.
            return stated.check(value) if scale == (-1.0, 1.0) else stated.to_unit(value)
        except OutOfRange as refusal:
            self.refuse(row, column, refusal.problem, "write a value on it, or another target_scale")
            return None
