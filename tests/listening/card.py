"""docs/mer.md and its pictures, made of docs/mer.json alone: `python -m tests.listening.card`."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    return environment.get_template(TEMPLATE).render(
        content=content,
        half=shown_half(content),
        compared=next((name for name in content["predictors"] if name not in card_tables.OWN), None),
        tables=card_tables,
        title_of=title_of,
        limits=_limits(content),
        made_with=", ".join(f"{name} {version}" for name, version in content["made_with"].items()),
    )


def _limits(content: Content) -> dict[str, str]:
    """Each limit once, and whose it is."""
    by_limit: dict[str, list[str]] = {}
    for name, card in content["predictors"].items():
        for limit in card["limits"]:
            by_limit.setdefault(limit, []).append(f"`{name}`")
    return {limit: ", ".join(names) for limit, names in by_limit.items()}


if __name__ == "__main__":
    write_card()
