"""Which clips make a session: where each begins, how long it is and what it aims at.

Everything is counted in codec frames, so that neighbours meet to the sample.

`parallel`: clips of one length, spread evenly, each overlapping the next by 4
to 5 s where there are several: room for a crossfade of 2 to 4 s at the least
audible moment, for a shift that makes beats meet, and for the end of the
earlier clip that is better not heard.

`chained`: one stream of frames. The first clip begins it; every further one is
given the stream's last `prefix_s` and adds a part of its own.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from generation.clips.options import ClipOptions
from generation.planned_affect import planned_mean
from study.affect import Affect
from study.errors import ModelError, OutOfRange
from study.session import SessionPlan

SHORTEST_SESSION_S = 1.0
SHORTEST_PART_S = 8.5
"""A clip's own part is at least so long: below, crossfades would touch and nothing would be music."""

LEAST_OVERLAP_S = 4.0
MOST_OVERLAP_S = 5.0
LARGEST_SHIFT_S = 0.4
NOISY_END_S = 0.5
"""EnCodec decodes the end of a clip with noise (transformers issue 25277): made, and not heard."""

_SPARE_S = LARGEST_SHIFT_S + NOISY_END_S


@dataclass(frozen=True)
class Window:
    """One clip's place in a session.

    Args:
        onset_s: where it begins to be its own: a chained clip's prefix lies before.
        duration_s: from there to the clip's end, or to the session's where that is earlier.
        first_frame: the same onset in codec frames.
        n_frames: to generate, prefix included; a last clip reaches past the session's end
            where its model allows, so that its noisy end is not heard.
        prefix_frames: how many of them are given.
        own_from_s, own_until_s: the part where this clip and no other leads; these parts
            tile the session.
        affect: mean of the path over that part.
    """

    onset_s: float
    duration_s: float
    first_frame: int
    n_frames: int
    prefix_frames: int
    own_from_s: float
    own_until_s: float
    affect: Affect


def clip_seed(plan_seed: int, window: int, candidate: int) -> int:
    """The 63-bit seed of one attempt at one window, by SHA-256 of the three numbers."""
    digest = hashlib.sha256(f"{plan_seed}/{window}/{candidate}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def check_plan(plan: SessionPlan) -> None:
    """Refuse what no clips can be made for, whatever the model.

    Raises:
        OutOfRange: no planned affect, or less than a second of music; names the session.
    """
    session = f"{plan.participant_id} {plan.session_id}"
    if not plan.path.has_affect:
        raise OutOfRange(session, f"a {plan.path.kind} path has no planned affect", "plan an arm with music")
    if not plan.duration_s >= SHORTEST_SESSION_S:
        raise OutOfRange(
            session,
            f"{plan.duration_s:g} s is no length for clips of music",
            f"plan {SHORTEST_SESSION_S:g} s or more",
        )


def schedule(
    plan: SessionPlan, options: ClipOptions, longest_s: float, frame_rate_hz: int
) -> tuple[Window, ...]:
    """The windows of a session, in order; together they cover exactly its duration.

    Args:
        options: `mode` and `prefix_s` count.
        longest_s, frame_rate_hz: the model's.

    Raises:
        OutOfRange: no planned affect, less than a second of music, or a prefix that
            leaves the model no room.
        ModelError: its clips are too short to be joined.
    """
    check_plan(plan)
    heard = math.ceil(round(plan.duration_s * frame_rate_hz, 6))
    longest = math.floor(longest_s * frame_rate_hz)
    if options.mode == "chained":
        return _chained(plan, options, heard, longest, frame_rate_hz)
    return _parallel(plan, heard, longest, frame_rate_hz)


def _parallel(plan: SessionPlan, heard: int, longest: int, rate: int) -> tuple[Window, ...]:
    least, most = round(LEAST_OVERLAP_S * rate), round(MOST_OVERLAP_S * rate)
    length = min(longest, round(max(plan.clip_s, SHORTEST_PART_S) * rate) + least)
    total = heard + math.ceil(_SPARE_S * rate)
    if heard <= length:
        return _windows(plan, [0], [min(total, longest)], [0, heard], 0, rate)
    if length < round(SHORTEST_PART_S * rate) + least:
        raise ModelError(
            "engine.options.model",
            f"its clips of at most {longest / rate:g} s are too short to be joined",
            f"use a model whose clips last {SHORTEST_PART_S + LEAST_OVERLAP_S:g} s or more",
        )
    count = math.ceil((total - least) / (length - least))
    length = min(length, math.ceil((total + (count - 1) * most) / count))
    firsts = [k * (total - length) // (count - 1) for k in range(count)]
    meets = [(first + before + length) // 2 for before, first in itertools.pairwise(firsts)]
    return _windows(plan, firsts, [length] * count, [0, *meets, heard], 0, rate)


def _chained(
    plan: SessionPlan, options: ClipOptions, heard: int, longest: int, rate: int
) -> tuple[Window, ...]:
    prefix, part, shortest = (
        round(seconds * rate)
        for seconds in (options.prefix_s, max(plan.clip_s, SHORTEST_PART_S), SHORTEST_PART_S)
    )
    # The first clip must hold a whole prefix for the second, and leave it a part worth making.
    most_first, most_further = min(longest, max(part, prefix + shortest)), min(longest - prefix, part)
    total = heard + math.ceil(NOISY_END_S * rate)
    if heard <= most_first:
        return _windows(plan, [0], [min(total, longest)], [0, heard], 0, rate)
    if most_further < shortest:
        raise OutOfRange(
            "engine.options.prefix_s",
            f"{options.prefix_s:g} s leave less than {SHORTEST_PART_S:g} s of a clip of {longest / rate:g} s",
            "give less of the clip before, or use mode parallel",
        )
    further = math.ceil((total - most_first) / most_further)
    even = math.ceil(total / (further + 1))
    first = max(min(even, most_first), prefix, total - further * most_further)
    ends = [first + k * (total - first) // further for k in range(further + 1)]
    sizes = [first, *(end - begin + prefix for begin, end in itertools.pairwise(ends))]
    firsts = [0, *ends[:-1]]
    return _windows(plan, firsts, sizes, [*firsts, heard], prefix, rate)


def _windows(
    plan: SessionPlan,
    firsts: Sequence[int],
    sizes: Sequence[int],
    bounds: Sequence[int],
    prefix: int,
    rate: int,
) -> tuple[Window, ...]:
    """Windows from their first own frames, their sizes with the prefix, and where their own parts meet."""
    owns = [min(bound / rate, plan.duration_s) for bound in bounds]
    found: list[Window] = []
    for k, (first, n_frames) in enumerate(zip(firsts, sizes, strict=True)):
        given = prefix if k else 0
        end_s = min((first + n_frames - given) / rate, plan.duration_s)
        found.append(
            Window(
                onset_s=first / rate,
                duration_s=end_s - first / rate,
                first_frame=first,
                n_frames=n_frames,
                prefix_frames=given,
                own_from_s=owns[k],
                own_until_s=owns[k + 1],
                affect=planned_mean(plan.path, owns[k], owns[k + 1]),
            )
        )
    return tuple(found)
