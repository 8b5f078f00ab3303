"""The report's section on the blind: what people guessed of their arm, and the indices made of it."""

from __future__ import annotations

from analysis.report.blocks import Block, Pictures, Section, Table, Text
from analysis.report.participants import Images
from analysis.report.rows import rows_table
from analysis.results import Results
from analysis.words import Words


def blinding_section(results: Results, words: Words, images: Images) -> Section:
    """Guesses by arm, the indices, and their picture."""
    heading = words.text("blinding.heading")
    if not results.blinding.get("rows"):
        return Section("blinding", heading, (Text(words.text("blinding.nobody")),))
    blocks: list[Block] = [
        Text(words.text("blinding.said")),
        guess_table(results, words),
        rows_table(words.text("blinding.indices"), results.blinding["rows"], words),
    ]
    if "blinding" in images:
        blocks.append(Pictures((images["blinding"],)))
    return Section("blinding", heading, tuple(blocks))


def guess_table(results: Results, words: Words) -> Table:
    """People by the arm they were in and the arm they guessed."""
    arms = results.blinding["arms"]
    rows = tuple(
        (
            arm["label"],
            *(str(guess["people"]) for guess in arm["guesses"]),
            str(arm["unknown"]),
            str(arm["unanswered"]),
        )
        for arm in arms
    )
    columns = (
        words.text("blinding.arm"),
        *(words.text("blinding.guessed", arm=arm["label"]) for arm in arms),
        words.text("blinding.unknown"),
        words.text("blinding.unanswered"),
    )
    return Table(words.text("blinding.caption"), columns, rows)
