"""Twelve places of the plane to hear and see, on one page without anything outside it.

python scripts/gallery.py build/gallery/index.html
"""

from __future__ import annotations

import base64
import io
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray
from rich.progress import track

from generation.audio import SAMPLE_RATE_HZ, integrated_loudness, true_peak_dbtp
from generation.composer.audit.bars import bars_of, key_changes
from generation.composer.audit.cue_sheet import cue_sheet
from generation.composer.audit.key_names import full_key_name
from generation.composer.cues import CueCurves
from generation.composer.engine import ComposerEngine
from generation.composer.palettes import PALETTES
from generation.composer.score import Note, Part, Score
from study.affect import NAMED_STATES, Affect
from study.folder import write_whole
from study.path import AffectPath, PathKind, Waypoint
from study.session import SessionPlan

SEED = 2_026
VALENCES, AROUSALS = (-0.7, 0.0, 0.7), (0.75, 0.25, -0.25, -0.75)
SESSION_S, EXCERPT_S = 100.0, 30.0
LARGEST_PAGE = 8_000_000

_LOUDNESS_LUFS = -20.0
_CEILING_DBTP = -1.0
_FADE_S = 0.6
_EARLIEST_S = 18.0
_WIDTH, _HEIGHT, _DRUMS_HEIGHT, _GUTTER = 600.0, 168.0, 22.0, 18.0
#: libsndfile's scale, 0 best to 1 smallest: about 120 kbit/s for this music.
_COMPRESSION = 0.5
#: Cue, its name for readers, its unit.
_CUES = (
    ("tempo_bpm", "tempo", "{:.0f} quarter notes a minute"),
    ("mode", "mode, 0 Phrygian to 4 Ionian", "{:.1f}"),
    ("melody_key", "centre of the melody", "MIDI key {:.0f}"),
    ("density", "rhythmic slots that sound", "{:.0%}"),
    ("harmonic_rate", "chords a bar", "{:.1f}"),
    ("dissonance", "added tension", "{:.0%}"),
    ("velocity", "touch", "{:.2f} of 1"),
    ("level_db", "level", "{:+.1f} dB"),
    ("articulation", "sounding share of a note", "{:.0%}"),
    ("brightness", "brightness", "× {:.2f}"),
    ("percussion", "percussion", "{:.0%}"),
    ("sustain", "held against struck sounds", "{:.0%}"),
)


@dataclass(frozen=True)
class Place:
    """What is asked of one excerpt.

    Args:
        affect: where on the plane it stays.
        palette: a name of `PALETTES`.
    """

    affect: Affect
    palette: str

    @property
    def plan(self) -> SessionPlan:
        """A session that stays there."""
        path = AffectPath(PathKind.CONSTANT, (Waypoint(0.0, SESSION_S, self.affect),))
        return SessionPlan(
            participant_id="none",
            session_id="ses-01",
            arm_id="gallery",
            path=path,
            start=self.affect,
            target=self.affect,
            clip_s=EXCERPT_S,
            seed=SEED,
            loudness_lufs=-23.0,
        )


@dataclass(frozen=True)
class Excerpt:
    """Half a minute of a session.

    Args:
        score, curves: of the whole session.
        onset_s: where the excerpt begins in it.
        samples: its sound before any gain, shape [n, 2].
    """

    place: Place
    score: Score
    curves: CueCurves
    onset_s: float
    samples: NDArray[np.float32]


def places() -> list[Place]:
    """Three valences by four arousals; the palettes take turns, so that each is heard at every valence."""
    names = list(PALETTES)
    return [
        Place(Affect(valence, arousal), names[(row + column) % len(names)])
        for row, arousal in enumerate(AROUSALS)
        for column, valence in enumerate(VALENCES)
    ]


