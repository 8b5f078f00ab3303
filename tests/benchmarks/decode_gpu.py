"""Our loop and transformers on a GPU: one clip, and a session in one batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

import torch
import transformers

from generation.musicgen.shape import DecoderShape
from tests.benchmarks.decode_cpu import check_equal
from tests.benchmarks.decode_floor import floor_s, mean_bytes_a_step, meta_shape
from tests.benchmarks.decode_models import TEXT_TOKENS, Pair, random_pair
from tests.benchmarks.figures import Bar, Report, Row, tell

SESSION_CLIPS = 30
_SESSION_S = {"small": 4.0, "medium": 13.0, "large": 18.0}
_OVER_BATCH = {"small": 4.0, "large": 2.5}
_ONE_CLIP_STEPS_S = {"small": 700.0}
_COPIED_BYTES = 4 * 2**30


def measure_gpu(
    device: torch.device, shapes: Mapping[str, DecoderShape], steps: int, session_clips: int = SESSION_CLIPS
) -> Report:
    """Every size, after the codes of a smaller decoder were found equal in float32."""
    check_equal(random_pair(meta_shape(512, 8), device, torch.float32), 3, min(steps, 100))
    copied = copy_bytes_per_s(device, _COPIED_BYTES if device.type == "cuda" else 2**26)
    report = Report(
        {
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "decoder": "bfloat16, top-k 250",
            "copy_gb_s": copied / 1e9,
            "greedy codes": "equal, near ties aside",
        }
    )
    for size, shape in shapes.items():
        pair = random_pair(shape, device, torch.bfloat16)
        # Libraries choose and load their kernels at the first call.
        pair.transformers(1, min(steps, 20), greedy=False)
        single_s = _seconds(device, partial(pair.transformers, 1, steps, greedy=False))
        tell(f"{size}: transformers, one clip, {single_s:.2f} s")
        for clips in (1, session_clips):
            row = _row(pair, size, clips, steps, copied, single_s)
            report.rows.append(row)
            report.bars.extend(_bars(row))
            tell(f"{size}, clips {clips}: {row['ours_s']:.2f} s, transformers {row['peer_batch_s']:.2f} s")
        del pair
        if device.type == "cuda":
            torch.cuda.empty_cache()
    return report


def copy_bytes_per_s(device: torch.device, n_bytes: int) -> float:
    """Bytes read and written a second by copies on the device: the ceiling every figure is held to."""
    source = torch.empty(n_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    repeats = 10
    seconds = _seconds(device, lambda: [target.copy_(source) for _ in range(repeats)])
    return 2 * n_bytes * repeats / seconds


def _row(pair: Pair, size: str, clips: int, steps: int, copied: float, single_s: float) -> Row:
    def ours() -> object:
        return pair.ours(clips, steps, greedy=False, progress=lambda _share: None)

    first_s = _seconds(pair.device, ours)
    ours_s = _seconds(pair.device, ours)
    pair.loop.release()
    peer_s = single_s
    if clips > 1:
        peer_s = _seconds(pair.device, lambda: pair.transformers(clips, steps, greedy=False))
    read = mean_bytes_a_step(pair.shape, 2 * clips, clips, TEXT_TOKENS, steps, torch.bfloat16)
    least_s = floor_s(read, steps, copied)
    return {
        "size": size,
        "clips": clips,
        "steps": steps,
        "attention": pair.loop.attention,
        "ours_s": ours_s,
        "first_s": first_s,
        "steps_s": steps / ours_s,
        "gb_s": read * steps / ours_s / 1e9,
        "floor_s": least_s,
        "of_floor": least_s / ours_s,
        "peer_batch_s": peer_s,
        "peer_singly_s": single_s * clips,
        "over_batch": peer_s / ours_s,
        "over_singly": single_s * clips / ours_s,
    }


def _bars(row: Row) -> list[Bar]:
    size, clips = str(row["size"]), row["clips"]
    if row["clips"] == 1:
        figures = [("steps a second", "steps_s", _ONE_CLIP_STEPS_S, True)]
    else:
        figures = [
            ("seconds", "ours_s", _SESSION_S, False),
            ("times transformers in one batch", "over_batch", _OVER_BATCH, True),
        ]
    return [
        Bar(f"{name}, {size}, clips {clips}", float(row[column]), asked[size], at_least)
        for name, column, asked, at_least in figures
        if size in asked
    ]


def _seconds(device: torch.device, run: Callable[[], object]) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    begun = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begun
