"""The report's section on where the music led and where people went."""

from __future__ import annotations

from analysis.report.agreement import predictor_limits
from analysis.report.blocks import Block, Bullets, Heading, Pictures, Section, Text
from analysis.report.participants import Images
from analysis.report.rows import rows_table
from analysis.results import Results
from analysis.words import Words


def paths_section(results: Results, words: Words, images: Images) -> Section:
    """Planned, generated and felt on the circumplex and over time, and the slopes of reports."""
    drawn = [
        Pictures(found)
        for prefix in ("circumplex-", "time-course-")
        if (found := tuple(image for name, image in images.items() if name.startswith(prefix)))
    ]
    blocks: list[Block] = [Text(words.text("paths.said" if drawn else "paths.none")), *drawn]
    if results.provenance["predictors"]:
        blocks += [Text(words.text("paths.limits")), Bullets(predictor_limits(results, words))]
    if results.trajectories:
        blocks += [
            Heading(words.text("trajectories.heading")),
            Text(words.text("trajectories.said")),
            rows_table(words.text("trajectories.caption"), results.trajectories, words),
        ]
    if "trajectories" in images:
        blocks.append(Pictures((images["trajectories"],), wide=True))
    return Section("paths", words.text("paths.heading"), tuple(blocks))
