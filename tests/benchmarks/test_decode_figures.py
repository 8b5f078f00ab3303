"""The benchmark's floor is that of the calculation it is judged by; its bars say met or missed."""

from __future__ import annotations

import pytest
import torch

from tests.benchmarks.decode_floor import SHAPES, floor_s, mean_bytes_a_step, weights_read_bytes
from tests.benchmarks.figures import Bar, Report

pytestmark = pytest.mark.torch


# Two bytes a number, 30 clips with guidance, 16 text tokens, 1,503 steps; worked by hand:
# small: 24 × 14 × 1024² + 8192 × 1024 numbers of weights, 98,304 × 60 × 752 bytes of cache and
# 98,304 × 60 × 16 of text.
@pytest.mark.parametrize(
    ("size", "weights_gb", "mean_gb", "session_s"),
    [("small", 0.72, 5.25, 2.63), ("medium", 3.20, 16.8, 8.4), ("large", 5.67, 23.8, 11.9)],
)
def test_the_floor_of_a_session_is_bytes_over_bandwidth(
    size: str, weights_gb: float, mean_gb: float, session_s: float
) -> None:
    shape = SHAPES[size]

    # With keys and values of the text for the null rows too, which that table counts and ours do not read.
    mean = mean_bytes_a_step(shape, 60, 60, 16, 1_503, torch.bfloat16)

    assert weights_read_bytes(shape, torch.bfloat16) / 1e9 == pytest.approx(weights_gb, rel=5e-3)
    assert mean / 1e9 == pytest.approx(mean_gb, rel=3e-3)
    assert floor_s(mean, 1_503, 3.0e12) == pytest.approx(session_s, rel=5e-3)


@pytest.mark.parametrize(("size", "seconds"), [("small", 0.44), ("medium", 1.83), ("large", 3.14)])
def test_the_floor_of_one_clip_is_nearly_all_weights(size: str, seconds: float) -> None:
    mean = mean_bytes_a_step(SHAPES[size], 2, 1, 16, 1_503, torch.bfloat16)

    assert floor_s(mean, 1_503, 3.0e12) == pytest.approx(seconds, rel=1e-2)


def test_a_step_reads_nothing_of_rows_that_are_not_there() -> None:
    shape = SHAPES["small"]

    assert mean_bytes_a_step(shape, 0, 0, 16, 1_503, torch.bfloat16) == weights_read_bytes(
        shape, torch.bfloat16
    )


def test_a_bar_says_whether_it_was_met() -> None:
    assert Bar("session of small, s", 3.9, 4.0, at_least=False).sentence() == (
        "session of small, s: 3.90, at most 4 asked: met"
    )
    assert Bar("batch 8 over transformers", 1.96, 2.0).sentence() == (
        "batch 8 over transformers: 1.96, at least 2 asked: missed"
    )


def test_a_report_is_a_table_with_its_bars_below() -> None:
    report = Report({"device": "cpu"}, [{"clips": 1, "ratio": 1.5}], [Bar("ratio", 1.5, 2.0)])

    assert report.as_text().splitlines() == [
        "device: cpu",
        "clips  ratio",
        "    1   1.50",
        "ratio: 1.50, at least 2 asked: missed",
    ]
    assert report.as_json()["bars"] == [{"sentence": "ratio: 1.50, at least 2 asked: missed", "met": False}]
