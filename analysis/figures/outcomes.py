"""The outcome's figures by the names that pages ask for."""

from __future__ import annotations

from analysis.figures.difference import difference_images
from analysis.figures.forest import forest_image
from analysis.figures.slopegraph import slopegraph_image as change_image

__all__ = ["change_image", "difference_images", "forest_image"]
