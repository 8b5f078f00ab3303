"""Music becomes tokens once; what is kept is what the encoder said, and damage has a name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch")
pytest.importorskip("transformers")

from generation.audio import read_audio
from generation.stimuli import stereo_at_rate
from generation.training.crops import Crop
from generation.training.tokens.cache import TokenCache
from generation.training.tokens.fill import fill_cache
from generation.training.tracks import Corpus, FaultKind, Split, Track
from study.errors import ModelError, OutOfRange, StorageError, UnknownName
from tests.generation.training.tokens.stand_in import FRAME, RATE_HZ, StandIn, card

pytestmark = pytest.mark.torch


def sound(seed: int, duration_s: float, rate_hz: int = RATE_HZ, n_channels: int = 1) -> np.ndarray:
    """Slow noise, so that frames differ from their neighbours."""
    rng = np.random.default_rng(seed)
    n_samples = round(duration_s * rate_hz)
    knots = rng.uniform(-0.8, 0.8, (n_samples // 500 + 2, n_channels))
    at = np.arange(n_samples) / 500
    return np.stack([np.interp(at, np.arange(len(knots)), knots[:, c]) for c in range(n_channels)], axis=1)


def corpus_of(folder: Path, durations_s: dict[str, float]) -> Corpus:
    """Real WAV files of the given lengths, by track."""
    folder.mkdir(exist_ok=True)
    for number, (name, duration_s) in enumerate(durations_s.items()):
        soundfile.write(folder / f"{name}.wav", sound(number, duration_s), RATE_HZ, subtype="FLOAT")
    return corpus_at(folder, *durations_s)


def corpus_at(folder: Path, *names: str) -> Corpus:
    tracks = tuple(Track(name, folder / f"{name}.wav", Split.TRAIN) for name in names)
    return Corpus("test", folder, tracks, (), {}, {})


def test_tokens_of_a_long_track_are_those_of_the_whole_though_no_more_than_thirty_seconds_are_held(
    tmp_path: Path,
) -> None:
    corpus = corpus_of(tmp_path / "music", {"long": 81.5, "window": 30.0, "longer": 30.02, "short": 0.013})
    encoder = StandIn()

    cache, faults = fill_cache(corpus, tmp_path / "cache", encoder)

    assert faults == ()
    assert encoder.longest == 30 * RATE_HZ
    for track in corpus.tracks:
        whole = StandIn().encode(read_audio(track.path)[0])
        assert np.array_equal(cache.codes(track.track_id), whole)
    assert [cache.n_frames(track.track_id) for track in corpus.tracks] == [4075, 1500, 1501, 1]


def test_sound_of_another_rate_and_two_channels_is_mixed_and_resampled_as_if_read_at_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, sound(5, 12.3, 44_100, 2), 44_100, subtype="FLOAT")

    mono, _ = fill_cache(corpus_at(tmp_path, "stereo"), tmp_path / "mono", StandIn())
    stereo, _ = fill_cache(corpus_at(tmp_path, "stereo"), tmp_path / "two", StandIn(n_channels=2))

    samples, rate_hz = read_audio(path)
    both = stereo_at_rate(samples, rate_hz)
    assert np.array_equal(stereo.codes("stereo"), StandIn(n_channels=2).encode(both))
    # Mixing before or after a linear filter differs in the last bit: at most one level, and rarely.
    off = np.abs(mono.codes("stereo") - StandIn().encode(both.mean(axis=1, keepdims=True)))
    assert off.max() <= 1
    assert off.mean() < 0.01


def test_several_readers_give_the_same_tokens(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 40.0, "b": 3.0, "c": 25.0})

    alone, _ = fill_cache(corpus, tmp_path / "alone", StandIn(), n_readers=0)
    together, faults = fill_cache(corpus, tmp_path / "together", StandIn(), n_readers=2)

    assert faults == ()
    assert set(alone.track_ids) == set(together.track_ids) == {"a", "b", "c"}
    assert all(np.array_equal(alone.codes(name), together.codes(name)) for name in alone.track_ids)


def test_a_window_is_cut_from_its_track_at_the_nearest_frame(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 7.0, "b": 10.005})
    cache, _ = fill_cache(corpus, tmp_path / "cache", StandIn())

    inside = cache.crop(Crop("b", Split.TRAIN, 2.009, 4.0))
    # 10.005 s are 501 frames; the last window of 4 s begins at 6.005 s.
    last = cache.crop(Crop("b", Split.TRAIN, 10.005 - 4.0, 4.0))

    whole = cache.codes("b")
    assert np.array_equal(inside, whole[:, 100:300])
    assert np.array_equal(last, whole[:, 300:500])
    assert last.dtype == np.int16
    with pytest.raises(
        OutOfRange, match=r"b: the window of 4 s from 6\.1 s does not lie in the track's 10\.02 s"
    ):
        cache.crop(Crop("b", Split.TRAIN, 6.1, 4.0))
    with pytest.raises(UnknownName, match="holds no tokens of 'z'"):
        cache.crop(Crop("z", Split.TRAIN, 0.0, 4.0))


def test_a_shard_takes_no_track_that_would_make_it_larger_than_its_limit(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 2.0, "b": 2.0, "c": 2.0, "d": 5.0, "e": 1.0})

    # Two rows of two bytes, 50 frames a second: 2 s are 400 bytes.
    cache, _ = fill_cache(corpus, tmp_path / "cache", StandIn(), shard_bytes=900)

    shards = {name: cache.entry(name).shard for name in "abcde"}
    numbers = {name: int(shard[7:12]) for name, shard in shards.items()}
    assert numbers == {"a": 0, "b": 0, "c": 1, "d": 2, "e": 3}
    sizes = [(tmp_path / "cache" / f"tokens-{number:05d}.i16").stat().st_size for number in range(4)]
    assert sizes == [800, 400, 1000, 200]
    assert cache.check() == ()


def test_progress_goes_by_seconds_of_music(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 10.0, "b": 30.0})
    shares: list[float] = []

    fill_cache(corpus, tmp_path / "cache", StandIn(), shares.append)

    assert shares == [pytest.approx(0.25), pytest.approx(1.0)]


def test_a_cache_of_another_codec_is_refused_and_both_are_named(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 1.0})
    fill_cache(corpus, tmp_path / "cache", StandIn())
    other = card(name="other", sha256="1" * 64)

    for use in (
        lambda: TokenCache.open(tmp_path / "cache", other),
        lambda: fill_cache(corpus, tmp_path / "cache", StandIn(other)),
    ):
        with pytest.raises(ModelError, match=r"of the codec stand-in, not of other \(sha256 0+ and 1+\)"):
            use()
    with pytest.raises(ModelError, match="holds 2 tokens a frame, stand-in makes 4"):
        fill_cache(corpus, tmp_path / "cache", StandIn(n_channels=2))
    renamed = TokenCache.open(tmp_path / "cache", card(name="a copy elsewhere"))
    assert renamed.track_ids == ("a",)


def test_a_folder_without_a_cache_or_with_a_card_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="holds no token cache"):
        TokenCache.open(tmp_path, card())
    (tmp_path / "card.json").write_text('{"title": "King of cups"}')
    with pytest.raises(StorageError, match="is no card of a token cache"):
        TokenCache.open(tmp_path, card())


def test_an_encoder_whose_tokens_are_none_of_its_own_is_refused(tmp_path: Path) -> None:
    class Wrong(StandIn):
        def encode(self, samples: np.ndarray) -> np.ndarray:
            codes = super().encode(samples)
            codes[:, -1] = 2048
            return codes

    corpus = corpus_of(tmp_path / "music", {"a": 1.0})

    with pytest.raises(
        ModelError, match=r"tokens of shape \(2, 50\) from \d+ to 2048, not \(2, 50\) below 2048"
    ):
        fill_cache(corpus, tmp_path / "cache", Wrong())
    assert TokenCache.open(tmp_path / "cache", card()).track_ids == ()


def test_a_changed_byte_is_found_and_the_track_encoded_anew(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 2.0, "b": 2.0, "c": 2.0})
    cache, _ = fill_cache(corpus, tmp_path / "cache", StandIn())
    before = {name: cache.codes(name).copy() for name in "abc"}
    shard = tmp_path / "cache" / cache.entry("b").shard
    content = bytearray(shard.read_bytes())
    content[cache.entry("b").first_frame * 4 + 17] ^= 1
    shard.write_bytes(content)

    found = TokenCache.open(tmp_path / "cache", card()).check()
    mended, faults = fill_cache(corpus, tmp_path / "cache", StandIn())

    assert [(fault.track_id, fault.kind, fault.is_kept) for fault in found] == [
        ("b", FaultKind.DAMAGED_TOKENS, False)
    ]
    assert [(fault.track_id, fault.is_kept) for fault in faults] == [("b", True)]
    assert mended.check() == ()
    assert all(np.array_equal(mended.codes(name), before[name]) for name in "abc")


def test_a_shard_that_was_cut_or_lost_costs_its_tracks_and_no_others(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 2.0, "b": 2.0, "c": 2.0})
    cache, _ = fill_cache(corpus, tmp_path / "cache", StandIn(), shard_bytes=900)
    before = {name: cache.codes(name).copy() for name in "abc"}
    first, second = (tmp_path / "cache" / cache.entry(name).shard for name in "bc")
    first.write_bytes(first.read_bytes()[:-4])
    second.unlink()

    hurt = TokenCache.open(tmp_path / "cache", card())
    mended, faults = fill_cache(corpus, tmp_path / "cache", StandIn(), shard_bytes=900)

    assert hurt.track_ids == ("a",)
    assert [fault.track_id for fault in hurt.faults] == ["b", "c"]
    assert [(fault.track_id, fault.is_kept) for fault in faults] == [("b", True), ("c", True)]
    assert all(np.array_equal(mended.codes(name), before[name]) for name in "abc")
    assert mended.check() == ()


def test_the_card_says_whose_tokens_these_are(tmp_path: Path) -> None:
    fill_cache(corpus_of(tmp_path / "music", {"a": 1.0}), tmp_path / "cache", StandIn())

    read = json.loads((tmp_path / "cache" / "card.json").read_text())

    assert read["codec"]["name"] == "stand-in"
    assert read["codec"]["frame_rate_hz"] * FRAME == RATE_HZ
    assert read["n_rows"] == 2
