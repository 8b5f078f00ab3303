"""docs/mer.md and its pictures, made of docs/mer.json alone: `python -m tests.listening.card [--words]`.

With --words, the sentences of the predictors' cards (limits, licences, spread, familiar music) are taken anew
first: they say nothing that was measured by listening. Where weights or versions differ, that is refused.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analysis.mer.combined import NAME as COMBINED
from analysis.mer.predictor import PredictorCard
from analysis.mer.registry import EMBEDDED, load_predictor
from study.errors import ModelError
from study.folder import write_whole
from tests.listening import card_tables, knob_tables
from tests.listening.drawings import figures_of, shown_half, title_of
from tests.listening.hearing import combined_card

DOCS = Path(__file__).parents[2] / "docs"
TEMPLATE = "mer.md.jinja"

Content = Mapping[str, Any]


def own_cards() -> dict[str, PredictorCard]:
    """Of the embedded predictors and of their combination."""
    return {**{name: load_predictor(name).card for name in EMBEDDED}, COMBINED: combined_card()}


def as_json(content: Content) -> str:
    """As docs/mer.json is written."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def write_card(docs: Path = DOCS) -> None:
    """Write the page and its pictures from docs/mer.json."""
    content = json.loads((docs / "mer.json").read_text(encoding="utf-8"))
    folder = docs / "figures"
    folder.mkdir(exist_ok=True)
    for image in figures_of(content):
        write_whole(folder / f"{image.figure_id}.svg", image.svg.encode())
    write_whole(docs / "mer.md", to_markdown(content).encode())


def reworded(content: Content, cards: Mapping[str, PredictorCard]) -> dict[str, Any]:
    """The content with the sentences of these cards.

    Raises:
        ModelError: a card is of other weights or another version.
    """
    predictors = dict(content["predictors"])
    for name, card in cards.items():
        now = json.loads(json.dumps(asdict(card)))
        for key in ("version", "weights_sha256"):
            if predictors[name][key] != now[key]:
                raise ModelError(
                    f"docs/mer.json: {name}",
                    f"its figures are of another {key}",
                    "hear everything anew: make validate-mer",
                )
        predictors[name] = now
    return {**content, "predictors": predictors}


def to_markdown(content: Content) -> str:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, of our own figures
    )
    cards = list(content["predictors"].items())
    return environment.get_template(TEMPLATE).render(
        content=content,
        half=shown_half(content),
        compared=next((name for name in content["predictors"] if name not in card_tables.OWN), None),
        tables=card_tables,
        knobs=knob_tables,
        title_of=title_of,
        limits=_whose((limit, name) for name, card in cards for limit in card["limits"]),
        spreads=_whose((card["spread"], name) for name, card in cards),
        domains=_whose((card["domain"], name) for name, card in cards if card["domain"]),
        versions="; ".join(f"`{name}` ({card['version']})" for name, card in cards),
        made_with=", ".join(f"{name} {version}" for name, version in content["made_with"].items()),
    )


def _whose(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each text once, and of which predictors it is told."""
    names: dict[str, list[str]] = {}
    for text, name in texts:
        names.setdefault(text, []).append(f"`{name}`")
    return {text: ", ".join(own) for text, own in names.items()}


def main() -> None:
    """Write the page; take the words of the predictors anew where that is asked."""
    if "--words" in sys.argv[1:]:
        path = DOCS / "mer.json"
        content = reworded(json.loads(path.read_text(encoding="utf-8")), own_cards())
        write_whole(path, as_json(content).encode())
    write_card()


if __name__ == "__main__":
    main()
