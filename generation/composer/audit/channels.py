"""Who plays on which MIDI channel, with which General MIDI program.

Source of programs and of channel 10 for drums: MIDI Association, General MIDI System Level 1 (1991);
of the curve from volume to decibels: General MIDI 2 (1999), 40 log10(value / 127).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from generation.composer.palettes import INSTRUMENTS, PART_DB
from generation.composer.score import Note, Part

DRUMS = 9
"""The tenth channel, counted from 0."""

_MELODIC = tuple(channel for channel in range(16) if channel != DRUMS)
_VOLUME = 100.0
_REVERB = 40.0

#: Of instruments that no recording plays.
_NEAREST: Mapping[str, int] = MappingProxyType(
    {
        "saw pad": 90,  # Pad 3, polysynth
        "air pad": 91,  # Pad 4, choir
        "soft square": 80,  # Lead 1, square
        "triangle lead": 82,  # Lead 3, calliope
        "soft saw": 81,  # Lead 2, sawtooth
        "glass keys": 98,  # FX 3, crystal
        "sequence": 5,  # Electric Piano 2
        "sub bass": 38,  # Synth Bass 1
        "soft kit": 25,  # the TR-808 kit of later players; others play their standard kit
    }
)

Player = tuple[Part, str]
"""A part and the instrument that plays it."""


@dataclass(frozen=True)
class Chair:
    """A player's place in the file.

    Args:
        player: part and instrument.
        channel: 0 to 15.
        program: 0 to 127; of the drums, the kit.
        volume, pan, reverb: values of controllers 7, 10 and 91.
    """

    player: Player
    channel: int
    program: int
    volume: int
    pan: int
    reverb: int


def seat_players(notes: Sequence[Note]) -> list[Chair]:
    """A chair for every player, in the order of the parts, then of the instruments' names.

    There are fifteen channels beside the drums'. Where there are more players, those with the fewest notes
    share a channel with another player of their part: the file changes its program before each entry.
    """
    counts = Counter((note.part, note.instrument) for note in notes)
    players = sorted(counts, key=lambda player: (list(Part).index(player[0]), player[1]))
    melodic = [player for player in players if player[0] != Part.PERCUSSION]
    busiest = sorted(melodic, key=lambda player: (-counts[player], melodic.index(player)))[: len(_MELODIC)]
    channels: dict[Player, int] = {}
    for player in melodic:
        if player in busiest:
            channels[player] = _MELODIC[len(channels)]
    for player in melodic:
        if player not in channels:
            channels[player] = _shared(player, channels)
    return [_chair(player, channels.get(player, DRUMS)) for player in players]


def _shared(player: Player, channels: Mapping[Player, int]) -> int:
    of_the_part = [channel for other, channel in channels.items() if other[0] == player[0]]
    return of_the_part[-1] if of_the_part else _MELODIC[-1]


def _chair(player: Player, channel: int) -> Chair:
    part, name = player
    instrument = INSTRUMENTS[name]
    return Chair(
        player=player,
        channel=channel,
        program=program_of(name),
        volume=round(_VOLUME * 10.0 ** (PART_DB[part] / 40.0)),
        pan=min(max(round(64 + 63 * instrument.pan), 0), 127),
        reverb=min(max(round(_REVERB * instrument.reverb), 0), 127),
    )


def program_of(name: str) -> int:
    """The General MIDI program that comes nearest to an instrument; of drums, the kit."""
    preset = INSTRUMENTS[name].preset
    return _NEAREST[name] if preset is None else preset[1]
