"""Melodies and second voices of many sessions, counted as a musician would count them, off the written notes.

    python -m tests.benchmarks.composer_melody --sessions 20 --minutes 15

Line, peaks, register, foreign tones, cadences, parallels, how alike the returns of a theme are against
chance, what the second voice does; and, with ``--plane``, how register and number of notes follow the plane
(5 × 5 × 3 seeds of one minute). Sessions and seeds are those of `composer_musicality`.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from rich.progress import track
from scipy.stats import spearmanr

from generation.composer.cues import CueCurves
from generation.composer.engine import ComposerEngine
from generation.composer.score import Cadence, Chord, Part, Phrase, PhraseKind, Score, WrittenNote
from generation.composer.writing.contour import has_one_peak
from generation.composer.writing.counterpoint import Voice, top_voice, voice_of
from tests.benchmarks.composer_musicality import plan_of
from tests.generation.composer.plans import make_plan

_OPENINGS = (PhraseKind.ANTECEDENT, PhraseKind.CONSEQUENT, PhraseKind.PRESENTATION)
_THIRDS_AND_SIXTHS = (3, 4, 8, 9)

#: Name of a figure to what was found, one value each time it was looked at.
Found = dict[str, list[float]]
Written = Mapping[Part, Sequence[WrittenNote]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, and print a line a figure: its mean, and how often it was looked at."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--plane", action="store_true")
    given = parser.parse_args(arguments)
    found: Found = defaultdict(list)
    for number in track(range(given.sessions), "sessions"):
        plan = plan_of(number, given.minutes * 60.0)
        score = ComposerEngine.from_options(plan.engine.options).compose(plan)
        count_session(score, CueCurves(plan.path), found)
    for name in sorted(found):
        print(f"{name:52}{np.mean(found[name]):8.3f}   {len(found[name])}")
    if given.plane:
        for name, rho in over_the_plane().items():
            print(f"{name:52}{rho:8.3f}")
    return 0


def count_session(score: Score, curves: CueCurves, found: Found) -> None:
    """Add one session to `found`."""
    beats = np.arange(len(score.beat_times_s))
    for phrase, chords, written in zip(score.phrases, score.chords, score.written, strict=True):
        if melody := written.get(Part.MELODY):
            _count_line(melody, found)
            _count_tones(phrase, chords, melody, found)
            times = np.interp([note.onset_beat for note in melody], beats, score.beat_times_s)
            astray = np.mean([note.key for note in melody]) - np.mean(curves.at(times).melody_key)
            found["register: within 2.5 semitones of the cue"].append(float(abs(astray) <= 2.5))
            found["register: semitones above the cue"].append(float(astray))
        _count_parallels(written, found)
        if Part.COUNTER in written and Part.MELODY in written:
            _count_duet(written, found)
    _count_returns(score, found)


def over_the_plane() -> Mapping[str, float]:
    """Spearman of the melody's mean key and number of notes with each axis, on 5 × 5 points, three seeds."""
    rows = []
    places = np.linspace(-0.8, 0.8, 5)
    for valence, arousal, seed in itertools.product(places, places, (1, 2, 3)):
        score = ComposerEngine().compose(make_plan([(float(valence), float(arousal))], 60.0, seed))
        keys = [note.key for written in score.written for note in written.get(Part.MELODY, ())]
        if keys:
            rows.append((valence, arousal, np.mean(keys), len(keys)))
    valence_of, arousal_of, register, notes = np.array(rows).T
    return {
        "plane: register with valence": float(spearmanr(valence_of, register).statistic),
        "plane: register with arousal": float(spearmanr(arousal_of, register).statistic),
        "plane: notes with valence": float(spearmanr(valence_of, notes).statistic),
        "plane: notes with arousal": float(spearmanr(arousal_of, notes).statistic),
    }


def _count_line(melody: Sequence[WrittenNote], found: Found) -> None:
    keys = [note.key for note in melody]
    moves = [b - a for a, b in itertools.pairwise(keys)]
    for move in moves:
        found["line: steps"].append(abs(move) in (1, 2))
        found["line: repeats"].append(move == 0)
        found["line: thirds"].append(abs(move) in (3, 4))
        found["line: leaps"].append(abs(move) > 4)
        found["line: tritones"].append(abs(move) == 6)
        found["line: over a sixth"].append(abs(move) > 9)
    for leap, after in itertools.pairwise(moves):
        if abs(leap) > 4:
            found["line: leaps answered by a step back"].append(leap * after < 0 and abs(after) <= 2)
            found["line: leaps answered by a step or third back"].append(leap * after < 0 and abs(after) <= 4)
    if len(keys) >= 4:
        found["line: one high point a phrase"].append(has_one_peak(keys))


