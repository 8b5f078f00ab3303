"""docs/mer.md and its pictures, made of docs/mer.json alone: `python -m tests.listening.card`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from study.folder import write_whole
from tests.listening import card_tables
from tests.listening.drawings import figures_of, shown_half, title_of

DOCS = Path(__file__).parents[2] / "docs"
TEMPLATE = "mer.md.jinja"

Content = Mapping[str, Any]


def write_card(docs: Path = DOCS) -> None:
    """Write the page and its pictures from docs/mer.json."""
    content = json.loads((docs / "mer.json").read_text(encoding="utf-8"))
    folder = docs / "figures"
    folder.mkdir(exist_ok=True)
    for image in figures_of(content):
        write_whole(folder / f"{image.figure_id}.svg", image.svg.encode())
    write_whole(docs / "mer.md", to_markdown(content).encode())


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


if __name__ == "__main__":
    write_card()
