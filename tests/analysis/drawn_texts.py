"""What a figure writes, and where: every line of text as the renderer is given it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure


@dataclass(frozen=True)
class DrawnText:
    """A line of text, its box in pixels from the lower left corner, and its size in points."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float

    def overlaps(self, other: DrawnText) -> bool:
        """Whether the boxes share more than the blank edge around letters."""
        across = min(self.right, other.right) - max(self.left, other.left)
        along = min(self.top, other.top) - max(self.bottom, other.bottom)
        return across > 1 and along > 2.5

    def is_inside(self, width: float, height: float) -> bool:
        """Whether the box lies within a picture of that size, but for a pixel."""
        return self.left > -1 and self.bottom > -1 and self.right < width + 1 and self.top < height + 1


class _Recorder(RendererAgg):
    texts: list[DrawnText]

    def draw_text(
        self,
        gc: Any,
        x: float,
        y: float,
        s: str,
        prop: Any,
        angle: float,
        ismath: Any = False,
        mtext: Any = None,
    ) -> None:
        measure: Callable[..., tuple[float, float, float]] = self.get_text_width_height_descent
        width, height, descent = measure(s, prop, ismath)
        y = self.height - y
        box = (x, y - descent, x + width, y - descent + height)
        if angle:
            box = (x - height + descent, y, x + descent, y + width)
        if s.strip():
            self.texts.append(DrawnText(s, *box, prop.get_size_in_points()))


def drawn_texts(figure: Figure) -> list[DrawnText]:
    """Every line of text of a figure that has been laid out."""
    make: Callable[..., _Recorder] = _Recorder
    recorder = make(int(figure.bbox.width), int(figure.bbox.height), figure.dpi)
    recorder.texts = []
    figure.draw(recorder)
    return recorder.texts
