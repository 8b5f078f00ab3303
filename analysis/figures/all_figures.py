"""Every figure of a report, by name."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.figures.blinding import blinding_image
from analysis.figures.circumplex import circumplex_images, has_paths
from analysis.figures.diagnostics import diagnostics_image
from analysis.figures.difference import difference_images
from analysis.figures.dose import dose_image
from analysis.figures.drawing import FigureImage, id_part
from analysis.figures.flow import flow_image
from analysis.figures.following import following_images
from analysis.figures.forest import forest_image
from analysis.figures.interim import interim_image
from analysis.figures.mer import mer_images
from analysis.figures.missingness import missingness_image
from analysis.figures.raincloud import raincloud_image
from analysis.figures.sessions import sessions_image
from analysis.figures.slopegraph import slopegraph_image
from analysis.figures.time_course import time_course_images
from analysis.figures.tipping import tipping_image
from analysis.figures.trajectories import trajectories_image
from analysis.results import Results
from analysis.words import ENGLISH, Words


def report_figures(results: Results, words: Words = ENGLISH) -> dict[str, FigureImage]:
    """Figures by name, in the order of a report; one for which there are no data is absent.

    Returns:
        ``flow``, ``raincloud``, ``slopegraph``, ``forest``, ``sessions``, ``interim``,
        ``diagnostics``, ``circumplex-<arm>``, ``time-course-<axis>``, ``trajectories``, ``dose``,
        ``blinding``, ``mer-<arm>``, ``following-<arm>``, ``nulls-<arm>``, ``difference-<set>-<axis>``,
        ``missingness`` and ``tipping``; the name is also the image's `figure_id`.
    """
    return {image.figure_id: image for image in _images(results, words) if image is not None}


def _images(results: Results, words: Words) -> Iterator[FigureImage | None]:
    yield flow_image(results, words)
    if any(arm["pairs"] for arm in results.changes):
        yield raincloud_image(results, words)
        yield slopegraph_image(results, words)
    rows = [row for effects in (results.primary, *results.secondary) for row in effects["contrasts"]]
    if any(row["estimate"] is not None for row in rows):
        yield forest_image(results, words)
    yield sessions_image(results, words)
    yield interim_image(results, words)
    yield diagnostics_image(results, words)
    drawn = {f"circumplex-{id_part(arm['arm'])}" for arm in results.paths if has_paths(arm)}
    yield from (image for image in circumplex_images(results, words) if image.figure_id in drawn)
    yield from time_course_images(results, words)
    yield trajectories_image(results, words)
    yield dose_image(results, words)
    yield blinding_image(results, words)
    yield from mer_images(results, words)
    yield from following_images(results, words)
    yield from difference_images(results, words)
    yield missingness_image(results, words)
    yield tipping_image(results, words)
