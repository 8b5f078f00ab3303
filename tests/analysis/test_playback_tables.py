"""A player's log as tables: heard, muted and hidden seconds of session and clip, and every line."""

from __future__ import annotations

import pytest

from study.events import PlaybackLogged, PlayerEntry, PlayerEntryKind
from tests.analysis.made_study import MadeStudy
from tests.analysis.test_tables import allocated, tables_of

LINES = (
    (PlayerEntryKind.LOADED, 0, 0.0, (), "sha256"),
    (PlayerEntryKind.PLAY, 1000, 0.0, (), None),
    (PlayerEntryKind.VOLUME, 11_000, 10.0, (0.0,), None),
    (PlayerEntryKind.VOLUME, 21_000, 20.0, (0.8,), None),
    (PlayerEntryKind.HIDDEN, 26_000, 25.0, (), None),
    (PlayerEntryKind.VISIBLE, 36_000, 35.0, (), None),
    (PlayerEntryKind.RATING, 37_000, 36.0, (0.5, -0.25), None),
    (PlayerEntryKind.STALL, 41_000, 40.0, (), None),
    (PlayerEntryKind.RESUME, 43_500, 40.0, (), None),
    (PlayerEntryKind.STOP, 48_500, 45.0, (), "distress"),
)


def logged() -> MadeStudy:
    study = allocated()
    entries = tuple(PlayerEntry(n, *line) for n, line in enumerate(LINES))
    study.add(PlaybackLogged("one", entries[:4]), "sub-1", "ses-01")
    study.add(PlaybackLogged("one", entries[4:]), "sub-1", "ses-01")
    return study


def test_a_session_tells_what_was_heard_muted_and_hidden() -> None:
    session = tables_of(logged()).sessions.iloc[0]

    assert (session["heard_s"], session["muted_s"], session["hidden_s"]) == (35.0, 10.0, 10.0)
    assert session["heard_share"] == pytest.approx(35 / 240)
    assert (session["pauses"], session["stalls"], session["ratings"]) == (0, 1, 1)
    assert session["longest_gap_s"] == 2.5
    assert (session["started"], session["completed"], session["stop_reason"]) == (True, False, "distress")


def test_a_clip_tells_its_own_seconds() -> None:
    clips = tables_of(logged()).clips

    assert list(clips["heard_s"][:3]) == [20.0, 15.0, 0.0]
    assert list(clips["muted_s"][:3]) == [10.0, 0.0, 0.0]
    assert list(clips["hidden_s"][:3]) == [5.0, 5.0, 0.0]


def test_every_line_of_a_log_is_a_row_with_what_belongs_to_it() -> None:
    playback = tables_of(logged()).playback.set_index("player_line")

    assert list(playback["action"]) == [str(kind) for kind, *_ in LINES]
    assert list(playback["player_s"]) == [at_ms / 1000 for _, at_ms, *_ in LINES]
    assert playback["volume"].dropna().to_dict() == {2: 0.0, 3: 0.8}
    assert tuple(playback.loc[6, ["valence", "arousal"]]) == (0.5, -0.25)
    assert (playback.loc[9, "reason"], playback.loc[0, "detail"]) == ("distress", "sha256")


def test_a_page_that_only_loaded_its_file_has_not_started() -> None:
    study = allocated()
    loaded = PlayerEntry(0, PlayerEntryKind.LOADED, 0, 0.0)
    study.add(PlaybackLogged("one", (loaded,)), "sub-1", "ses-01")

    assert not tables_of(study).sessions.iloc[0]["started"]
