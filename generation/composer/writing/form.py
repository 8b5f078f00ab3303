"""The plan of a session: sections of phrases, their keys, modes and cadences.

A section is a period (question and answer) or, where phrases are short, a
double period a a' b a'. Every answer closes with an authentic cadence; keys
change inside an answer, through a chord that both keys own (`harmony`).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np

from generation.composer.cues import CueCurves
from generation.composer.pulse import Pulse
from generation.composer.score import Cadence, Phrase, PhraseKind, Section, SectionKind
from generation.composer.writing.harmony import common_chords
from generation.composer.writing.modes import mode_count

BARS = 4
_LONG_PHRASE_S = 11.0
_LONGEST_IN_ONE_KEY_S = 70.0
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
#: Neighbours on the circle of fifths first, then thirds, in semitones from the old key.
_KEY_MOVES = (7, 5, 2, 10, 9, 3, 4, 8)
_KEY_MOVE_WEIGHTS = (6.0, 6.0, 2.0, 2.0, 1.5, 1.5, 1.0, 1.0)


def plan_form(curves: CueCurves, pulse: Pulse, rng: np.random.Generator) -> list[Section]:
    """The session's sections, from beat 0 without gaps to the final chord.

    `pulse` is left fitted: the final chord falls on the end of the last phrase.
    """
    total = pulse.natural_beats
    lengths = _phrase_lengths(total, curves, pulse, rng)
    pulse.fit(sum(bars * beats for section in lengths for bars, beats in section))
    tonic = int(rng.integers(12))
    spread = float(rng.random())
    themes = _theme_order(len(lengths), rng)
    key_since_s = 0.0
    sections: list[Section] = []
    heard: Counter[int] = Counter()
    beat = 0.0
    for number, section in enumerate(lengths):
        texture = int(rng.integers(1 << 30))
        phrases: list[Phrase] = []
        rests = bool(rng.random() < 0.45) and 0 < number < len(lengths) - 1
        for index, (bars, beats_per_bar) in enumerate(section):
            is_last = number == len(lengths) - 1 and index == len(section) - 1
            is_answer = index % 2 == 1 or len(section) == 1
            middle_s = pulse.second(beat + bars * beats_per_bar / 2)
            # A low-discrepancy sequence: neighbouring modes take turns in proportion.
            spread = (spread + _GOLDEN) % 1.0
            place = curves.one("mode", middle_s) + 0.15 + 0.7 * spread
            mode = min(max(int(place), 0), mode_count() - 1)
            next_tonic = tonic
            closes = is_answer and index == len(section) - 1 and not is_last
            if closes and (middle_s - key_since_s > _LONGEST_IN_ONE_KEY_S or rng.random() < 0.55):
                next_tonic = _next_key(tonic, mode, rng)
                key_since_s = middle_s
            phrases.append(
                Phrase(
                    onset_beat=beat,
                    bars=bars,
                    beats_per_bar=beats_per_bar,
                    kind=PhraseKind.CONSEQUENT if is_answer else PhraseKind.ANTECEDENT,
                    theme=themes[number] if index != 2 else themes[number] + 1,
                    variant=heard[themes[number]],
                    section=number,
                    texture=texture,
                    melody_rests=rests and index == 0,
                    tonic=tonic,
                    next_tonic=next_tonic,
                    mode=mode,
                    cadence=_cadence(is_answer, rng),
                )
            )
            beat += bars * beats_per_bar
            tonic = next_tonic
        if number == len(lengths) - 1:
            phrases[-1] = replace(phrases[-1], kind=PhraseKind.CODA, cadence=Cadence.AUTHENTIC, is_last=True)
        kind = SectionKind.PERIOD if len(phrases) < 4 else SectionKind.DOUBLE_PERIOD
        theme = themes[number]
        sections.append(Section(number, "ABC"[theme // 2], heard[theme], kind, tuple(phrases)))
        heard[theme] += 1
    return sections


def _phrase_lengths(
    total: float, curves: CueCurves, pulse: Pulse, rng: np.random.Generator
) -> list[list[tuple[int, int]]]:
    sections: list[list[tuple[int, int]]] = []
    beat = 0.0
    while True:
        moment_s = pulse.second(beat)
        beat_s = 60.0 / curves.one("tempo_bpm", moment_s)
        triple = 0.5 - 0.35 * curves.one("density", moment_s) + (0.2 if beat_s > 0.95 else 0.0)
        beats_per_bar = 3 if rng.random() < triple else 4
        size = 2 if BARS * beats_per_bar * beat_s > _LONG_PHRASE_S else 4
        section_beats = size * BARS * beats_per_bar
        left = total - beat
        if left < 1.6 * section_beats:
            sections += _last_phrases(left, beats_per_bar)
            return [section for section in sections if section]
        sections.append([(BARS, beats_per_bar)] * size)
        beat += section_beats


def _last_phrases(left: float, beats_per_bar: int) -> list[list[tuple[int, int]]]:
    # What is left is cut into phrases of two to five bars; the odd fraction of a
    # bar goes into the tempo, where it is far too small to be noticed.
    bars = round(left / beats_per_bar)
    if bars <= 1:
        beats = round(left)
        return [[(1, beats)]] if beats >= 2 else []
    count = max(1, round(bars / BARS))
    lengths = [(bars // count + (k < bars % count), beats_per_bar) for k in range(count)]
    return [lengths[k : k + 2] for k in range(0, len(lengths), 2)]


def _theme_order(n_sections: int, rng: np.random.Generator) -> list[int]:
    # The first theme frames the session and returns at least every third section.
    order = [0]
    while len(order) < n_sections:
        choices = [theme for theme in (0, 2, 4) if order[-2:] != [theme, theme]]
        if 0 not in order[-2:]:
            choices = [0]
        order.append(int(rng.choice(choices)))
    if n_sections:
        order[n_sections - 1] = 0
    return order[:n_sections]


def _cadence(is_answer: bool, rng: np.random.Generator) -> Cadence:
    if is_answer:
        return Cadence.AUTHENTIC
    options = [Cadence.HALF, Cadence.MODAL, Cadence.DECEPTIVE, Cadence.PLAGAL]
    return options[int(rng.choice(4, p=[0.6, 0.15, 0.15, 0.1]))]


def _next_key(tonic: int, mode: int, rng: np.random.Generator) -> int:
    weights = np.array(
        [
            weight if common_chords(tonic, (tonic + move) % 12, mode) else 0.0
            for move, weight in zip(_KEY_MOVES, _KEY_MOVE_WEIGHTS, strict=True)
        ]
    )
    return (tonic + _KEY_MOVES[int(rng.choice(len(_KEY_MOVES), p=weights / weights.sum()))]) % 12
