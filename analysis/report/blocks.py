"""What a report section is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from analysis.figures.drawing import FigureImage
from analysis.words import ENGLISH_BEGINS, ENGLISH_ENDS

_PIECES = re.compile(f"{ENGLISH_BEGINS}(.*?){ENGLISH_ENDS}", re.DOTALL)


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str
    kind: str = field(default="heading", init=False)


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
    """Figures side by side where there is room; `wide` gives each the full width.

    Args:
        captions: of each picture; the figures' own titles where empty.
    """

    images: tuple[FigureImage, ...]
    wide: bool = False
    captions: tuple[str, ...] = ()
    kind: str = field(default="pictures", init=False)

    @property
    def captioned(self) -> tuple[tuple[FigureImage, str], ...]:
        """Each picture with its caption."""
        captions = self.captions or tuple(image.title for image in self.images)
        return tuple(zip(self.images, captions, strict=True))


Block = Heading | Text | Bullets | Facts | Table | Pictures


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    section_id: str
    heading: str
    blocks: tuple[Block, ...]


def pieces_of(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is English inside another language."""
    for index, piece in enumerate(_PIECES.split(text)):
        if piece:
            yield piece.replace(ENGLISH_BEGINS, "").replace(ENGLISH_ENDS, ""), index % 2 == 1


def plain_of(text: str) -> str:
    """The text without the signs of an English piece."""
    return "".join(piece for piece, _ in pieces_of(text))
