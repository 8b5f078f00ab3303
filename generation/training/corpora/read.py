"""A data set's tables, of whatever kind, read into a corpus."""

from __future__ import annotations

from generation.training.corpora.jamendo import read_jamendo
from generation.training.corpora.table import read_table
from generation.training.recipe import DataRecipe
from generation.training.tracks import Corpus
from study.errors import UnknownName

KINDS = ("jamendo", "table")
"""The kinds of data set there are."""


def read_corpus(data: DataRecipe, seed: int) -> Corpus:
    """The tracks of a data set as its tables state them, and what is wrong with the others.

    No sound is opened: whether it is there, whole and as long as stated, `probed` says.

    Args:
        seed: of the split, where a table has none.

    Raises:
        IsopathError: the tables are not those of a data set of this kind; all that is wrong, at once.
    """
    match data.kind:
        case "jamendo":
            return read_jamendo(data)
        case "table":
            return read_table(data, seed)
        case unknown:
            raise UnknownName("data.kind", f"{unknown!r} is not known", f"write one of {', '.join(KINDS)}")
