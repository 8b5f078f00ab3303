"""A filling that is killed goes on where it was; what changed meanwhile is seen."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from generation.training.tokens.cache import TokenCache
from generation.training.tokens.fill import fill_cache
from generation.training.tokens.filling import only_filler
from generation.training.tracks import FaultKind
from study.errors import StorageError
from tests.generation.training.tokens.stand_in import StandIn, card
from tests.generation.training.tokens.test_cache import corpus_at, corpus_of

pytestmark = pytest.mark.torch

DURATIONS_S = {"a": 2.0, "b": 35.0, "c": 1.0, "d": 3.0}


def killed(work: Callable[[], object]) -> bool:
    """Do the work in a process of its own; whether it was killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def at_call(number: int, function: Callable[..., object]) -> Callable[..., object]:
    """The function, before whose `number`-th call its process kills itself as kill -9 does."""
    calls = iter(range(1, 1000))

    def called(*arguments: object, **named: object) -> object:
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)

    return called


class Counting(StandIn):
    """Counts what it encodes, the first frame of silence that tells its rows aside."""

    n_encoded = -1

    def encode(self, samples: np.ndarray) -> np.ndarray:
        self.n_encoded += 1
        return super().encode(samples)


def test_a_filling_killed_before_any_write_to_disk_goes_on_to_the_same_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = corpus_of(tmp_path / "music", DURATIONS_S)
    whole, _ = fill_cache(corpus, tmp_path / "whole", StandIn())
    n_there_after = []

    for number in range(1, 100):
        folder = tmp_path / f"killed-{number}"
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", at_call(number, os.fsync))
            was_killed = killed(partial(fill_cache, corpus, folder, StandIn(), n_readers=0))
        if not was_killed:
            break
        has_card = (folder / "card.json").is_file()
        there = TokenCache.open(folder, card()).track_ids if has_card else ()
        n_there_after.append(len(there))
        encoder = Counting()
        cache, faults = fill_cache(corpus, folder, encoder)

        assert faults == ()
        # The track of 35 s takes two windows.
        assert encoder.n_encoded == sum(1 + (name == "b") for name in DURATIONS_S if name not in there)
        assert cache.check() == ()
        assert all(np.array_equal(cache.codes(name), whole.codes(name)) for name in DURATIONS_S)
        shards = [path.read_bytes() for path in sorted(folder.glob("*.i16"))]
        assert shards == [path.read_bytes() for path in sorted((tmp_path / "whole").glob("*.i16"))]

    assert sorted(set(n_there_after)) == [0, 1, 2, 3, 4]


