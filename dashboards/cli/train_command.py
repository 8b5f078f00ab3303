"""`isopath train`: an adapter, or a whole model, of labelled music and one recipe."""

from __future__ import annotations

import json as json_text
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashboards.cli.arguments import JsonOption, say
from dashboards.cli.placement import DeviceOption, ModelsOption, placement_of
from dashboards.cli.progress import counted_bar
from study.errors import OutOfRange, StorageError, UnknownName

if TYPE_CHECKING:
    from generation.engine import Progress
    from generation.training.run import Outcome

_PARTS = 1000


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath train --recipe recipe.json --out emotion-run")(train)


def train(
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", metavar="FILE", help="The recipe.", show_default=False, dir_okay=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="The run's folder: new, or to go on in.", show_default=False
        ),
    ] = None,
    write_recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a recipe with every default to edit, and stop.", show_default=False
        ),
    ] = None,
    kind: Annotated[str, typer.Option(help="Of the data, for --write-recipe: table or jamendo.")] = "table",
    data_only: Annotated[
        bool, typer.Option("--data-only", help="Stop after the data card; needs no extra.")
    ] = False,
    device: DeviceOption = "cpu",
    models_dir: ModelsOption = None,
    json: JsonOption = False,
) -> None:
    """Fine-tune a MusicGen on emotion: from labelled music and one recipe to an adapter with its card.

    Reads, checks and labels the music, writes a data card, makes the codec's
    tokens, learns, and saves what the engine musicgen uses at once. DIR holds
    everything; the same command goes on where a stopped one was. The judge of
    labels or selection may not be the one that reports. See docs/training.md.
    """
    if write_recipe is not None:
        _write_recipe(write_recipe, kind, json)
        return
    if recipe is None or out is None:
        raise OutOfRange(
            "isopath train",
            "needs --recipe FILE and --out DIR",
            "isopath train --write-recipe FILE writes a recipe to begin with",
        )
    from analysis.mer.judge import load_judge
    from analysis.mer.registry import ingredients
    from generation.training.processes import is_first_process
    from generation.training.recipe_file import read_recipe
    from generation.training.run import check_installed, run_training

    asked = read_recipe(recipe)
    if not data_only:
        check_installed()
        placement_of(device, None, models_dir)
    with ExitStack() as bars:
        outcome = run_training(
            asked, out, load_judge, ingredients, device, models_dir, _progress_of(bars), data_only
        )
    if is_first_process():
        say(_sentence(outcome), json, {**outcome.summary, "folder": str(out)})


def _progress_of(bars: ExitStack) -> Callable[[str], Progress]:
    """A bar for every stage; none is drawn before the first begins, nor over a refusal."""
    told: list[Callable[[str, int, int], None]] = []

    def progress_of(stage: str) -> Progress:
        if not told:
            told.append(bars.enter_context(counted_bar()))
        return lambda share: told[0](stage, round(share * _PARTS), _PARTS)

    return progress_of


def _sentence(outcome: Outcome) -> str:
    root = outcome.folder.root
    lines = [_faults(outcome.fault_counts, outcome.folder.faults)]
    if outcome.made is None:
        lines.append(f"The data card is {root / 'data' / 'card.md'}. Without --data-only, training goes on.")
        return "\n".join(lines)
    summary = outcome.summary
    lines += [
        f"{outcome.made}: trained on {summary['base']['name']}, licence {summary['licence']}. Its card:"
        f" {outcome.made / 'README.md'}.",
        'In a protocol, as "engine":',
        json_text.dumps(summary["engine"], indent=2, ensure_ascii=False),
        f"Evaluate it: isopath evaluate-generator --trained {root} --out DIR",
    ]
    return "\n".join(lines)


def _faults(counts: Mapping[str, int], file: Path) -> str:
    if not counts:
        return "Every track could be used."
    told = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    return f"Not all of the music could be used as it is: {told}; each is named in {file}."


def _write_recipe(file: Path, kind: str, json: bool) -> None:
    from generation.training.recipe_file import default_recipe, recipe_json
    from generation.training.recipe_values import KINDS
    from study.folder import write_whole

    if kind not in KINDS:
        raise UnknownName("--kind", f"{kind!r} is not a kind of data", "write " + " or ".join(KINDS))
    if file.exists():
        raise StorageError(str(file), "is there already", "name a new file")
    write_whole(file, recipe_json(default_recipe(kind)).encode())
    say(
        f"{file}: every default, for data of kind {kind}. Write in it where the music is; docs/training.md"
        f" says what each field means. Then: isopath train --recipe {file} --out DIR",
        json,
        {"recipe": str(file), "kind": kind},
    )
