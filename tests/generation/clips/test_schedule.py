"""Clips cover a session exactly, whatever it lasts and however long the protocol's clips are."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.clips.options import ClipOptions
from generation.clips.schedule import (
    LARGEST_SHIFT_S,
    LEAST_OVERLAP_S,
    NOISY_END_S,
    SHORTEST_PART_S,
    Window,
    clip_seed,
    schedule,
)
from study.errors import ModelError, OutOfRange
from study.path import PathKind
from tests.generation.clips.plans import plan_of

RATE = 50
PARALLEL = ClipOptions("any", mode="parallel")
CHAINED = ClipOptions("any", mode="chained", prefix_s=10.0)


def windows_of(duration_s: float, clip_s: float = 30.0, options: ClipOptions = PARALLEL) -> list[Window]:
    return list(schedule(plan_of(duration_s, clip_s=clip_s), options, 30.0, RATE))


durations = st.floats(1.0, 7200.0)
clip_lengths = st.floats(0.5, 120.0)
longest = st.floats(12.5, 60.0)


@given(durations, clip_lengths, longest)
@settings(deadline=None)
def test_parallel_windows_cover_the_session_with_enough_overlap(
    duration_s: float, clip_s: float, longest_s: float
) -> None:
    plan = plan_of(duration_s, clip_s=clip_s)

    windows = schedule(plan, PARALLEL, longest_s, RATE)

    assert windows[0].onset_s == 0.0
    assert windows[-1].onset_s + windows[-1].duration_s == pytest.approx(duration_s)
    assert max(window.n_frames for window in windows) <= longest_s * RATE
    assert len({window.n_frames for window in windows}) == 1
    assert windows[-1].first_frame + windows[-1].n_frames >= duration_s * RATE - 1e-6
    for before, after in itertools.pairwise(windows):
        overlap = before.first_frame + before.n_frames - after.first_frame
        assert overlap >= LEAST_OVERLAP_S * RATE
    for before, after in zip(windows, windows[2:], strict=False):
        # Three clips never sound at once, not even where one was moved.
        end = before.first_frame + before.n_frames - NOISY_END_S * RATE
        assert after.first_frame - LARGEST_SHIFT_S * RATE >= end


@given(durations, clip_lengths, longest, st.floats(8.0, 12.0))
@settings(deadline=None)
def test_chained_windows_continue_one_another_without_a_gap(
    duration_s: float, clip_s: float, longest_s: float, prefix_s: float
) -> None:
    plan = plan_of(duration_s, clip_s=clip_s)
    options = ClipOptions("any", mode="chained", prefix_s=prefix_s)
    longest_s += SHORTEST_PART_S

    windows = schedule(plan, options, longest_s, RATE)

    assert (windows[0].first_frame, windows[0].prefix_frames) == (0, 0)
    assert max(window.n_frames for window in windows) <= longest_s * RATE
    for before, after in itertools.pairwise(windows):
        end = before.first_frame + before.n_frames - before.prefix_frames
        assert after.first_frame == end
        assert after.prefix_frames == round(prefix_s * RATE) <= end
    last = windows[-1]
    assert last.first_frame + last.n_frames - last.prefix_frames >= duration_s * RATE - 1e-6
    assert last.onset_s + last.duration_s == pytest.approx(duration_s)


@given(durations, clip_lengths, st.sampled_from([PARALLEL, CHAINED]))
@settings(deadline=None)
def test_own_parts_tile_the_session_and_none_is_a_scrap(
    duration_s: float, clip_s: float, options: ClipOptions
) -> None:
    windows = windows_of(duration_s, clip_s, options)

    assert windows[0].own_from_s == 0.0
    assert windows[-1].own_until_s == pytest.approx(duration_s, abs=1e-6)
    for before, after in itertools.pairwise(windows):
        assert before.own_until_s == after.own_from_s
    shortest = min(window.own_until_s - window.own_from_s for window in windows)
    assert len(windows) == 1 or shortest >= 4.0


def test_a_quarter_of_an_hour_of_half_minute_clips() -> None:
    windows = windows_of(900.0)

    assert len(windows) == 35
    assert {window.n_frames for window in windows} == {1500}
    assert windows[-1].onset_s == 870.9
    assert windows[-1].duration_s == pytest.approx(29.1)


def test_a_quarter_of_an_hour_chained_adds_twenty_seconds_at_a_time() -> None:
    windows = windows_of(900.0, options=CHAINED)

    assert len(windows) == 45
    assert windows[0].n_frames <= 1500
    assert {window.prefix_frames for window in windows[1:]} == {500}
    assert max(window.n_frames for window in windows) == 1500


def test_a_short_session_is_one_clip_whose_noisy_end_lies_beyond_it() -> None:
    for options in (PARALLEL, CHAINED):
        (window,) = windows_of(20.0, options=options)

        assert window.n_frames >= 20.5 * RATE
        assert (window.onset_s, window.duration_s) == (0.0, 20.0)


def test_each_clip_aims_at_the_mean_of_the_part_where_it_leads() -> None:
    first, *_, last = windows_of(60.0, clip_s=10.0)

    # The path is held at (-0.6, 0.6) for 7.5 s, then moves by 0.4 in 15 s.
    assert first.own_until_s < 15.0
    assert first.affect.valence == pytest.approx(
        -0.6 + 0.4 / 15 * (first.own_until_s - 7.5) ** 2 / 2 / first.own_until_s, abs=1e-3
    )
    assert last.affect.arousal == pytest.approx(-first.affect.arousal, abs=0.03)


def test_seeds_differ_by_plan_window_and_candidate_and_are_63_bit() -> None:
    seeds = {clip_seed(plan, window, take) for plan in (1, 11) for window in (1, 11) for take in (0, 1)}

    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)
    # printf '1/0/0' | sha256sum begins with these 16 digits; the seed is their upper 63 bits.
    assert clip_seed(1, 0, 0) == 0x6CBA450AF1DB9058 >> 1


def test_what_has_no_affect_or_no_length_is_refused_by_session() -> None:
    with pytest.raises(OutOfRange, match=r"sub-01 ses-01: a silence path has no planned affect"):
        schedule(plan_of(kind=PathKind.SILENCE), PARALLEL, 30.0, RATE)
    with pytest.raises(OutOfRange, match=r"sub-01 ses-01: 0\.5 s is no length"):
        schedule(plan_of(0.5), PARALLEL, 30.0, RATE)


def test_a_model_whose_clips_leave_no_room_is_refused() -> None:
    with pytest.raises(ModelError, match="too short to be joined"):
        schedule(plan_of(60.0), PARALLEL, 10.0, RATE)
    with pytest.raises(OutOfRange, match=r"engine\.options\.prefix_s: 10 s leave less than 8\.5 s"):
        schedule(plan_of(60.0), CHAINED, 15.0, RATE)
