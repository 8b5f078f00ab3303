"""The rule that labels game music by what its makers called it, written before any prediction was made.

    python -m tests.listening.labelling FOLDER > tests/listening/tracks.csv

A track is labelled by the words of its file name (and by its cue type where the game's own script gives
one); `words.json` lists them. The words name states of mind, events, and
places that people seek or fear (a garden, a graveyard); other places, weather, peoples and instruments say
nothing. Words of both ends leave an axis without a label; so
does a name without any. Nobody heard the tracks for it. The two halves are dealt
within each pair of labels, by the order of a hash of package and piece; versions of one piece (numbered,
"fast", "old", "remix") stay together.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

WORDS = json.loads((HERE / "words.json").read_text())

CUE_TYPES: Mapping[str, Mapping[str, str]] = {
    # gui/common/music.js of the game names the tracks of its states battle, defeat and victory.
    "0ad-data": {
        "Taiko_1": "battle",
        "Taiko_2": "battle",
        "Dried_Tears": "defeat",
        "You_are_Victorious!": "victory",
    },
}
"""Package to track to the game's own word for when it is played."""

SHORTEST_S = 12.0
COLUMNS = ("package", "version", "path", "title", "half", "arousal_label", "valence_label", "rule")
_VERSION = re.compile(r"([_ -]?(fast|old|remix|remake|epic|f|map|\d+))+$", re.IGNORECASE)


@dataclass(frozen=True)
class Track:
    """One track and what its name says.

    Args:
        path: inside the package.
        arousal_label: high, low or empty.
        valence_label: positive, negative or empty.
        rule: the words that decided.
    """

    package: str
    version: str
    path: str
    title: str
    arousal_label: str
    valence_label: str
    rule: str

    @property
    def piece(self) -> str:
        """Title without the mark of a version."""
        return f"{self.package}/{_VERSION.sub('', self.title) or self.title}"


def words_of(title: str) -> Iterator[str]:
    """The words of a file name, parted at all but letters, and where a capital follows a small letter."""
    for part in re.split(r"[^A-Za-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", title)):
        if part:
            yield part.lower()


def label(package: str, title: str) -> tuple[str, str, str]:
    """Arousal label, valence label, and the words that decided."""
    words = [*words_of(title), *words_of(CUE_TYPES.get(package, {}).get(title, ""))]
    found = {name: _matches(words, known) for name, known in _ENDS.items()}
    arousal = _one("high", found["high"], "low", found["low"])
    valence = _one("positive", found["positive"], "negative", found["negative"])
    rule = "; ".join(f"{name}: {' '.join(sorted(hit))}" for name, hit in found.items() if hit)
    return arousal, valence, rule


def _matches(words: Iterable[str], known: frozenset[str]) -> set[str]:
    parts = known & _COMPOUNDS
    return {
        mark
        for word in words
        for mark in ({word} & known)
        | {part for part in parts if word.startswith(part) or word.endswith(part)}
    }


def _one(first: str, found_first: set[str], second: str, found_second: set[str]) -> str:
    if bool(found_first) == bool(found_second):
        return ""
    return first if found_first else second


_ENDS = {
    "high": frozenset(WORDS["high_arousal"]),
    "low": frozenset(WORDS["low_arousal"]),
    "positive": frozenset(WORDS["positive"]),
    "negative": frozenset(WORDS["negative"]),
}
_COMPOUNDS = frozenset(WORDS["compounds"])


def halves(tracks: Iterable[Track]) -> dict[str, str]:
    """Piece to half; within each pair of labels, alternately in the order of the hash."""
    by_labels: dict[tuple[str, str], set[str]] = defaultdict(set)
    for track in tracks:
        by_labels[track.arousal_label, track.valence_label].add(track.piece)
    half: dict[str, str] = {}
    for labels in sorted(by_labels, reverse=True):
        order = sorted(by_labels[labels] - half.keys(), key=lambda p: hashlib.sha256(p.encode()).hexdigest())
        half.update({piece: ("calibrate", "validate")[n % 2] for n, piece in enumerate(order)})
    return half


def tracks_in(folder: Path) -> Iterator[Track]:
    """Every track of the packages, extracted as FOLDER/<package>/…, that is long enough."""
    import soundfile

    for package in json.loads((HERE / "packages.json").read_text())["packages"]:
        root = folder / package["name"]
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root).as_posix()
            if path.suffix not in {".ogg", ".mp3", ".opus"} or not re.search(package["music"], inside):
                continue
            if soundfile.info(path).duration < SHORTEST_S:
                continue
            title = path.stem
            arousal, valence, rule = label(package["name"], title)
            yield Track(package["name"], package["version"], inside, title, arousal, valence, rule)


def main() -> None:
    """Print the table."""
    tracks = list(tracks_in(Path(sys.argv[1])))
    half = halves(tracks)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    for t in sorted(tracks, key=lambda t: (t.package, t.path)):
        writer.writerow(
            [t.package, t.version, t.path, t.title, half[t.piece], t.arousal_label, t.valence_label, t.rule]
        )


if __name__ == "__main__":
    main()
