"""Recipes of what is struck or plucked.

Levels are those of the recordings, fitted over their keys, so that a mix keeps
its balance when its instruments are synthesised. Proportions of bars and tines
after Fletcher & Rossing (1998, The Physics of Musical Instruments, chapters 2
and 19); the rest is set by what the instruments' spectra and decays show.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from generation.composer.sound.synthesis.struck import Mode, Struck

#: Tuned bars have their second mode two octaves up, and a resonator for the first.
_VIBRAPHONE = (Mode(1.0, 0.0, 1.0), Mode(4.0, -19.0, 0.35), Mode(10.1, -30.0, 0.12), Mode(17.6, -40.0, 0.06))
_MARIMBA = (Mode(1.0, 0.0, 1.0), Mode(3.95, -15.0, 0.22), Mode(9.4, -24.0, 0.08), Mode(16.2, -34.0, 0.05))
_CELESTA = (
    Mode(1.0, 0.0, 1.0),
    Mode(2.0, -30.0, 0.7),
    Mode(3.98, -14.0, 0.4),
    Mode(8.1, -26.0, 0.15),
    Mode(13.3, -38.0, 0.08),
)
#: A comb's reed with its case: the fundamental, and a bright ping far above.
_MUSIC_BOX = (
    Mode(1.0, 0.0, 1.0),
    Mode(2.0, -16.0, 0.8),
    Mode(4.0, -14.0, 0.6),
    Mode(6.27, -22.0, 0.35),
    Mode(10.5, -21.0, 0.3),
    Mode(17.5, -25.0, 0.2),
)
_KALIMBA = (
    Mode(1.0, 0.0, 1.0),
    Mode(2.0, -22.0, 0.7),
    Mode(5.4, -20.0, 0.25),
    Mode(6.27, -24.0, 0.2),
    Mode(14.5, -36.0, 0.08),
)
#: A tine before a pickup: harmonics of its swing, and the tine's own ping.
_ELECTRIC_PIANO = (
    Mode(1.0, 0.0, 1.0),
    Mode(2.0, -9.0, 0.75),
    Mode(3.0, -17.0, 0.6),
    Mode(4.0, -23.0, 0.5),
    Mode(5.0, -29.0, 0.42),
    Mode(6.0, -35.0, 0.36),
    Mode(7.1, -24.0, 0.10),
    Mode(11.3, -36.0, 0.05),
)
#: A carrier with side bands whose index falls: frequency modulation (Chowning, 1973, JAES 21, 526-534).
_GLASS = (
    Mode(1.0, 0.0, 1.0),
    Mode(2.0, -16.0, 0.8),
    Mode(2.995, -9.0, 0.45),
    Mode(4.005, -16.0, 0.4),
    Mode(5.0, -17.0, 0.3),
    Mode(7.01, -21.0, 0.2),
    Mode(9.02, -27.0, 0.14),
    Mode(13.03, -30.0, 0.08),
)
_SUB = (
    Mode(1.0, 0.0, 1.0),
    Mode(2.0, -13.0, 0.8),
    Mode(3.0, -18.0, 0.6),
    Mode(4.0, -26.0, 0.4),
    Mode(5.0, -28.0, 0.3),
)

_BASS_BODY = ((62.0, 25.0, 5.0), (110.0, 40.0, 6.0), (230.0, 110.0, 4.0))
_GUITAR_BODY = ((102.0, 28.0, 6.0), (204.0, 55.0, 5.0), (400.0, 160.0, 3.0))

STRUCK: Mapping[str, Struck] = MappingProxyType(
    {
        "piano": Struck(
            level_db=-21.4,
            per_octave_db=-1.0,
            t60_s=7.0,
            halving_semitones=13.0,
            loss=0.4,
            place=0.125,
            slope=1.0,
            softness_hz=1_900.0,
            stiffness=2.6e-4,
            aftersound=0.25,
            detuned_cents=0.7,
            knock_db=-22.0,
            knock_hz=220.0,
            release_s=0.35,
        ),
        "electric piano": Struck(
            level_db=-20.3,
            per_octave_db=-0.8,
            t60_s=11.0,
            halving_semitones=13.0,
            loss=0.25,
            modes=_ELECTRIC_PIANO,
            softness_hz=5_000.0,
            knock_db=-34.0,
            attack_s=0.003,
            release_s=0.3,
        ),
        "celesta": Struck(
            level_db=-19.4,
            per_octave_db=-1.5,
            t60_s=2.4,
            halving_semitones=40.0,
            loss=0.0,
            modes=_CELESTA,
            softness_hz=9_000.0,
            knock_db=-32.0,
            knock_hz=900.0,
            attack_s=0.003,
            release_s=1.2,
        ),
        "music box": Struck(
            level_db=-19.2,
            per_octave_db=-1.4,
            t60_s=2.6,
            halving_semitones=40.0,
            loss=0.0,
            modes=_MUSIC_BOX,
            softness_hz=10_000.0,
            knock_db=-30.0,
            knock_hz=2_400.0,
            attack_s=0.0015,
            release_s=1.2,
        ),
        "vibraphone": Struck(
            level_db=-20.1,
            per_octave_db=-2.6,
            t60_s=4.6,
            halving_semitones=24.0,
            loss=0.0,
            modes=_VIBRAPHONE,
            softness_hz=6_000.0,
            knock_db=-36.0,
            knock_hz=500.0,
            attack_s=0.004,
            release_s=0.9,
        ),
        "marimba": Struck(
            level_db=-19.9,
            per_octave_db=-1.3,
            t60_s=1.3,
            halving_semitones=30.0,
            loss=0.0,
            modes=_MARIMBA,
            softness_hz=4_000.0,
            knock_db=-26.0,
            knock_hz=350.0,
            attack_s=0.003,
            release_s=0.6,
        ),
        "kalimba": Struck(
            level_db=-20.6,
            per_octave_db=-0.8,
            t60_s=1.1,
            halving_semitones=40.0,
            loss=0.0,
            modes=_KALIMBA,
            softness_hz=6_000.0,
            knock_db=-24.0,
            knock_hz=700.0,
            attack_s=0.002,
            release_s=0.5,
        ),
        "guitar": Struck(
            level_db=-20.7,
            per_octave_db=-1.6,
            t60_s=5.0,
            halving_semitones=12.0,
            loss=1.1,
            place=0.22,
            slope=1.25,
            softness_hz=2_600.0,
            stiffness=4e-5,
            formants=_GUITAR_BODY,
            knock_db=-30.0,
            knock_hz=300.0,
            release_s=0.25,
        ),
        "dulcimer": Struck(
            level_db=-22.1,
            per_octave_db=-1.4,
            t60_s=3.0,
            halving_semitones=18.0,
            loss=0.5,
            place=0.14,
            slope=0.9,
            softness_hz=4_500.0,
            stiffness=1e-4,
            detuned_cents=3.0,
            formants=_GUITAR_BODY,
            knock_db=-24.0,
            knock_hz=1_200.0,
            release_s=0.8,
        ),
        "harp": Struck(
            level_db=-21.3,
            per_octave_db=-1.3,
            t60_s=4.2,
            halving_semitones=14.0,
            loss=0.9,
            place=0.38,
            slope=1.5,
            softness_hz=2_400.0,
            stiffness=3e-5,
            formants=((180.0, 120.0, 3.0), (420.0, 240.0, 3.0)),
            attack_s=0.003,
            release_s=0.9,
        ),
        "bass": Struck(
            level_db=-19.1,
            per_octave_db=-0.3,
            t60_s=3.4,
            halving_semitones=20.0,
            loss=1.6,
            place=0.27,
            slope=1.35,
            softness_hz=900.0,
            stiffness=3e-5,
            formants=_BASS_BODY,
            knock_db=-26.0,
            knock_hz=500.0,
            attack_s=0.005,
            release_s=0.2,
        ),
        "glass keys": Struck(
            level_db=-20.3,
            per_octave_db=-1.2,
            t60_s=5.0,
            halving_semitones=18.0,
            loss=0.1,
            modes=_GLASS,
            softness_hz=8_000.0,
            knock_db=-26.0,
            knock_hz=1_500.0,
            attack_s=0.002,
            release_s=0.9,
        ),
        "sequence": Struck(
            level_db=-21.5,
            per_octave_db=-1.2,
            t60_s=1.6,
            halving_semitones=26.0,
            loss=1.8,
            place=0.5,
            slope=1.0,
            softness_hz=4_500.0,
            detuned_cents=6.0,
            attack_s=0.002,
            release_s=0.3,
        ),
        "sub bass": Struck(
            level_db=-19.0,
            per_octave_db=-0.3,
            t60_s=6.0,
            halving_semitones=24.0,
            loss=0.0,
            modes=_SUB,
            softness_hz=1_600.0,
            attack_s=0.012,
            release_s=0.25,
        ),
    }
)
