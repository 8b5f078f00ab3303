"""What a report section is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from analysis.figures.drawing import FigureImage


@dataclass(frozen=True)
class Text:
    """A paragraph; `lead` sets it larger."""

    text: str
    lead: bool = False
    kind: str = field(default="text", init=False)


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]
    kind: str = field(default="bullets", init=False)


@dataclass(frozen=True)
class Facts:
    """Terms with what they are."""

    items: tuple[tuple[str, str], ...]
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row is its heading.

    Args:
        caption: above the table.
        columns: headings.
        rows: as printed; each as long as `columns`.
        note: below the table, or empty.
        numeric: whether the columns after the first hold numbers.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numeric: bool = True
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Pictures:
    """Figures side by side where there is room; `wide` gives each the full width."""

    images: tuple[FigureImage, ...]
    wide: bool = False
    kind: str = field(default="pictures", init=False)


Block = Text | Bullets | Facts | Table | Pictures


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    section_id: str
    heading: str
    blocks: tuple[Block, ...]
