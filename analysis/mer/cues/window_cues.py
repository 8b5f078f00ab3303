"""Everything the cues say of one window, in physical units."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.mer.cues.articulation import articulation_ratio
from analysis.mer.cues.brightness import brightness_db
from analysis.mer.cues.events import hear_events, note_rate_hz, spectral_flux
from analysis.mer.cues.frames import CueWindow
from analysis.mer.cues.loudness import loudness_lufs, range_lu
from analysis.mer.cues.register import mean_pitch
from analysis.mer.cues.roughness import roughness
from analysis.mer.cues.tempo import tempo_bpm
from analysis.mer.cues.tonality import hear_mode


@dataclass(frozen=True)
class WindowCues:
    """What is heard in one window; each cue's module says how.

    Args:
        onset_s: of the window, seconds from the start of the sound.
        majorness: -1 minor to 1 major.
        clarity: 0 to 1, how far the window has a key at all.
        tonic: pitch class, 0 is C.
        mean_pitch: MIDI note number, fractional.
        note_rate_hz: notes or chords that begin in a second.
        flux: how hard they begin.
        tempo_bpm: beats a minute.
        loudness_lufs: of the mono mean.
        range_lu: loudness range inside the window.
        articulation_ratio: sounding share of the time to the next note, 1 legato.
        brightness_db: energy above 1.5 kHz over energy below.
        roughness: beating of neighbouring partials.
    """

    onset_s: float
    majorness: float
    clarity: float
    tonic: int
    mean_pitch: float
    note_rate_hz: float
    flux: float
    tempo_bpm: float
    loudness_lufs: float
    range_lu: float
    articulation_ratio: float
    brightness_db: float
    roughness: float


def hear_cues(window: CueWindow) -> WindowCues:
    """All cues of a window."""
    events = hear_events(window)
    mode = hear_mode(window)
    return WindowCues(
        onset_s=window.onset_s,
        majorness=mode.majorness,
        clarity=mode.clarity,
        tonic=mode.tonic,
        mean_pitch=mean_pitch(window),
        note_rate_hz=note_rate_hz(events),
        flux=spectral_flux(events),
        tempo_bpm=tempo_bpm(events),
        loudness_lufs=loudness_lufs(window),
        range_lu=range_lu(window),
        articulation_ratio=articulation_ratio(events),
        brightness_db=brightness_db(window),
        roughness=roughness(window),
    )
