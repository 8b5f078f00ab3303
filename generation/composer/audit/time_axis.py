"""A session's time along a picture's edge."""

from __future__ import annotations

from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, MultipleLocator

_STEPS_S = (0.1, 0.5, 1.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0)


def mark_time(axis: Axis, length_s: float, most_marks: int = 18) -> None:
    """Round moments as minutes and seconds, tenths where the whole is that short.

    Args:
        length_s: that the axis shows.
        most_marks: at most so many.
    """
    step_s = next((step for step in _STEPS_S if length_s / step <= most_marks), 3_600.0)
    axis.set_major_locator(MultipleLocator(step_s))
    axis.set_major_formatter(FuncFormatter(lambda time_s, _: _clock(time_s, step_s)))


def _clock(time_s: float, step_s: float) -> str:
    if step_s < 1:
        return f"{time_s:.1f} s"
    whole = round(time_s)
    return f"{whole // 60}:{whole % 60:02d}"
