"""How fast our loop decodes MusicGen, beside transformers' `generate` on the same random weights.

    python -m tests.benchmarks.decode --device cpu
    python -m tests.benchmarks.decode --device cuda --sizes small medium large

Both sides decode the same words (16 text tokens) with guidance 3, two rows a
clip, and end with the codes: neither a text encoder nor a codec is timed. A
clip of 30 s takes 1,503 steps. Before anything is timed, greedy codes of both
must be equal in float32, or the run ends with exit code 1; so must those of timed
greedy runs. A clip with a draw that rounding could decide either way (a near
tie) is excused.

On a CPU: float32, one thread, a decoder of width 512 with 8 layers, 8 heads
and 4 codebooks; CPU seconds of this process, which neighbours on the machine
stretch less than the clock. Repetitions alternate; the median counts.

    clips            clips in the batch, on both sides
    steps            1,503, and the first 300 of the same runs
    ours_steps_s     steps a second of our loop; a step advances every clip of the batch
    peer_steps_s     the same of transformers
    ratio            ours_steps_s / peer_steps_s
    repetitions      runs of each side

On a GPU: bfloat16, Meta's sizes, clock seconds, draws as in use (top-k 250).

    size, clips      small, medium, large; one clip, and the 30 of a 15-minute session in one batch
    attention        what our loop attends with: triton or plain
    ours_s           seconds of our loop for 1,503 steps, its graphs captured by an earlier run
    first_s          seconds of that earlier run: allocation, compiling and capture included
    steps_s          1,503 / ours_s
    gb_s             bytes an average step must read × steps_s: weights, keys and values so far
    floor_s          those bytes at the speed of a copy on this GPU (copy_gb_s, read and written)
    of_floor         floor_s / ours_s; 1 would be the physical limit
    peer_batch_s     seconds of transformers for the same clips in one batch
    peer_singly_s    clips × seconds of transformers for one clip: one is run, the rest is multiplied
    over_batch       peer_batch_s / ours_s
    over_singly      peer_singly_s / ours_s
"""

from __future__ import annotations

import argparse
import json

import torch

from generation.musicgen.memory import device_of
from tests.benchmarks.decode_cpu import measure_cpu
from tests.benchmarks.decode_floor import SHAPES
from tests.benchmarks.decode_gpu import measure_gpu

STEPS = 1_503
_FIRST_STEPS = 300


def main() -> int:
    """Print the figures and whether each bar was met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N (cpu)")
    parser.add_argument("--steps", type=int, default=STEPS, help="of every timed run (1503)")
    parser.add_argument("--sizes", nargs="+", choices=SHAPES, default=list(SHAPES), help="on a GPU (all)")
    parser.add_argument("--sampled", action="store_true", help="on a CPU: draw, instead of greedy")
    parser.add_argument(
        "--repetitions", type=int, default=1, help="on a CPU, of one clip; eight run once (1)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    device = device_of(given.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
        report = measure_cpu(given.steps, _FIRST_STEPS, not given.sampled, given.repetitions)
    else:
        report = measure_gpu(device, {size: SHAPES[size] for size in given.sizes}, given.steps)
    print(json.dumps(report.as_json()) if given.json else report.as_text())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
