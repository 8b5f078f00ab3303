"""The vendored instruments: complete, unchanged, and refused when damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from generation.composer import engine
from generation.composer.engine import ComposerEngine
from generation.composer.palettes import INSTRUMENTS, PALETTES
from generation.composer.sound.bank import BANK_FILE, Bank, load_bank
from generation.composer.sound.sampled import SampledTones
from generation.composer.sound.soundfont import SoundFont, build_soundfont, parse_soundfont
from generation.composer.sound.sources import sampler_of
from generation.engine import SessionAudio
from scripts.cut_bank import cut
from study.errors import AudioError, StorageError
from tests.generation.composer.plans import make_plan


def test_the_bank_is_the_one_its_readme_describes() -> None:
    readme = (BANK_FILE.parent / "README.md").read_text(encoding="utf-8")

    assert load_bank().sha256 in readme
    assert len(load_bank().presets) == 25


def test_the_notices_travel_with_the_bank() -> None:
    notices = (BANK_FILE.parent / "LICENSE-FluidR3Mono.txt").read_text(encoding="utf-8")

    assert "Permission is hereby granted, free of charge" in notices
    assert "Frank Wen" in notices
    assert b"Permission is hereby granted" in parse_soundfont(BANK_FILE.read_bytes(), "bank").info["ICMT"]


def test_cutting_the_bank_again_gives_the_same_bytes() -> None:
    data = BANK_FILE.read_bytes()

    assert build_soundfont(cut(parse_soundfont(data, "bank"))) == data


def test_every_palette_names_instruments_that_can_play_their_whole_range() -> None:
    bank = load_bank()

    for palette in PALETTES.values():
        for instrument in (INSTRUMENTS[name] for name in palette.instruments if name != palette.percussion):
            if instrument.preset is not None:
                for key in range(instrument.low, instrument.high + 1):
                    assert all(voice.ratio > 0 for voice in bank.voices(instrument.preset, key))


@pytest.mark.parametrize("kept", [0, 11, 4_000, 3_000_000])
def test_a_bank_cut_short_is_refused(kept: int) -> None:
    with pytest.raises(AudioError, match="isopath_bank"):
        Bank(BANK_FILE.read_bytes()[:kept], "isopath_bank.sf3")


def altered(change: Callable[[SoundFont], SoundFont]) -> bytes:
    """The bank's bytes with something else in it."""
    return build_soundfont(change(parse_soundfont(BANK_FILE.read_bytes(), "bank")))


def test_a_missing_bank_is_refused_with_its_path_and_two_ways_out(tmp_path: Path) -> None:
    gone = tmp_path / "gone.sf3"

    with pytest.raises(StorageError) as refused:
        load_bank(gone)

    assert str(refused.value) == (
        f"{gone}: the composer's recorded instruments cannot be read (No such file or directory);"
        ' install isopath again, or write "bank": "synthetic" in engine.options'
    )


def test_a_file_that_is_no_soundfont_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "bank.sf3"
    text.write_text("<html>404 Not Found</html>")

    with pytest.raises(AudioError, match=r"bank\.sf3: this is not a SoundFont file"):
        load_bank(text)


def test_another_bank_than_this_versions_own_is_refused(tmp_path: Path) -> None:
    # It would play, a little quieter: nothing but its hash tells.
    quieter = tmp_path / "bank.sf3"
    quieter.write_bytes(altered(lambda font: replace(font, info={**font.info, "INAM": b"mine\0\0"})))

    with pytest.raises(AudioError, match="these are not the recorded instruments of this version: SHA-256"):
        load_bank(quieter)
    assert len(Bank(quieter.read_bytes(), "mine").presets) == len(load_bank().presets)


def test_a_recording_that_is_no_vorbis_stream_is_refused_when_it_is_played() -> None:
    silent = Bank(altered(lambda font: replace(font, sample_data=bytes(len(font.sample_data)))), "bank.sf3")

    with pytest.raises(AudioError, match=r"bank\.sf3: sample \d+ cannot be decoded \(Format not recognised"):
        SampledTones(silent).tone(INSTRUMENTS["harp"], 60, 1.0, 32_000)


def test_a_recording_shorter_than_its_loop_is_refused() -> None:
    def with_long_loops(font: SoundFont) -> SoundFont:
        records = [(*record[:4], 10_000_000, *record[5:]) for record in font.tables["shdr"]]
        return replace(font, tables={**font.tables, "shdr": records})

    with pytest.raises(AudioError, match=r"sample 0 has \d+ frames, and its loop ends at 10000000"):
        Bank(altered(with_long_loops), "bank.sf3").sample(0)


def test_tables_that_point_nowhere_are_refused() -> None:
    def without_samples(font: SoundFont) -> SoundFont:
        return replace(font, tables={**font.tables, "shdr": font.tables["shdr"][:3]})

    with pytest.raises(AudioError, match=r"bank\.sf3: the tables of preset \(0, 73\) are damaged"):
        Bank(altered(without_samples), "bank.sf3").voices((0, 73), 72)


def test_a_session_without_its_bank_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "sampler_of", partial(sampler_of, bank_file=tmp_path / "gone.sf3"))
    plan = make_plan([(0.0, 0.0)], 4.0)

    def sound_of(**options: str) -> SessionAudio:
        return next(iter(ComposerEngine.from_options(options).generate([plan], lambda _: None)))

    for bank in ("auto", "sampled"):
        with pytest.raises(StorageError, match=r"gone\.sf3: .* or write \"bank\": \"synthetic\""):
            sound_of(bank=bank)
    for options in ({"bank": "synthetic"}, {"palette": "electronic"}):
        audio = sound_of(**options)
        assert set(audio.models) >= {"composer", "synthesis"}
        assert not {"bank", "bank_decoded"} & set(audio.models)
        assert set(audio.licences) == {"composer", "synthesis"}


def test_a_session_names_what_its_tones_come_from() -> None:
    plan = make_plan([(0.0, 0.0)], 2.0)

    audio = next(iter(ComposerEngine().generate([plan], lambda _: None)))

    assert audio.models["bank"] == load_bank().sha256
    assert len(audio.models["bank_decoded"]) == 64
    assert "synthesis" not in audio.models
    assert "MIT" in audio.licences["bank"]
    assert audio.rendering == {"palette": "chamber", "cue_weights": {}, "bank": "auto", "compression": 0.0}


def test_a_key_outside_the_bank_is_refused() -> None:
    with pytest.raises(AudioError, match="no sound for key 127"):
        load_bank().voices((0, 42), 127)
