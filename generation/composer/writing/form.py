"""The plan of a session: sections of phrases from the first beat to the last chord, their keys and modes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from generation.composer.cues import CueCurves
from generation.composer.pulse import Pulse
from generation.composer.score import Cadence, Phrase, PhraseKind, Section, SectionKind
from generation.composer.writing.chances import happens, turn
from generation.composer.writing.keys import Stay, plan_keys
from generation.composer.writing.modes import mode_at
from generation.composer.writing.sections import REFRAIN, Grammar, PhrasePlan, Scene, SectionPlan

_BARS = 4
#: The end is planned when less is left than this many bars after the section that would come next.
_TAIL_BARS = 10
_CODA_FROM_BARS = 8
_WIDEST_BAR = 6
_RESTS = 0.28
_INSIDE_THE_NEXT = 0.6


def plan_form(curves: CueCurves, pulse: Pulse, rng: np.random.Generator) -> list[Section]:
    """The session's sections, from beat 0 without gaps to the final chord; none where two beats do not fit.

    `pulse` is left fitted: the final chord falls on the end of the last phrase.
    """
    plans = _plan_sections(curves, pulse, rng)
    pulse.fit(sum(plan.beats for plan in plans))
    keys = _plan_keys(plans, curves, pulse, rng)
    changes = _where_keys_change(plans, keys, rng)
    spread = float(rng.random())
    textures: dict[tuple[str, bool], int] = {}
    heard_letters: Counter[str] = Counter()
    heard_phrases: Counter[tuple[int, PhraseKind]] = Counter()
    sections: list[Section] = []
    beat = 0
    for number, plan in enumerate(plans):
        variant = heard_letters[plan.letter]
        heard_letters[plan.letter] += 1
        # A section that returns keeps its figures every other time.
        texture = textures.setdefault((plan.letter, variant % 2 == 1), int(rng.integers(1 << 30)))
        inner = 0 < number < len(plans) - 2 and plan.kind != SectionKind.BRIDGE
        rests = inner and happens(float(rng.random()), _RESTS)
        phrases: list[Phrase] = []
        for index, phrase in enumerate(plan.phrases):
            theme = _theme(plan, index)
            # A low-discrepancy sequence: neighbouring modes take turns in proportion.
            spread = turn(spread, 1)
            end_beat = beat + phrase.bars * plan.beats_per_bar
            place = curves.one("mode", pulse.second(end_beat))
            key, next_key = changes[number][index]
            phrases.append(
                Phrase(
                    onset_beat=float(beat),
                    bars=phrase.bars,
                    beats_per_bar=plan.beats_per_bar,
                    kind=phrase.kind,
                    theme=theme,
                    variant=heard_phrases[theme, phrase.kind],
                    section=number,
                    texture=texture,
                    melody_rests=rests and index == 0,
                    tonic=key,
                    next_tonic=next_key,
                    mode=mode_at(place, spread),
                    cadence=phrase.cadence,
                    is_last=number == len(plans) - 1 and index == len(plan.phrases) - 1,
                    spread=spread,
                )
            )
            heard_phrases[theme, phrase.kind] += 1
            beat = end_beat
        sections.append(Section(number, plan.letter, variant, plan.kind, tuple(phrases)))
    return sections


def _theme(plan: SectionPlan, index: int) -> int:
    # Two themes a letter: its own, and one for the contrast within a double period.
    contrasts = plan.kind == SectionKind.DOUBLE_PERIOD and plan.phrases[index].kind == PhraseKind.CONTRAST
    return 2 * (ord(plan.letter) - ord(REFRAIN)) + contrasts


def _plan_sections(curves: CueCurves, pulse: Pulse, rng: np.random.Generator) -> list[SectionPlan]:
    total = pulse.natural_beats
    grammar = Grammar(rng)
    letters = grammar.letters()
    plans: list[SectionPlan] = []
    beat = 0
    while True:
        scene = _scene(curves, pulse.second(beat))
        letter = next(letters)
        plan = grammar.section(letter, scene)
        if total - beat < plan.beats + _TAIL_BARS * plan.beats_per_bar:
            if letter == REFRAIN and plans and plans[-1].letter == REFRAIN:
                # Three of a kind before the last return would be one too many.
                letter = next(other for other in letters if other != REFRAIN)
            return [*plans, *_tail(grammar, letter, letters, total, total - beat, scene, rng)]
        plans.append(plan)
        beat += plan.beats


def _tail(
    grammar: Grammar,
    letter: str,
    letters: Iterator[str],
    total: float,
    left: float,
    scene: Scene,
    rng: np.random.Generator,
) -> list[SectionPlan]:
    """The last sections: what is still due, the refrain's return, and a coda that lets go.

    What is left is cut into phrases of whole bars; the odd fraction of a bar goes into the tempo.
    """
    metre = _fitting_metre(left, grammar.metre(REFRAIN, scene))
    bars = round(left / metre)
    if bars <= 1:
        beats = min(round(left), _WIDEST_BAR)
        return [_closing(REFRAIN, beats, (1,), rng)] if beats >= 2 else []
    if bars <= _BARS:
        return [_closing(REFRAIN, metre, (bars,), rng)]
    if bars < _CODA_FROM_BARS:
        bars, coda, coda_metre = _fitting_coda(total, left, metre, bars // 2, least=2)
        opening = grammar.of_lengths(REFRAIN, SectionKind.PERIOD, metre, (bars, 1), scene)
        return [
            SectionPlan(REFRAIN, SectionKind.PERIOD, metre, opening.phrases[:1]),
            _closing(REFRAIN, coda_metre, (coda,), rng),
        ]
    bars, coda, coda_metre = _fitting_coda(total, left, metre, int(rng.integers(2, 5)), least=_BARS)
    lengths = _phrase_lengths(bars)
    plans: list[SectionPlan] = []
    while len(lengths) > 4 or len(lengths) == 3:
        count = 1 if len(lengths) % 2 else 2
        kind = SectionKind.BRIDGE if count == 1 or letter == "B" else SectionKind.PERIOD
        plans.append(grammar.of_lengths(letter, kind, metre, lengths[:count], scene))
        lengths = lengths[count:]
        letter = next(letters)
    kind = SectionKind.DOUBLE_PERIOD if len(lengths) == 4 else grammar.section(REFRAIN, scene).kind
    if kind == SectionKind.DOUBLE_PERIOD and len(lengths) < 4:
        kind = SectionKind.PERIOD
    plans.append(grammar.of_lengths(REFRAIN, kind, metre, lengths, scene))
    return [*plans, _closing(REFRAIN, coda_metre, (coda,), rng)]


def _closing(letter: str, metre: int, lengths: Sequence[int], rng: np.random.Generator) -> SectionPlan:
    cadence = Cadence.PLAGAL if rng.random() < 0.45 else Cadence.AUTHENTIC
    phrases = tuple(PhrasePlan(bars, PhraseKind.CODA, cadence) for bars in lengths)
    return SectionPlan(letter, SectionKind.CODA, metre, phrases)


def _fitting_metre(left: float, metre: int) -> int:
    """The metre itself, or where little is left the one whose bars fit best."""
    if left >= 8 * metre or left < 2:
        return metre

    def misfit(candidate: int) -> float:
        bars = max(round(left / candidate), 1)
        return round(abs(math.log(bars * candidate / left)) + 0.05 * (candidate != metre), 9)

    return min((metre, 4, 3), key=misfit)


def _fitting_coda(total: float, left: float, metre: int, wanted: int, least: int) -> tuple[int, int, int]:
    """Bars before the coda, and the coda's bars and metre, that leave the tempo nearly alone."""

    def misfit(option: tuple[int, int, int]) -> float:
        bars, coda, coda_metre = option
        stretched = abs(math.log((total - left + bars * metre + coda * coda_metre) / total))
        return round(stretched + 0.002 * abs(coda - wanted) + 0.006 * (coda_metre != metre), 9)

    options = [
        (max(round((left - coda * coda_metre) / metre), least), coda, coda_metre)
        for coda_metre in (metre, 3, 4)
        for coda in (2, 3, 4)
    ]
    return min(options, key=misfit)


