"""An evaluation as files: one HTML page that needs nothing else, JSON, Markdown and figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from analysis.figures.drawing import FigureImage
from analysis.generator.evaluation import INTERVAL, Evaluation
from analysis.generator.markdown import render_markdown
from analysis.generator.pictures import evaluation_images
from analysis.generator.sentences import (
    asked_words,
    ceiling_words,
    claim_sentences,
    counted_words,
    mark_words,
)
from analysis.generator.tabulated import (
    ceiling_table,
    difference_table,
    fault_table,
    quality_table,
    score_tables,
)
from study.canonical import plain
from study.errors import StorageError
from study.folder import write_whole

PAGE, DATA, TEXT, FIGURES = "evaluation.html", "evaluation.json", "evaluation.md", "figures"


def write_page(evaluation: Evaluation, folder: Path) -> tuple[Path, ...]:
    """Write page, JSON, Markdown and figures, each whole or not at all.

    Args:
        folder: made where it is not there.

    Returns:
        What was written, the page first.

    Raises:
        StorageError: the folder cannot be written.
    """
    try:
        (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StorageError(
            str(folder), f"cannot be made ({problem.strerror})", "name a folder that can be written"
        ) from problem
    images = evaluation_images(evaluation)
    data = json.dumps(evaluation.to_json(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    contents = {
        folder / PAGE: render_page(evaluation, images).encode(),
        folder / DATA: data.encode(),
        folder / TEXT: render_markdown(evaluation).encode(),
    }
    for image in images:
        contents[folder / FIGURES / f"{image.figure_id}.svg"] = _standing_alone(image).encode()
        contents[folder / FIGURES / f"{image.figure_id}.png"] = image.png(200)
    for path, content in contents.items():
        write_whole(path, content)
    return tuple(contents)


def render_page(evaluation: Evaluation, images: Sequence[FigureImage]) -> str:
    """One HTML file: styles and pictures inside, no script, no request to anywhere."""
    found = evaluation.to_json()
    return _template().render(
        name=evaluation.heard.grid.name,
        lead=asked_words(evaluation),
        ceilings=[ceiling_words(evaluation, one) for one in evaluation.ceilings],
        ceiling_table=ceiling_table(evaluation),
        claims=claim_sentences(evaluation),
        counted=counted_words(evaluation),
        tables=score_tables(evaluation),
        marks=mark_words(evaluation),
        differences=difference_table(evaluation),
        quality=quality_table(evaluation),
        faults=fault_table(evaluation),
        grid_faults=evaluation.heard.grid.faults,
        images=images,
        systems=[_system(one) for one in found["systems"]],
        predictors=[plain(card) for card in evaluation.heard.predictors],
        interval=INTERVAL,
        n_bootstrap=evaluation.n_bootstrap,
        seed=evaluation.seed,
        measures=found["method"]["measures"],
        made_with=found["asked"]["made_with"],
    )


def _system(one: dict[str, Any]) -> dict[str, Any]:
    """A system's facts as term and description, those that are empty left out."""
    lost = ", ".join(f"{n} {kind}" for kind, n in one["faults"].items())
    heard = f"{one['n_heard']} of {one['n_clips']} clips" + (f" ({lost})" if lost else "")
    facts = {
        "role": one["role"],
        "engine": one["engine"],
        "options": ", ".join(f"{name}: {value}" for name, value in one["options"].items()),
        "models": ", ".join(f"{name}: {value}" for name, value in one["models"].items()),
        "licences": ", ".join(f"{name}: {value}" for name, value in one["licences"].items()),
        "heard": heard,
        "notes": " ".join(one["notes"]),
    }
    return {"title": one["title"], "facts": {name: told for name, told in facts.items() if told}}


def _standing_alone(image: FigureImage) -> str:
    """The SVG as a file of its own."""
    svg = image.svg
    if "xmlns=" not in svg.split(">", 1)[0]:
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{svg}'


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = resources.files("analysis.generator").joinpath("templates/evaluation.html.j2")
    return environment.from_string(source.read_text("utf-8"))
