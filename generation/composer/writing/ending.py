"""The end of a session: the last chord, rolled upwards and left to ring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from generation.composer.score import Chord, Part, WrittenNote

_ROLL_BEATS = 0.25
_TOUCH = 0.55


def write_ending(
    chord: Chord, voicing: Sequence[int], ring_beats: float
) -> Mapping[Part, Sequence[WrittenNote]]:
    """The final tonic in every part, by part.

    Args:
        voicing: keys of the pad's last chord, low to high.
        ring_beats: from the final downbeat until the keys are let go.
    """
    bass = voicing[0] - 12
    while bass % 12 != chord.pitch_classes[0]:
        bass -= 1
    rolled = [bass, *voicing, voicing[0] + 12, voicing[1] + 12]
    gap = min(_ROLL_BEATS, 0.05 * ring_beats)
    at = chord.onset_beat
    return {
        Part.FIGURE: [
            WrittenNote(at + k * gap, ring_beats - k * gap, key, _TOUCH) for k, key in enumerate(rolled)
        ],
        Part.PAD: [WrittenNote(at, ring_beats, key, _TOUCH) for key in voicing],
        Part.BASS: [WrittenNote(at, ring_beats, bass, _TOUCH)],
    }
