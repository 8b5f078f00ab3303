"""The card beside an adapter or a model: what it is, of what it was made, and what it must not be used for.

Its form is Hugging Face's (front matter between dashes, then Markdown), its sections those of Mitchell et al.
(2019, Model cards for model reporting, FAT* '19).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generation.training.outcome.facts import TrainingFacts
from generation.training.outcome.licence import NOT_STATED, is_non_commercial
from generation.training.recipe_file import recipe_json
from study.errors import StorageError
from study.folder import write_whole

CARD = "README.md"
LOSSES = "losses.png"

_BEGIN, _END = "<!-- isopath: evaluation begins -->", "<!-- isopath: evaluation ends -->"
_NOT_EVALUATED = "Not evaluated yet: `isopath evaluate-generator --trained RUN --out DIR` fills this table."

_PERSPECTIVES: Mapping[str, str] = {
    "perceived": "They say what listeners perceive in the music, not what anybody feels.",
    "intended": "They say what the music was composed to express; whether listeners perceive it is open.",
    "tags": "They are the mean places of words that somebody tagged a track with, not ratings of music.",
    "none": "The training used no places on the plane.",
}


def model_card(facts: TrainingFacts, has_losses: bool) -> str:
    """The card as Markdown.

    Args:
        has_losses: whether the picture of the losses lies beside it.
    """
    return "\n".join(
        ["---", *_front_matter(facts), "---", f"# {facts.recipe.name}", "", *_sections(facts, has_losses), ""]
    )


def add_evaluation(folder: Path, markdown: str) -> None:
    """Put the table of an evaluation into a card, in place of an earlier one.

    Args:
        folder: of the adapter or model.
        markdown: without a heading.

    Raises:
        StorageError: there is no card, it has no place for a table, or it cannot be written.
    """
    path = folder / CARD
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise StorageError(
            str(path), f"cannot be read ({problem.strerror})", "name the folder of a trained adapter or model"
        ) from problem
    before, begins, rest = text.partition(_BEGIN)
    _, ends, after = rest.partition(_END)
    if not begins or not ends:
        raise StorageError(
            str(path), f"has no place for a table between {_BEGIN} and {_END}", "write these two lines in it"
        )
    write_whole(path, f"{before}{_BEGIN}\n{markdown.strip()}\n{_END}{after}".encode())


def _front_matter(facts: TrainingFacts) -> Iterator[str]:
    is_adapter = facts.recipe.method == "lora"
    # A reader of the card takes a licence that is not there for one that nobody stated.
    if facts.licence != NOT_STATED:
        yield f"license: {json.dumps(facts.licence.lower())}"
    yield f"base_model: {json.dumps(facts.base.name)}"
    yield f"base_model_relation: {'adapter' if is_adapter else 'finetune'}"
    yield f"library_name: {'peft' if is_adapter else 'transformers'}"
    yield "pipeline_tag: text-to-audio"
    yield "tags: [music, musicgen, emotion, valence-arousal, isopath]"
    yield f"datasets: [{json.dumps(facts.corpus)}]"


def _sections(facts: TrainingFacts, has_losses: bool) -> Iterator[str]:
    recipe, base = facts.recipe, facts.base
    what = "A LoRA adapter" if recipe.method == "lora" else "A whole model"
    with_tokens = ", with affect tokens: valence and arousal as input" if recipe.conditioning.affect else ""
    yield f"{what} of {base.name}{with_tokens}. Trained with isopath {facts.software['isopath']}."
    yield from _section("Use", _use(facts))
    yield from _section("Base and licence", _base(facts))
    yield from _section("Data", _data(facts))
    yield from _section("Labels", _labels(facts))
    yield from _section("Evaluation", [_BEGIN, _NOT_EVALUATED, _END])
    yield from _section("Losses", _losses(facts, has_losses))
    yield from _section("Recipe", _recipe(facts))
    yield from _section("Software", [f"- {name} {version}" for name, version in facts.software.items()])
    yield from _section("Intended use and limits", _limits(facts))


def _section(title: str, lines: list[str]) -> Iterator[str]:
    yield from ("", f"## {title}", "", *lines)


def _use(facts: TrainingFacts) -> list[str]:
    options = json.dumps(engine_options(facts, "RUN"), indent=2)
    return ["In a protocol, with the folder's own path for `RUN`:", "", "```json", options, "```"]


def engine_options(facts: TrainingFacts, root: str) -> dict[str, Any]:
    """What a protocol writes to use what was made.

    Args:
        root: of the run.

    Returns:
        ``engine`` as in a protocol.
    """
    recipe = facts.recipe
    is_adapter = recipe.method == "lora"
    made = f"{root}/{'adapter' if is_adapter else 'model'}"
    options: dict[str, Any] = {"model": recipe.model if is_adapter else made}
    if is_adapter:
        options["adapters"] = [made]
        if recipe.revision is not None:
            options["revision"] = recipe.revision
    told = [*(["prompt"] if recipe.conditioning.words != "none" else [])]
    if recipe.conditioning.affect:
        told.append("tokens")
        options["affect_tokens"] = f"{made}/affect_tokens.safetensors"
    options["conditioning"] = told or ["prompt"]
    if recipe.conditioning.words == "table":
        options["prompts"] = recipe.conditioning.prompts
    return {"name": "musicgen", "options": options}


def _base(facts: TrainingFacts) -> list[str]:
    base = facts.base
    revision = f", revision {base.revision}" if base.revision else ""
    lines = [f"- base: {base.name}{revision}, licence {base.licence}"]
    lines += [f"- {file}: SHA-256 {digest}" for file, digest in sorted(base.sha256.items())]
    lines += [f"- licence of what was trained: {facts.licence}"]
    if is_non_commercial(base.licence):
        lines += ["", "The base may not be used commercially, and so may nothing that is made with it."]
    return lines


def _data(facts: TrainingFacts) -> list[str]:
    """The data card below this card's own heading."""
    _, _, *lines = facts.data_markdown.strip().splitlines()
    return [f"#{line}" if line.startswith("#") else line for line in lines]