def test_a_torn_last_line_is_told_once_and_its_track_encoded_again(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", DURATIONS_S)
    whole, _ = fill_cache(corpus, tmp_path / "cache", StandIn())
    before = {name: whole.codes(name).copy() for name in DURATIONS_S}
    index = tmp_path / "cache" / "index.jsonl"
    index.write_bytes(index.read_bytes()[:-40])
    torn = len(index.read_bytes().rpartition(b"\n")[2])

    opened = TokenCache.open(tmp_path / "cache", card())
    cache, faults = fill_cache(corpus, tmp_path / "cache", StandIn())
    _, later = fill_cache(corpus, tmp_path / "cache", StandIn())

    assert opened.track_ids == ("a", "b", "c")
    assert [fault.kind for fault in opened.faults] == [FaultKind.TORN_LINE]
    assert [(fault.track_id, fault.kind, fault.is_kept) for fault in faults] == [
        ("line 4", FaultKind.TORN_LINE, True)
    ]
    assert f"({torn} bytes)" in faults[0].problem
    assert later == ()
    assert cache.check() == ()
    assert all(np.array_equal(cache.codes(name), before[name]) for name in DURATIONS_S)
    assert len(index.read_bytes().splitlines()) == 6


def test_a_damaged_line_that_no_kill_explains_is_refused_by_its_number(tmp_path: Path) -> None:
    fill_cache(corpus_of(tmp_path / "music", DURATIONS_S), tmp_path / "cache", StandIn())
    index = tmp_path / "cache" / "index.jsonl"
    lines = index.read_bytes().splitlines(keepends=True)
    index.write_bytes(lines[0] + lines[1][:-20] + b"\n" + b"".join(lines[2:]))

    with pytest.raises(StorageError, match=r"index\.jsonl:2: this line of the index is damaged"):
        TokenCache.open(tmp_path / "cache", card())


def test_a_changed_file_is_encoded_anew_and_a_touched_or_moved_one_is_not(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 2.0, "b": 2.0, "c": 2.0})
    first, _ = fill_cache(corpus, tmp_path / "cache", StandIn())
    old = first.codes("b").copy()
    other = corpus_of(tmp_path / "other", {"x": 1.0, "y": 2.0, "z": 2.0})
    shutil.copy(other.tracks[2].path, tmp_path / "music" / "b.wav")
    os.utime(tmp_path / "music" / "a.wav", ns=(1, 1))
    encoder = Counting()

    cache, faults = fill_cache(corpus, tmp_path / "cache", encoder)

    assert faults == ()
    assert encoder.n_encoded == 1
    assert not np.array_equal(cache.codes("b"), old)
    assert cache.entry("a").mtime_ns == 1
    moved = (tmp_path / "music").rename(tmp_path / "moved")
    again = Counting()
    fill_cache(corpus_at(moved, "a", "b", "c"), tmp_path / "cache", again)
    assert again.n_encoded == 0


def test_a_track_that_left_the_corpus_stays_and_nothing_is_encoded_for_it(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 2.0, "b": 2.0})
    fill_cache(corpus, tmp_path / "cache", StandIn())

    cache, faults = fill_cache(corpus_at(tmp_path / "music", "b"), tmp_path / "cache", Counting())

    assert faults == ()
    assert cache.track_ids == ("a", "b")


def test_a_track_that_cannot_be_read_is_named_with_the_reason_and_the_others_are_encoded(
    tmp_path: Path,
) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 2.0, "b": 35.0, "c": 2.0, "d": 1.0})
    whole = corpus.tracks[1].path.read_bytes()
    corpus.tracks[1].path.write_bytes(whole[: len(whole) * 9 // 10])
    corpus.tracks[2].path.write_text("a text")
    corpus.tracks[3].path.unlink()

    cache, faults = fill_cache(corpus, tmp_path / "cache", StandIn())

    assert cache.track_ids == ("a",)
    told = {fault.track_id: (fault.kind, fault.problem) for fault in faults}
    assert told["b"][0] == told["c"][0] == FaultKind.UNREADABLE
    assert "the file is cut off or damaged after 31.5" in told["b"][1]
    assert "cannot be read as sound" in told["c"][1]
    assert told["d"] == (FaultKind.MISSING, "its file cannot be opened (no such file or directory)")


def test_tokens_of_a_sound_that_can_no_longer_be_read_are_taken_back(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 2.0, "b": 2.0, "c": 2.0})
    fill_cache(corpus, tmp_path / "cache", StandIn())
    corpus.tracks[0].path.write_text("overwritten by a text")
    corpus.tracks[1].path.unlink()

    cache, faults = fill_cache(corpus, tmp_path / "cache", StandIn())

    assert cache.track_ids == ("b", "c")
    assert TokenCache.open(tmp_path / "cache", card()).track_ids == ("b", "c")
    assert [(fault.track_id, fault.is_kept) for fault in faults] == [("b", True), ("a", False)]
    assert faults[0].problem.endswith("the tokens of an earlier run are used")


def test_a_cache_is_filled_by_one_process_at_a_time(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "music", {"a": 1.0})

    with (
        only_filler(tmp_path / "cache"),
        pytest.raises(StorageError, match=rf"is being filled by process {os.getpid()}"),
    ):
        fill_cache(corpus, tmp_path / "cache", StandIn())

    assert fill_cache(corpus, tmp_path / "cache", StandIn())[0].track_ids == ("a",)
