"""The end of a session: the last chord, rolled upwards, left to ring, and answered once from above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from generation.composer.score import Chord, Part, WrittenNote

_ROLL_BEATS = 0.25
_TOUCH, _ECHO_TOUCH = 0.55, 0.3
#: The echo comes when the chord has half faded, and only where the chord rings long enough to be answered.
_ECHO_AT, _ECHO_FROM_BEATS = 0.45, 3.0
_LOWEST_BASS, _HIGHEST_BASS = 32, 43


def write_ending(
    chord: Chord, voicing: Sequence[int], ring_beats: float
) -> Mapping[Part, Sequence[WrittenNote]]:
    """The final tonic in every part, by part; nothing sounds in it but the chord, the tonic lowest.

    Args:
        voicing: keys of the pad's last chord, low to high.
        ring_beats: from the final downbeat until the keys are let go.
    """
    root = chord.pitch_classes[0]
    bass = next(key for key in range(_LOWEST_BASS, _HIGHEST_BASS + 1) if key % 12 == root)
    lowest = bass + 12 if bass + 12 < voicing[0] else bass
    rolled = sorted({lowest, *voicing, voicing[0] + 12, voicing[1] + 12})
    gap = min(_ROLL_BEATS, 0.05 * ring_beats)
    at = chord.onset_beat
    figure = [WrittenNote(at + k * gap, ring_beats - k * gap, key, _TOUCH) for k, key in enumerate(rolled)]
    if ring_beats >= _ECHO_FROM_BEATS:
        echo = next(key for key in range(rolled[-1] + 1, rolled[-1] + 13) if key % 12 == root)
        late = _ECHO_AT * ring_beats
        figure.append(WrittenNote(at + late, ring_beats - late, echo, _ECHO_TOUCH))
    return {
        Part.FIGURE: figure,
        Part.PAD: [WrittenNote(at, ring_beats, key, _TOUCH) for key in voicing],
        Part.BASS: [WrittenNote(at, ring_beats, bass, _TOUCH)],
    }