def _count_tones(
    phrase: Phrase, chords: Sequence[Chord], melody: Sequence[WrittenNote], found: Found
) -> None:
    for note, following in itertools.pairwise(melody):
        chord = [chord for chord in chords if chord.onset_beat <= note.onset_beat + 1e-6][-1]
        is_foreign = note.key % 12 not in chord.pitch_classes
        found[f"tones: foreign, {'strong' if note.accent >= 0.8 else 'weak'}"].append(is_foreign)
        if is_foreign:
            found["tones: foreign ones resolved by step"].append(abs(following.key - note.key) in (1, 2))
    degree = (melody[-1].key - phrase.next_tonic) % 12
    if phrase.cadence == Cadence.AUTHENTIC:
        found["cadences: authentic ones on 1 or 3"].append(degree in (0, 3, 4))
    if phrase.cadence == Cadence.HALF:
        found["cadences: half ones on 2, 5 or 7"].append(degree in (2, 7, 10, 11))
    if len(melody) > 1:
        found["cadences: reached by step"].append(abs(melody[-1].key - melody[-2].key) in (1, 2))


def _count_parallels(written: Written, found: Found) -> None:
    lines = {
        "melody": voice_of(written.get(Part.MELODY, ())),
        "second voice": voice_of(written.get(Part.COUNTER, ())),
        "bass": voice_of(written.get(Part.BASS, ())),
        "top of the pad": top_voice(written.get(Part.PAD, ())),
    }
    for one, other in itertools.product(("melody", "second voice"), lines):
        if one != other and (one, other) != ("second voice", "melody"):
            found[f"parallels: {one} and {other}"] += parallels(lines[one], lines[other])


def parallels(one: Voice, other: Voice) -> list[float]:
    """For each move between moments where both are struck, whether it is a parallel fifth or octave."""
    at = dict(zip(one.onset_beats, one.keys, strict=True))
    beside = dict(zip(other.onset_beats, other.keys, strict=True))
    both = sorted(at.keys() & beside.keys())
    marks = []
    for a, b in itertools.pairwise(both):
        together = (at[b] - at[a]) * (beside[b] - beside[a]) > 0
        before, after = (at[a] - beside[a]) % 12, (at[b] - beside[b]) % 12
        marks.append(float(together and before == after and before in (0, 7)))
    return marks


def _count_duet(written: Written, found: Found) -> None:
    melody, second = voice_of(written[Part.MELODY]), voice_of(written[Part.COUNTER])
    for beat, key in zip(second.onset_beats, second.keys, strict=True):
        if (above := melody.key_at(beat)) is not None:
            found["second voice: strikes a third or sixth"].append(
                abs(above - key) % 12 in _THIRDS_AND_SIXTHS
            )
            found["second voice: strikes a second or seventh"].append(abs(above - key) % 12 in (1, 2, 10, 11))
        found["second voice: moves while the melody holds"].append(beat not in melody.onset_beats)
    kinds: Counter[str] = Counter()
    for a, b in itertools.pairwise(sorted({*melody.onset_beats, *second.onset_beats})):
        keys = [voice.key_at(beat) for voice in (melody, second) for beat in (a, b)]
        m0, m1, s0, s1 = (-1 if key is None else key for key in keys)
        if -1 not in (m0, s0):
            product = (m1 - m0) * (s1 - s0)
            kinds["oblique" if product == 0 else "contrary" if product < 0 else "similar"] += 1
    for kind in ("oblique", "contrary", "similar"):
        share = kinds[kind] / max(sum(kinds.values()), 1)
        found[f"second voice: {kind} motion"].append(share)


def _count_returns(score: Score, found: Found) -> None:
    """How alike the first two bars of phrases are, of one theme and of two."""
    heads = [
        (phrase.theme, phrase.beats_per_bar, _head(phrase, written[Part.MELODY]))
        for phrase, written in zip(score.phrases, score.written, strict=True)
        if phrase.kind in _OPENINGS and phrase.bars >= 2 and not phrase.is_last and Part.MELODY in written
    ]
    for (theme, metre, one), (another, other_metre, other) in itertools.combinations(heads, 2):
        both = sorted(one.keys() & other.keys())
        if metre != other_metre or len(both) < 4:
            continue
        who = "one theme" if theme == another else "two themes"
        shared = [abs((one[b] - one[a]) - (other[b] - other[a])) <= 1 for a, b in itertools.pairwise(both)]
        found[f"returns: onsets shared by phrases of {who}"].append(
            len(both) / len(one.keys() | other.keys())
        )
        found[f"returns: intervals shared by phrases of {who}"].append(float(np.mean(shared)))


def _head(phrase: Phrase, notes: Sequence[WrittenNote]) -> Mapping[float, int]:
    places = [(note.onset_beat - phrase.onset_beat, note.key) for note in notes]
    return {place: key for place, key in places if place < 2 * phrase.beats_per_bar}


if __name__ == "__main__":
    sys.exit(main())