def _phrase_lengths(bars: int) -> list[int]:
    """Whole phrases of four bars, and what is odd at the end."""
    count = max(1, round(bars / _BARS))
    extra = bars - count * _BARS
    lengths = [_BARS] * count
    step = 1 if extra > 0 else -1
    for k in range(abs(extra)):
        lengths[count - 1 - k % count] += step
    return lengths


def _plan_keys(
    plans: Sequence[SectionPlan], curves: CueCurves, pulse: Pulse, rng: np.random.Generator
) -> list[int]:
    stays: list[Stay] = []
    beat = 0
    for index, plan in enumerate(plans):
        onset_s, end_s = pulse.second(beat), pulse.second(beat + plan.beats)
        middle_s = (onset_s + end_s) / 2
        stays.append(
            Stay(
                letter=plan.letter,
                onset_s=onset_s,
                end_s=end_s if index < len(plans) - 1 else curves.duration_s,
                beat_s=60.0 / curves.one("tempo_bpm", middle_s),
                place=curves.one("mode", middle_s),
                arousal=2.0 * curves.one("density", middle_s) - 1.0,
                is_home=index >= len(plans) - 2,
            )
        )
        beat += plan.beats
    return plan_keys(stays, rng)


def _where_keys_change(
    plans: Sequence[SectionPlan], keys: Sequence[int], rng: np.random.Generator
) -> list[list[tuple[int, int]]]:
    """Each phrase's key at its start and at its cadence.

    A contrasting phrase may open in the old key and turn to its own; else the section before closes in
    the new one.
    """
    changes = [[(key, key) for _ in plan.phrases] for plan, key in zip(plans, keys, strict=True)]
    for index in range(1, len(plans)):
        old, new = keys[index - 1], keys[index]
        if old == new:
            continue
        phrases = plans[index].phrases
        contrasts = phrases[0].kind in (PhraseKind.CONTRAST, PhraseKind.PRESENTATION)
        if contrasts and len(phrases) > 1 and happens(float(rng.random()), _INSIDE_THE_NEXT):
            changes[index][0] = (old, new)
        else:
            changes[index - 1][-1] = (changes[index - 1][-1][0], new)
    return changes


def _scene(curves: CueCurves, time_s: float) -> Scene:
    return Scene(
        density=curves.one("density", time_s),
        beat_s=60.0 / curves.one("tempo_bpm", time_s),
        place=curves.one("mode", time_s),
    )