def _labels(facts: TrainingFacts) -> list[str]:
    lines = [
        facts.label_source,
        "",
        _PERSPECTIVES.get(facts.perspective, f"Perspective: {facts.perspective}."),
    ]
    if facts.predictors:
        lines += ["", "These predictors took part and may not report on it:", ""]
        lines += [f"- `{name}`: {', '.join(parts)}" for name, parts in facts.predictors.items()]
    lines += ["", f"`{facts.recipe.reported_by}` took no part and may report on it."]
    return lines


def _losses(facts: TrainingFacts, has_losses: bool) -> list[str]:
    lines = [f"- {name.replace('_', ' ')}: {_shown(value)}" for name, value in facts.learned.items() if value]
    return [*lines, "", f"![Losses by step]({LOSSES})"] if has_losses else lines


def _recipe(facts: TrainingFacts) -> list[str]:
    took = ", ".join(f"{stage} {seconds:,.0f} s" for stage, seconds in facts.seconds.items())
    return [
        f"Seed {facts.recipe.seed}; {facts.n_processes} process(es) on {facts.device}; {took}.",
        "",
        "```json",
        recipe_json(facts.recipe).strip(),
        "```",
    ]


def _limits(facts: TrainingFacts) -> list[str]:
    licences = sorted({licence for licence in facts.data_licences.values() if is_non_commercial(licence)})
    lines = [
        "- For research on music and emotion under an ethics board. It is not a medical device, and its music"
        " is not a treatment.",
        "- Valence and arousal are what music expresses to listeners, as far as the labels above say it; not"
        " what anybody will feel.",
        "- A predictor that took part in labels or selection would praise it; only an evaluation by another"
        " one, and in the end by listeners, counts.",
        "- It knows no more of the plane than the data show: see the shares of the quadrants above.",
    ]
    if licences:
        lines += [f"- Some of the data are for non-commercial use: {', '.join(licences)}."]
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "; ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
