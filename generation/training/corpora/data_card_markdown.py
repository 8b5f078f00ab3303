"""A data set's card as a page of Markdown."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from generation.training.corpora.data_card import DataCard, FaultCount, SharedBy, SplitCount
from generation.training.corpora.plane import QUADRANTS, Quadrant


def data_card_markdown(card: DataCard) -> str:
    """The page: amounts, labels and plane, licences, tags, splits, faults, notes."""
    parts = [
        f"# Data: {card.name}",
        _amounts(card.splits),
        "## Labels",
        _labels(card),
        _quadrant_table(card.quadrants),
        _plane(card),
        "## Licences",
        _bullets(f"{part}: {licence}" for part, licence in card.licences.items()),
        _table(("licence of the sound", "tracks"), _counts(card.track_licences)),
        "## Tags",
        ", ".join(f"{_cell(tag)} ({count:,})" for tag, count in card.tags.items()) or "None.",
        "## Sound",
        _rates(card.sample_rates),
        "## Between the splits",
        _bullets(map(_shared, card.shared)) or "One split has tracks.",
        "## What could not be used, or not as stated",
        *(map(_faults, card.faults) if card.faults else ["Nothing was lost."]),
        "## Notes",
        _bullets(card.notes),
        "## Files",
        _bullets(f"`{name}`: SHA-256 `{digest}`" for name, digest in card.sha256.items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _amounts(splits: Mapping[str, SplitCount]) -> str:
    header = ("split", "tracks", "hours", "artists", "windows", "hours of windows", "windows without V/A")
    rows = [
        (
            name,
            f"{split.tracks:,}",
            f"{split.hours:,.2f}",
            f"{split.artists:,}" if split.artists or not split.tracks else "not stated",
            f"{split.windows:,}",
            f"{split.window_hours:,.2f}",
            f"{split.without_affect:,}",
        )
        for name, split in splits.items()
    ]
    return _table(header, rows)


def _labels(card: DataCard) -> str:
    heard = (
        "" if card.predictor is None else f" The predictor {card.predictor} placed them: it may not report."
    )
    return f"{card.labels} Perspective: {card.perspective}.{heard}"


def _quadrant_table(by_split: Mapping[str, Sequence[Quadrant]]) -> str:
    def cell(quadrant: Quadrant) -> str:
        windows, hours = quadrant.share_of_windows, quadrant.share_of_hours
        if windows is None or hours is None:
            return "–"
        return f"{windows:.1%} / {hours:.1%} ({quadrant.windows:,}; {quadrant.hours:,.2f} h)"

    rows = [(name, *map(cell, found)) for name, found in by_split.items()]
    return (
        "Share of each quadrant, of windows / of their hours (windows; hours); exactly 0 counts as +:\n\n"
        + _table(("split", *QUADRANTS), rows)
    )


def _plane(card: DataCard) -> str:
    edges = card.plane.edges
    spans = [f"{low:+.1f}…{high:+.1f}" for low, high in itertools.pairwise(edges)]
    rows = [
        (f"**{span}**", *(f"{count:,}" if count else "·" for count in counts))
        for span, counts in reversed(list(zip(spans, card.plane.windows, strict=True)))
    ]
    return "Windows over the plane (arousal down, valence across):\n\n" + _table(("A \\ V", *spans), rows)


def _rates(sample_rates: Mapping[int, int]) -> str:
    if not sample_rates:
        return "No file was decoded."
    told = ", ".join(f"{rate:,} Hz ({count:,})" for rate, count in sample_rates.items())
    return (
        f"Sample rates found, and tracks: {told}. Every rate is brought to the codec's own when it is read."
    )


def _shared(shared: SharedBy) -> str:
    first, second = shared.splits
    told = (
        f"{first} and {second}: {shared.artists:,} artists and {shared.albums:,} albums are in both; "
        f"{shared.tracks:,} tracks of {second} are theirs"
    )
    if shared.tracks_unnamed:
        told += f"; of {shared.tracks_unnamed:,} tracks the artist is not stated, so that nobody can tell"
    return told + "."


def _faults(found: FaultCount) -> str:
    kept = f", {found.kept:,} of them used all the same" if found.kept else ""
    more = found.count - len(found.first)
    lines = [*map(_cell, found.first), *([f"… and {more:,} more"] if more else [])]
    return f"**{found.kind}**: {found.count:,}{kept}\n\n{_bullets(lines)}"


def _counts(found: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(_cell(name), f"{count:,}") for name, count in found.items()]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _cell(text: str) -> str:
    """A data set's own words, which may not end a table's cell or begin a heading."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