def make_excerpt(place: Place) -> Excerpt:
    """Compose a session at one place and cut half a minute from the start of a phrase."""
    engine, plan = ComposerEngine(place.palette), place.plan
    score = engine.compose(plan)
    starts_s = [
        bar.onset_s for bar in bars_of(score) if bar.phrase and bar.onset_beat == bar.phrase.onset_beat
    ]
    latest_s = SESSION_S - EXCERPT_S - 12.0
    onset_s = next((at for at in starts_s if _EARLIEST_S <= at <= latest_s), _EARLIEST_S)
    onset_s = max(onset_s - 0.05, 0.0)
    first, count = round(onset_s * SAMPLE_RATE_HZ), round(EXCERPT_S * SAMPLE_RATE_HZ)
    blocks: list[NDArray[np.float32]] = []
    for block in engine.stream(plan):
        blocks.append(block)
        if sum(map(len, blocks)) >= first + count:
            break
    samples = np.concatenate(blocks)[first : first + count]
    fade = np.sin(np.linspace(0.0, np.pi / 2, round(_FADE_S * SAMPLE_RATE_HZ), dtype=np.float32)) ** 2
    samples[: len(fade) // 8] *= fade[::8, None][: len(fade) // 8]
    samples[-2 * len(fade) :] *= np.repeat(fade[::-1], 2)[:, None]
    return Excerpt(place, score, engine.curves(plan), onset_s, samples)


def common_gain(excerpts: Sequence[Excerpt]) -> float:
    """One factor for all: their mean loudness near -20 LUFS, no true peak above -1 dBTP."""
    levels = [integrated_loudness(excerpt.samples, SAMPLE_RATE_HZ) for excerpt in excerpts]
    peaks = [true_peak_dbtp(excerpt.samples) for excerpt in excerpts]
    heard = [level for level in levels if level is not None]
    gain_db = min(
        _LOUDNESS_LUFS - float(np.mean(heard)), _CEILING_DBTP - max(p for p in peaks if p is not None)
    )
    return float(10.0 ** (gain_db / 20.0))


def render_gallery(excerpts: Sequence[Excerpt]) -> str:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    gain = common_gain(excerpts)
    return environment.get_template("gallery.html.jinja").render(
        pieces=[_piece(excerpt, gain) for excerpt in excerpts],
        parts=[str(part) for part in Part],
        seconds=round(EXCERPT_S),
        gutter=_GUTTER,
        about=f"Composer {ComposerEngine.version}, seed {SEED}; made by: make gallery. Sound is MP3 here, "
        "which every phone plays. States: the nearest named points of Russell's circumplex (1980).",
    )


def _piece(excerpt: Excerpt, gain: float) -> Mapping[str, Any]:
    affect = excerpt.place.affect
    state = min(NAMED_STATES, key=lambda name: (round(NAMED_STATES[name].distance_to(affect), 9), name))
    middle_s = excerpt.onset_s + EXCERPT_S / 2
    return {
        "name": f"{_words(affect)}, {excerpt.place.palette}",
        "valence": affect.valence,
        "arousal": affect.arousal,
        "valence_told": f"{affect.valence:g}".replace("-", "−"),
        "arousal_told": f"{affect.arousal:g}".replace("-", "−"),
        "state": state,
        "key_names": ", ".join(_keys(excerpt)),
        "cues": [
            (name, form.format(excerpt.curves.one(cue, middle_s)).replace("-", "−"))
            for cue, name, form in _CUES
        ],
        "chords": _chords(excerpt),
        "audio_type": "audio/mpeg",
        "audio": base64.b64encode(_encoded(excerpt.samples * np.float32(gain))).decode(),
        **_roll(excerpt),
    }


def _words(affect: Affect) -> str:
    valence = dict(zip(VALENCES, ("unpleasant", "neutral", "pleasant"), strict=True))
    arousal = dict(zip(AROUSALS, ("Activated", "Lively", "Calm", "Quiet"), strict=True))
    return f"{arousal[affect.arousal]} and {valence[affect.valence]}"


def _keys(excerpt: Excerpt) -> list[str]:
    bars = bars_of(excerpt.score)
    changes = [(bar.onset_s, full_key_name(tonic, mode)) for bar, tonic, mode in key_changes(bars)]
    ends_s = [at for at, _ in changes[1:]] + [math.inf]
    return list(
        dict.fromkeys(
            name
            for (at, name), end_s in zip(changes, ends_s, strict=True)
            if at < excerpt.onset_s + EXCERPT_S - 1.0 and end_s > excerpt.onset_s + 1.0
        )
    )


def _chords(excerpt: Excerpt) -> str:
    rows = cue_sheet(excerpt.score, excerpt.curves, excerpt.place.plan.path)
    return " | ".join(
        str(row["chord_names"])
        for row in rows
        if excerpt.onset_s - 0.01 <= float(row["onset_s"] or 0.0) < excerpt.onset_s + EXCERPT_S
    )


def _roll(excerpt: Excerpt) -> Mapping[str, Any]:
    start_s, end_s = excerpt.onset_s, excerpt.onset_s + EXCERPT_S
    notes = [n for n in excerpt.score.notes if n.onset_s < end_s and n.onset_s + n.duration_s > start_s]
    pitched = [note.key for note in notes if note.part is not Part.PERCUSSION]
    low, high = min(pitched) - 2, max(pitched) + 2
    has_drums = len(pitched) < len(notes)
    drums = sorted({note.key for note in notes if note.part is Part.PERCUSSION})
    height = _HEIGHT - (_DRUMS_HEIGHT if has_drums else 0.0)
    step = height / (high - low)

    def across(time_s: float) -> float:
        share = min(max((time_s - start_s) / EXCERPT_S, 0.0), 1.0)
        return _GUTTER + share * (_WIDTH - _GUTTER)

    def box(note: Note) -> Mapping[str, Any]:
        x, until = across(note.onset_s), across(note.onset_s + note.duration_s)
        y, width, tall = (high - note.key) * step - step / 2, max(until - x, 1.0), max(step - 0.4, 2.0)
        if note.part is Part.PERCUSSION:
            y, width, tall = height + 3.0 + 18.0 * drums.index(note.key) / max(len(drums), 1), 2.4, 3.0
        numbers = {"x": x, "y": y, "width": width, "height": tall, "opacity": 0.45 + 0.55 * note.velocity}
        return {"part": str(note.part), **{name: round(number, 1) for name, number in numbers.items()}}

    order = [Part.PAD, Part.FIGURE, Part.BASS, Part.PERCUSSION, Part.COUNTER, Part.MELODY]
    bars = [bar.onset_s for bar in bars_of(excerpt.score) if start_s <= bar.onset_s < end_s]
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "notes": [box(note) for note in sorted(notes, key=lambda note: order.index(note.part))],
        "bars": [round(across(at), 1) for at in bars],
        "octaves": [
            {"y": round((high - key) * step, 1), "name": f"C{key // 12 - 1}"}
            for key in range(12 * math.ceil(low / 12), high + 1, 12)
        ],
        "players": [
            {"part": str(part), "told": f"{part}: {', '.join(names)}"}
            for part in Part
            if (names := sorted({note.instrument for note in notes if note.part is part}))
        ],
    }


def _encoded(samples: NDArray[np.float32]) -> bytes:
    sound = io.BytesIO()
    soundfile.write(
        sound,
        samples,
        SAMPLE_RATE_HZ,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="VARIABLE",
        compression_level=_COMPRESSION,
    )
    return sound.getvalue()


def main() -> int:
    """Make the page."""
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    page = render_gallery([make_excerpt(place) for place in track(places(), "composing")]).encode()
    if len(page) > LARGEST_PAGE:
        print(f"{out}: {len(page):,} bytes are more than {LARGEST_PAGE:,}; raise _COMPRESSION")
        return 1
    write_whole(out, page)
    print(f"{out}: {len(page) / 1e6:.1f} MB; open it in a browser")
    return 0


if __name__ == "__main__":
    sys.exit(main())
