"""What carries the melody: the bass is led first, the upper voices over it, then pad and figure from both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from generation.composer.score import Chord, Phrase, WrittenNote
from generation.composer.streams import stream
from generation.composer.writing.bass import lead_bass, with_pedals, write_bass
from generation.composer.writing.figures import FigureStyle, write_figure
from generation.composer.writing.pad import write_colour, write_pad
from generation.composer.writing.suspensions import suspend
from generation.composer.writing.voicing import Led, Voicing, voice_chords

_CENTRE, _CENTRE_OF_MELODY, _LEANING = 59.5, 70.5, 0.65
_FEWEST_SUSPENDED, _SUSPENDED = 0.10, 0.75
_BELOW_MELODY = 1.0

Curve = Callable[[float], float]


@dataclass(frozen=True)
class Accompaniment:
    """One phrase's accompaniment.

    Args:
        chords: as given, some over a pedal point.
        voicings: keys of the upper voices under each chord, suspensions resolved.
        basses: key of the bass under each chord.
        bass, figure, pad: as written.
        led: the last chord of the phrase, for the next phrase to lead on from.
    """

    chords: Sequence[Chord]
    voicings: Sequence[Voicing]
    basses: Sequence[int]
    bass: Sequence[WrittenNote]
    figure: Sequence[WrittenNote]
    pad: Sequence[WrittenNote]
    led: Led


def accompany(
    phrase: Phrase,
    chords: Sequence[Chord],
    style: FigureStyle,
    cue: Callable[[str], Curve],
    before: Led | None,
    seed: int,
    number: int,
) -> Accompaniment:
    """The accompaniment of one phrase.

    Args:
        chords: of the phrase; of the last phrase with the final chord, which is voiced, not written.
        style: of the figure.
        cue: name of a cue to its value at a beat.
        before: the chord before the phrase; None at the start.
        seed, number: of the session, and of the phrase in it.
    """
    rng = stream(seed, "accompaniment", number)
    middle = phrase.onset_beat + phrase.beats / 2
    density, dissonance, melody = cue("density"), cue("dissonance"), cue("melody_key")
    tension = dissonance(middle)
    held = with_pedals(chords, density(middle), rng)
    basses = lead_bass(held, before.bass if before else None)
    centre = _CENTRE + _LEANING * (melody(middle) - _CENTRE_OF_MELODY)
    ceiling = melody(middle) - _BELOW_MELODY
    voicings = voice_chords(held, centre, before, basses, tension, ceiling)
    n_body = sum(chord.onset_beat < phrase.end_beat - 1e-6 for chord in held)
    soundings = suspend(
        held[:n_body],
        voicings[:n_body],
        basses[:n_body],
        before,
        _FEWEST_SUSPENDED + _SUSPENDED * tension,
        stream(seed, "suspensions", number),
    )
    figure_rng = stream(seed, "figure", phrase.texture % 99_991)
    return Accompaniment(
        chords=held,
        voicings=voicings,
        basses=basses,
        bass=write_bass(phrase, soundings, density, rng),
        figure=write_figure(
            phrase, soundings, style, density, lambda beat: melody(beat) - _BELOW_MELODY, figure_rng
        ),
        pad=[*write_pad(soundings), *write_colour(soundings, tension, stream(seed, "colour", number))],
        led=Led(held[n_body - 1], basses[n_body - 1], voicings[n_body - 1]),
    )
