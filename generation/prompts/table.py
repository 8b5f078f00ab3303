"""A prompt table: what each place of the valence-arousal plane sounds like, in words.

A table sets anchors on the plane, each with mood words, a genre and
instruments. Near an anchor the words are its own; between two of them the
nearer gives the genre, its first mood word and its first two instruments, the
next one a mood word and an instrument. So a path through the plane changes
its words a few at a time, and the tempo at every step.

A table without anchors says the two numbers themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from study.affect import Affect


@dataclass(frozen=True)
class Anchor:
    """What a place of the plane sounds like, in words.

    Args:
        affect: where.
        moods: two or more, all different, the best first.
        genre: empty where the table's sentence has none.
        instruments: two or more, the leading one first, each with its noun last; none where
            the sentence has none.
    """

    affect: Affect
    moods: tuple[str, ...]
    genre: str
    instruments: tuple[str, ...]


@dataclass(frozen=True)
class Band:
    """Words that follow one axis.

    Args:
        axis: ``valence`` or ``arousal``.
        edges: rising, inside (-1, 1).
        words: one more than `edges`; words[i + 1] begin at edges[i].
    """

    axis: str
    edges: tuple[float, ...]
    words: tuple[str, ...]

    def at(self, affect: Affect) -> str:
        """The words at a point."""
        value = affect.valence if self.axis == "valence" else affect.arousal
        return self.words[sum(value >= edge for edge in self.edges)]


@dataclass(frozen=True)
class Tempo:
    """How fast, by arousal alone.

    Args:
        neutral_bpm: beats a minute at arousal 0.
        octaves: how often the tempo doubles from arousal 0 to 1, and halves from 0 to -1.
    """

    neutral_bpm: float
    octaves: float

    def bpm(self, affect: Affect) -> int:
        """neutral_bpm × 2^(octaves × arousal), to the nearest whole number."""
        return round(self.neutral_bpm * math.exp2(self.octaves * affect.arousal))


@dataclass(frozen=True)
class PromptTable:
    """Writes a prompt for every point of the plane; see the module's docstring.

    Args:
        name: as manifests name it.
        sha256: of the file's bytes.
        sentence: the prompt, with ``{moods}``, ``{genre}``, ``{instruments}``, ``{bpm}`` and
            bands' names where words go; ``{valence}`` and ``{arousal}`` with two decimals.
        tempo: None where the sentence has no ``{bpm}``.
        alone_within: an anchor speaks alone where its distance is less than this
            share of the next one's; 0 to 1.
        bands: by name.
        anchors: two or more, the earlier one first where two are equally near; or none,
            where the sentence names nothing of theirs.
    """

    name: str
    sha256: str
    sentence: str
    tempo: Tempo | None
    alone_within: float
    bands: Mapping[str, Band]
    anchors: tuple[Anchor, ...]

    def prompt(self, affect: Affect) -> str:
        """The words for a point: a short English sentence without a full stop."""
        return self.sentence.format(
            bpm="" if self.tempo is None else self.tempo.bpm(affect),
            valence=_two_decimals(affect.valence),
            arousal=_two_decimals(affect.arousal),
            **(self._words(affect) if self.anchors else {}),
            **{name: band.at(affect) for name, band in self.bands.items()},
        )

    def _words(self, affect: Affect) -> dict[str, str]:
        nearest, second, is_alone = self._around(affect)
        other = nearest.moods[1] if is_alone else next(m for m in second.moods if m != nearest.moods[0])
        instruments = [*nearest.instruments[:2], *([] if is_alone else _guest(second, nearest))]
        return {
            "moods": f"{nearest.moods[0]} and {other}",
            "genre": nearest.genre,
            "instruments": _listed(instruments),
        }

    def _around(self, affect: Affect) -> tuple[Anchor, Anchor, bool]:
        # Rounded, so that on a line of symmetry the table's order decides and not the last bit.
        distances = [round(affect.distance_to(anchor.affect), 9) for anchor in self.anchors]
        first, second = sorted(range(len(distances)), key=distances.__getitem__)[:2]
        is_alone = distances[first] < self.alone_within * distances[second]
        return self.anchors[first], self.anchors[second], is_alone


def _two_decimals(value: float) -> str:
    # + 0.0: there is no minus zero to be read.
    return f"{round(value, 2) + 0.0:.2f}"


def _guest(second: Anchor, nearest: Anchor) -> list[str]:
    # The last word is the instrument: a piano joins no felt piano.
    taken = {instrument.split()[-1] for instrument in nearest.instruments[:2]}
    return [name for name in second.instruments if name.split()[-1] not in taken][:1]


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
