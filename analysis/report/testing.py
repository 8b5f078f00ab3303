"""The report's section on what was tested: the ledger and the interim looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.report.blocks import Block, Bullets, Heading, Pictures, Section, Table, Text
from analysis.report.design import endpoint_label
from analysis.report.participants import Images
from analysis.report.sentences import interim_sentences
from analysis.results import Results
from analysis.words import Words


def testing_section(results: Results, words: Words, images: Images) -> Section:
    """Every confirmatory test in order, and the looks before the end."""
    blocks: list[Block] = []
    if results.ledger:
        blocks.append(ledger_table(results, words))
    else:
        blocks.append(Text(words.text("outcome.no_contrast")))
    blocks.append(Heading(words.text("interim.heading")))
    if results.interim is None:
        blocks.append(Text(words.text("interim.none")))
    else:
        blocks += _interim(results.interim, words)
    if "interim" in images:
        blocks.append(Pictures((images["interim"],), wide=True))
    return Section("testing", words.text("ledger.heading"), tuple(blocks))


def ledger_table(results: Results, words: Words) -> Table:
    """Every confirmatory test in order."""
    study = results.study
    rows = tuple(
        (
            _test_name(results, entry, words),
            str(entry["order"]),
            words.p_text(entry["p_value"]),
            words.p_text(entry["adjusted_p"]),
            words.marked(entry["decision"]),
        )
        for entry in results.ledger
    )
    names = ("test", "order", "p", "adjusted_p", "decision")
    return Table(
        words.text("ledger.caption"),
        tuple(words.text(f"ledger.{name}") for name in names),
        rows,
        words.text(
            "ledger.note",
            rule=words.name("multiplicity", study["multiplicity"]),
            alpha=words.number(study["alpha"], 2, True),
        ),
    )


def _test_name(results: Results, entry: Mapping[str, Any], words: Words) -> str:
    """Endpoint, contrast and aim."""
    for effects in (results.primary, *results.secondary):
        for row in effects["contrasts"]:
            if row["row_id"] == entry["row_id"]:
                endpoint = endpoint_label(effects["endpoint"], words)
                return f"{endpoint}: {row['label']} ({words.name('aim', entry['aim'])})"
    return words.marked(entry["test"])


def _interim(interim: Mapping[str, Any], words: Words) -> list[Block]:
    rows = tuple(
        (
            str(look["look"]),
            words.number(look["information"], 2, True),
            words.number(look["taken_information"], 2, True),
            words.number(look["boundary_z"], 3),
            words.p_text(look["nominal_p"]),
            words.number(look["alpha_spent"], 4, True),
            words.text("interim.taken" if look["taken"] else "interim.not_taken"),
            words.number(look["statistic_z"], 3),
        )
        for look in interim["looks"]
    )
    names = ("look", "information", "reached", "boundary", "nominal_p", "spent", "when", "statistic")
    note = words.text(
        "interim.note",
        spending=words.name("spending", interim["spending"]),
        alpha=words.number(interim["alpha"], 2, True),
        final=words.number(interim["final_nominal_alpha"], 4, True),
    )
    return [
        Bullets(tuple(interim_sentences(interim, words))),
        Table(
            words.text("interim.caption"),
            tuple(words.text(f"interim.{name}") for name in names),
            rows,
            f"{note} {words.marked(interim['note'])}".strip(),
        ),
    ]
