"""Our loop and transformers on one thread of a CPU, in turns."""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from generation.engine import Progress
from tests.benchmarks.decode_floor import meta_shape
from tests.benchmarks.decode_models import Pair, random_pair
from tests.benchmarks.figures import Bar, Report, tell

SHAPE = meta_shape(512, 8)
_CHECKED_STEPS = 50
_ASKED = {1: 1.2, 8: 2.0}


def measure_cpu(steps: int, first_steps: int, greedy: bool, repetitions: int) -> Report:
    """One clip `repetitions` times and eight once, after the codes were found equal."""
    pair = random_pair(SHAPE, torch.device("cpu"), torch.float32)
    for clips in _ASKED:
        check_equal(pair, clips, min(steps, _CHECKED_STEPS))
    report = Report(
        {
            "device": "cpu, 1 thread",
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "decoder": f"width {SHAPE.hidden_size}, {SHAPE.n_layers} layers, float32",
            "draw": "greedy" if greedy else "top-k 250",
            "greedy codes": "equal, near ties aside",
        }
    )
    for clips, asked in _ASKED.items():
        turns = repetitions if clips == 1 else 1
        runs = [_turn(pair, clips, steps, greedy) for _ in range(turns)]
        for upto in sorted({min(first_steps, steps), steps}):
            ours, peer = (median(run[side].seconds[upto - 1] for run in runs) for side in (0, 1))
            report.rows.append(
                {
                    "clips": clips,
                    "steps": upto,
                    "ours_steps_s": upto / ours,
                    "peer_steps_s": upto / peer,
                    "ratio": peer / ours,
                    "repetitions": turns,
                }
            )
        report.bars.append(Bar(f"steps a second over transformers, {_clips(clips)}", peer / ours, asked))
    return report


def check_equal(pair: Pair, clips: int, steps: int) -> None:
    """End the run where greedy codes differ and no near tie of the clip explains it."""
    tell(f"greedy codes of {_clips(clips)}, {steps} steps, on both sides")
    ours, near_ties = pair.ours(clips, steps, greedy=True, progress=lambda _share: None)
    _refuse_other_codes(ours, near_ties, pair.transformers(clips, steps, greedy=True))


def _refuse_other_codes(
    ours: NDArray[np.int16], near_ties: NDArray[np.int64], theirs: NDArray[np.int16]
) -> None:
    for clip, ties in enumerate(near_ties):
        if (ours[clip] != theirs[clip]).any() and ties == 0:
            raise SystemExit(f"clip {clip} of {len(ours)}: greedy codes differ from transformers'")


class _Stopwatch:
    """CPU seconds from its start to each step."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def start(self) -> Progress:
        """What is to be called at every step."""
        begun = time.process_time()
        return lambda _share: self.seconds.append(time.process_time() - begun)


def _turn(pair: Pair, clips: int, steps: int, greedy: bool) -> tuple[_Stopwatch, _Stopwatch]:
    watch, peer_watch = _Stopwatch(), _Stopwatch()
    ours, near_ties = pair.ours(clips, steps, greedy, watch.start())
    _tell_time("ours", clips, watch, steps)
    theirs = pair.transformers(clips, steps, greedy, peer_watch.start())
    _tell_time("transformers", clips, peer_watch, steps)
    if greedy:
        _refuse_other_codes(ours, near_ties, theirs)
    return watch, peer_watch


def _tell_time(name: str, clips: int, watch: _Stopwatch, steps: int) -> None:
    assert len(watch.seconds) == steps
    tell(f"{name}, {_clips(clips)}: {steps} steps in {watch.seconds[-1]:.1f} CPU seconds")


def _clips(number: int) -> str:
    return "1 clip" if number == 1 else f"{number} clips"
