"""docs/generator.md, made of docs/generator.json alone: `python -m tests.nano.card`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from study.folder import write_whole
from tests.nano import card_tables
from tests.nano.recipes import LABELLED_BY, REPORTED_BY
from tests.nano.report import DATA, FIGURE
from tests.nano.scale import SCALES

DOCS = Path(__file__).parents[2] / "docs"
TEMPLATE, PAGE = "generator.md.jinja", "generator.md"


def write_card(docs: Path = DOCS) -> None:
    """Write the page from the report beside it."""
    content = json.loads((docs / DATA).read_text(encoding="utf-8"))
    write_whole(docs / PAGE, to_markdown(content).encode())


def to_markdown(content: Mapping[str, Any]) -> str:
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
        scale=content["scale"],
        tables=card_tables,
        figures=[
            {**one, "file": f"figures/{FIGURE}{one['figure_id']}.svg"} for one in content["told"]["figures"]
        ],
        reporter=REPORTED_BY,
        other=LABELLED_BY,
        is_proof=content["scale"]["name"] == "smoke",
        gpu=SCALES["gpu"],
        made_with=", ".join(f"{name} {version}" for name, version in content["made_with"].items()),
        minutes=sum(content["seconds"].values()) / 60,
    )


if __name__ == "__main__":
    write_card()
