"""Who plays which part, phrase by phrase: the arc of a session in its instruments.

A session opens thin, grows to a climax near its golden section and thins out again; how full it can get
follows arousal. Layers join in the order of their importance, each section with colours of its own, and
a theme that returns finds its colours again (Piston, 1955, Orchestration; Adler, 2002).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS, Palette
from generation.composer.pulse import Pulse
from generation.composer.score import Part, Phrase, Section
from generation.composer.streams import stream
from generation.composer.writing.figures import FigureStyle, style_weights
from generation.composer.writing.seats import Player, Seat, seats_of

__all__ = ["Seat", "fullness", "orchestrate"]

_T = TypeVar("_T")

_CLIMAX = 0.62
_DEEPEST_ARC, _ARC_FROM_S = 0.65, 300.0
#: Fullness at which each layer joins, and over how much more it grows to its weight.
_SECOND_PAD, _COUNTER, _BELLS, _DOUBLING, _GROWTH = 0.16, 0.26, 0.36, 0.48, 0.25
_TASTE = 0.3
_DOWNBEATS = 0.95
#: How readily a colour stays from one section to the next: within a theme, and where another begins.
_KEEP, _CHANGE = 4.0, 0.2
#: How far a melody goes below and above its middle.
_BELOW, _ABOVE = 9.0, 10.0
#: How readily the slowest melodies are given to an instrument that is struck or plucked.
_DIES_AWAY = 0.2
#: What lies well under whose hands; a factor on the weight of a style.
_AFFINITY: Mapping[str, Mapping[FigureStyle, float]] = MappingProxyType(
    {
        "piano": {FigureStyle.ALBERTI: 1.5, FigureStyle.WALTZ: 1.3},
        "harp": {FigureStyle.ARPEGGIO: 2.5, FigureStyle.PULSE: 0.2, FigureStyle.OSTINATO: 0.5},
        "guitar": {FigureStyle.BROKEN: 1.6, FigureStyle.ARPEGGIO: 1.3, FigureStyle.ALBERTI: 0.6},
        "dulcimer": {FigureStyle.OSTINATO: 1.6, FigureStyle.BROKEN: 1.3},
        "kalimba": {FigureStyle.OSTINATO: 1.8, FigureStyle.BELLS: 2.0, FigureStyle.ROCKING: 0.3},
        "celesta": {FigureStyle.BELLS: 3.0, FigureStyle.ROCKING: 0.3},
        "music box": {FigureStyle.BELLS: 2.0, FigureStyle.WALTZ: 2.0, FigureStyle.ROCKING: 0.3},
        "electric piano": {FigureStyle.BROKEN: 1.3, FigureStyle.ROCKING: 1.3},
    }
)
#: Keys that a figure of each style is written in.
_WRITTEN: Mapping[FigureStyle, tuple[int, int]] = MappingProxyType(
    {FigureStyle.ROCKING: (43, 74), FigureStyle.BELLS: (58, 84)}
)
_WRITTEN_ELSE = (48, 74)


@dataclass(frozen=True)
class _Colours:
    """What a section sounds like: the instruments chosen for it."""

    letter: str
    melody: str
    figure: str
    style: FigureStyle
    pads: tuple[str, ...]
    counter: str
    doubling: str
    octave: int
    bells: str


def orchestrate(
    sections: Sequence[Section], curves: CueCurves, pulse: Pulse, palette: Palette, seed: int
) -> list[list[Seat]]:
    """The seats of each phrase, in the order of the phrases; several may share a part."""
    phrases = [phrase for section in sections for phrase in section.phrases]
    levels: dict[Player, list[float]] = {}
    leads: dict[Player, list[bool]] = {}
    styles: list[FigureStyle | None] = []
    colours: list[_Colours] = []
    heard: dict[str, _Colours] = {}
    for section in sections:
        rng = stream(seed, "players", section.number)
        before = colours[-1] if colours else None
        chosen = _colours(section, curves, pulse, palette, before, heard.get(section.letter), rng)
        heard.setdefault(section.letter, chosen)
        colours.append(chosen)
        tastes = [float(taste) for taste in rng.uniform(-0.5, 0.5, 4)]
        for phrase in section.phrases:
            for player, level, is_lead in _levels(phrase, chosen, curves, pulse, palette, tastes):
                row = levels.setdefault(player, [0.0] * len(phrases))
                row[len(styles)] = max(row[len(styles)], level)
                leads.setdefault(player, [False] * len(phrases))[len(styles)] |= is_lead
            styles.append(chosen.style)
    rows = [seats_of(player, row, phrases, styles, leads[player]) for player, row in levels.items()]
    return [[seat for row in rows if (seat := row[index]) is not None] for index in range(len(phrases))]


def fullness(curves: CueCurves, time_s: float) -> float:
    """How many layers there is room for, 0 to 1: the arc of the session times what arousal allows.

    In short sessions the arc is flat.
    """
    share = time_s / curves.duration_s
    away = (share - _CLIMAX) / (_CLIMAX if share < _CLIMAX else 1.0 - _CLIMAX)
    depth = _DEEPEST_ARC * min(1.0, curves.duration_s / _ARC_FROM_S)
    density = min(max(curves.one("density", time_s), 0.0), 1.0)
    return (1.0 - depth * away * away) * (0.25 + 0.75 * density)


def _levels(
    phrase: Phrase,
    colours: _Colours,
    curves: CueCurves,
    pulse: Pulse,
    palette: Palette,
    tastes: Sequence[float],
) -> list[tuple[Player, float, bool]]:
    """Who plays in a phrase, with weights above 0, and whether they lead their part."""
    middle_s = pulse.second(phrase.onset_beat + phrase.beats / 2)
    full, sustain = fullness(curves, middle_s), curves.one("sustain", middle_s)
    joined = [
        _joined(full + _TASTE * taste, entry)
        for taste, entry in zip(tastes, (_SECOND_PAD, _COUNTER, _BELLS, _DOUBLING), strict=True)
    ]
    first, *more = colours.pads
    high = 0 if INSTRUMENTS[colours.bells].low <= _WRITTEN_ELSE[0] else 1
    chosen = [
        (Player(Part.BASS, palette.bass), 0.6 + 0.4 * min(1.0, full / 0.4)),
        (_figure(colours.figure, colours.style), 1.12 if phrase.melody_rests else 1.0),
        (Player(Part.PAD, first), 0.55 + 0.45 * sustain),
        *((Player(Part.PAD, other), (0.3 + 0.6 * sustain) * joined[0]) for other in more),
        # The fewer and longer its notes are, the more each has to carry.
        (Player(Part.MELODY, colours.melody), 0.0 if phrase.melody_rests else 0.97 + 0.13 * sustain),
        (Player(Part.COUNTER, colours.counter), joined[1]),
        (Player(Part.PERCUSSION, palette.percussion), 1.0),
    ]
    doubling = [
        (Player(Part.FIGURE, colours.bells, high, _DOWNBEATS), 0.6 * joined[2]),
        (
            Player(Part.MELODY, colours.doubling, colours.octave),
            0.0 if phrase.melody_rests else 0.6 * joined[3],
        ),
    ]
    return [
        *((player, level, True) for player, level in chosen if level > 0.0),
        *((player, level, False) for player, level in doubling if level > 0.0),
    ]


def _joined(full: float, entry: float) -> float:
    """0 where there is no room for a layer, then from a third to 1."""
    return min(1.0, 0.35 + 0.65 * (full - entry) / _GROWTH) if full > entry else 0.0


def _colours(
    section: Section,
    curves: CueCurves,
    pulse: Pulse,
    palette: Palette,
    before: _Colours | None,
    first: _Colours | None,
    rng: np.random.Generator,
) -> _Colours:
    onset_s, end_s = pulse.second(section.onset_beat), pulse.second(section.end_beat)
    centres = [curves.one("melody_key", time_s) for time_s in (onset_s, (onset_s + end_s) / 2, end_s)]
    density = min(max(curves.one("density", (onset_s + end_s) / 2), 0.0), 1.0)
    brightness = curves.one("mode", (onset_s + end_s) / 2) / 4.0
    goes_on = before is not None and before.letter == section.letter

    def memory(role: str, name: str) -> float:
        """Who played a theme plays it again; where another theme begins, another takes over."""
        again = 4.0 if first is not None and getattr(first, role) == name else 1.0
        last = before is not None and getattr(before, role) == name
        return again * ((_KEEP if goes_on else _CHANGE) if last else 1.0)

    melody = _pick(
        {
            name: min(_fit(name, centre) for centre in centres)
            * _carries(name, density)
            * memory("melody", name)
            * (0.2 if before and before.doubling == name else 1.0)
            for name in palette.melody
        },
        rng,
    )
    figure = _pick(
        {
            name: memory("figure", name)
            * (0.2 if name == melody or (before and before.bells == name) else 1.0)
            for name in palette.figure
        },
        rng,
    )
    beats_per_bar = section.phrases[0].beats_per_bar
    style = _pick(
        {
            style: weight * _AFFINITY.get(figure, {}).get(style, 1.0) * memory("style", style)
            for style, weight in style_weights(density, brightness, beats_per_bar).items()
        },
        rng,
    )
    pads = tuple(palette.pad) if rng.random() < 0.5 else tuple(reversed(palette.pad))
    taken = {melody, figure, *((before.melody, before.figure) if before else ())}
    counter = _pick(
        {name: (0.05 if name in taken else 1.0) * memory("counter", name) for name in palette.counter}, rng
    )
    doubling = _pick(
        {
            name: (1e-3 if name in {*taken, counter} else 1.0)
            * max(_fit(name, centres[1] + far) for far in (0, -12))
            * memory("doubling", name)
            for name in palette.melody
        },
        rng,
    )
    ringing = dict.fromkeys(
        name for name in (*palette.figure, *palette.melody) if INSTRUMENTS[name].rings and name != figure
    )
    bells = _pick(
        {name: (0.02 if name in taken else 1.0) * memory("bells", name) for name in ringing or [figure]}, rng
    )
    # The higher the melody, the likelier its double lies an octave below; never above, for the
    # register of the music belongs to its cue.
    below = min(max((centres[1] - 64.0) / 60.0, 0.0), 0.2) * _fit(doubling, centres[1] - 12.0)
    octave = -int(rng.random() < round(below, 9))
    return _Colours(section.letter, melody, figure, style, pads, counter, doubling, octave, bells)


def _pick(weights: Mapping[_T, float], rng: np.random.Generator) -> _T:
    names = list(weights)
    shares = np.array([max(weight, 1e-9) for weight in weights.values()])
    return names[int(np.searchsorted(np.cumsum(shares / shares.sum()), rng.random() * (1.0 - 1e-9)))]


def _fit(name: str, centre: float) -> float:
    """1 where a melody about `centre` lies well on an instrument, and ever less the further it runs over."""
    instrument = INSTRUMENTS[name]
    over = max(0.0, instrument.low - (centre - _BELOW), centre + _ABOVE - instrument.high)
    fit: float = 2.0 ** (-((over / 2.0) ** 2))
    return fit


def _carries(name: str, density: float) -> float:
    """How readily a melody is given to an instrument: slow ones less to one whose notes die away."""
    return _DIES_AWAY + (1.0 - _DIES_AWAY) * density if INSTRUMENTS[name].rings else 1.0


def _figure(name: str, style: FigureStyle) -> Player:
    """A figure's player, in the octave that lies under its hands."""
    low, high = _WRITTEN.get(style, _WRITTEN_ELSE)
    instrument = INSTRUMENTS[name]

    def over(octave: int) -> tuple[int, int]:
        shift = 12 * octave
        return max(0, instrument.low - low - shift) + max(0, high + shift - instrument.high), abs(octave)

    return Player(Part.FIGURE, name, min(range(-2, 3), key=over))
