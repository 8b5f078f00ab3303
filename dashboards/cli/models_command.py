"""`isopath models`: weights on this machine, of music models and of heads that hear emotion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboards.cli import head_models
from dashboards.cli.arguments import JsonOption, say
from study.errors import ModelError, OutOfRange, UnknownName

if TYPE_CHECKING:
    from generation.clips.option_values import AdapterOption
    from generation.musicgen.store.catalogue import CatalogueModel
    from generation.musicgen.store.model_store import StoredModel

FORMATS = ("transformers", "audiocraft")
_SHORT = 8

NameArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A name that `models list` shows.")]
ModelArgument = Annotated[
    str, typer.Argument(metavar="MODEL", help="A name that `models list` shows, or a model's folder.")
]
FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)]
RevisionOption = Annotated[
    str | None, typer.Option(help="The hub's commit [default: the pinned one].", show_default=False)
]
ModelsDirOption = Annotated[
    Path | None,
    typer.Option(help="Where weights are kept [default: $ISOPATH_MODELS or the user's data folder]."),
]


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    models = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")
    models.command("list", epilog="Example: isopath models list")(list_models)
    models.command("fetch", epilog="Example: isopath models fetch facebook/musicgen-small")(fetch)
    models.command("verify", epilog="Example: isopath models verify facebook/musicgen-small")(verify)
    models.command("random", epilog="Example: isopath models random --size tiny noise-model")(random)
    models.command("export", epilog="Example: isopath models export my-model out --adapter my-lora")(export)
    app.add_typer(
        models,
        name="models",
        help="Weights of music models and of Essentia's heads: list, fetch, verify, random, export.",
        epilog="Example: isopath models list",
    )


def list_models(models_dir: ModelsDirOption = None, json: JsonOption = False) -> None:
    """The known models: licence, size, what is pinned, and whether they are on this machine."""
    from generation.musicgen.store.catalogue import load_catalogue
    from generation.musicgen.store.model_store import is_here
    from study.model_folder import models_folder

    found = [_facts(model, is_here(name, models_dir)) for name, model in load_catalogue().items()]
    found += head_models.listed(models_dir)
    store = models_folder(models_dir)
    if json:
        say("", True, {"models_dir": str(store), "models": found})
        return
    _print_list(found, store)


def fetch(
    model: NameArgument,
    revision: RevisionOption = None,
    accept_licence: Annotated[
        bool,
        typer.Option(
            "--accept-licence", help="You accept the licence of Essentia's models, CC BY-NC-SA 4.0."
        ),
    ] = False,
    models_dir: ModelsDirOption = None,
    json: JsonOption = False,
) -> None:
    """Fetch a model's weights from its server; an interrupted fetch goes on where it stopped."""
    if model.startswith(head_models.PREFIX):
        head_models.fetch(model, revision, accept_licence, models_dir, json)
        return
    with _extra("isopath models fetch"):
        from generation.musicgen.store.model_fetch import fetch_model

    stored = fetch_model(model, revision, models_dir)
    say(
        f"{model} is in {stored.folder}, revision {stored.revision}. Licence: {stored.model.licence}.",
        json,
        _facts(stored.model, stored),
    )


def verify(
    model: NameArgument,
    revision: RevisionOption = None,
    models_dir: ModelsDirOption = None,
    json: JsonOption = False,
) -> None:
    """Hash a model's files again; exit code 2 names each that is not what it should be."""
    if model.startswith(head_models.PREFIX):
        head_models.verify(model, models_dir, json)
        return
    from generation.musicgen.store.model_store import find_model, verify_model

    stored = find_model(model, revision, models_dir)
    digests = verify_model(model, revision, models_dir)
    compared = sorted(file for file in digests if file in stored.sha256)
    lines = [f"{digest}  {file}" for file, digest in digests.items()]
    if compared:
        lines.append(f"{model}: {len(compared)} of {len(digests)} files are what is pinned or locked.")
    else:
        lines.append(f"{model}: nothing is pinned or locked; keep these digests to compare with later.")
    say("\n".join(lines), json, {**_facts(stored.model, stored), "files": digests, "compared": compared})


def random(
    folder: FolderArgument,
    size: Annotated[str, typer.Option(help="tiny, small, medium or large.")] = "tiny",
    seed: Annotated[int, typer.Option(help="Another seed, other weights.")] = 0,
    stereo: Annotated[bool, typer.Option("--stereo", help="8 codebooks, left and right.")] = False,
    json: JsonOption = False,
) -> None:
    """Write a model of random weights: noise instead of music, for tests and timings."""
    with _extra("isopath models random"):
        from generation.musicgen.writing.random_model import write_random_model

    write_random_model(size, folder, seed, stereo)
    say(
        f"{folder}: a {size} MusicGen of random weights, seed {seed}.",
        json,
        {"folder": str(folder), "size": size, "seed": seed, "stereo": stereo},
    )


def export(
    model: ModelArgument,
    folder: FolderArgument,
    layout: Annotated[str, typer.Option("--format", help="transformers or audiocraft.")] = "transformers",
    adapter: Annotated[
        list[str] | None,
        typer.Option(metavar="DIR[=WEIGHT]", help="A LoRA adapter to merge; give it again for more."),
    ] = None,
    revision: RevisionOption = None,
    models_dir: ModelsDirOption = None,
    json: JsonOption = False,
) -> None:
    """Write a model, with adapters merged into it, for other programs."""
    if layout not in FORMATS:
        raise UnknownName("--format", f"{layout!r} is not a format", "write " + " or ".join(FORMATS))
    adapters = [_adapter(text) for text in adapter or ()]
    with _extra("isopath models export"):
        from generation.musicgen.weights.checkpoint import load_checkpoint
        from generation.musicgen.writing.export import Origin, write_audiocraft, write_transformers
        from generation.musicgen.writing.new_folder import check_is_free

    check_is_free(folder)
    checkpoint = load_checkpoint(model, revision, models_dir)
    tensors, origin = checkpoint.tensors, Origin()
    if adapters:
        with _extra("isopath models export"):
            from generation.musicgen.trained.adapters import merged

        sum_of = merged(checkpoint, adapters)
        tensors, origin = sum_of.tensors, Origin(sum_of.sha256, sum_of.licences)
    write = write_transformers if layout == "transformers" else write_audiocraft
    write(checkpoint, tensors, folder, origin)
    say(
        f"{folder}: {checkpoint.name} with {len(adapters)} adapter(s), in the format of {layout}. "
        f"Licence: {checkpoint.licence}.",
        json,
        {
            "folder": str(folder),
            "format": layout,
            "base": checkpoint.name,
            "base_sha256": dict(checkpoint.sha256),
            "adapters": dict(origin.adapters),
            "licences": {checkpoint.name: checkpoint.licence, **origin.licences},
        },
    )


def _adapter(text: str) -> AdapterOption:
    from generation.clips.option_values import AdapterOption

    path, separator, weight = text.rpartition("=")
    if not separator:
        return AdapterOption(text)
    try:
        return AdapterOption(path, float(weight))
    except ValueError:
        raise OutOfRange("--adapter", f"{weight!r} is not a weight", "write DIR or DIR=0.5") from None


def _facts(model: CatalogueModel, here: StoredModel | None) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": model.kind,
        "licence": model.licence,
        "gigabytes": model.gigabytes,
        "pinned_revision": model.revision,
        "pinned_sha256": dict(model.sha256),
        "here": _place(here) if here else None,
    }


def _place(here: StoredModel) -> dict[str, Any]:
    return {
        "place": here.place,
        "folder": str(here.folder),
        "revision": here.revision,
        "sha256": dict(here.sha256),
    }


def _print_list(found: list[dict[str, Any]], store: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False)
    # A name that is cut short cannot be typed.
    table.add_column("model", no_wrap=True)
    for title in ("licence", "size", "revision", "SHA-256", "here"):
        table.add_column(title)
    for facts in found:
        digests = f"{len(facts['pinned_sha256'])} pinned" if facts["pinned_sha256"] else "none yet"
        place = facts["here"]["place"] if facts["here"] else "no"
        size, revision = _size(facts["gigabytes"]), _revision(facts)
        table.add_row(facts["name"], facts["licence"], size, revision, digests, place)
    console.print(table)
    console.print("Files without a pinned SHA-256 are locked to what the first fetch finds.", soft_wrap=True)
    console.print(f"Weights are kept in {store}.", markup=False, soft_wrap=True)


def _size(gigabytes: float | None) -> str:
    if gigabytes is None:
        return "not stated"
    for unit, share in (("GB", 1.0), ("MB", 1e-3)):
        if gigabytes >= 0.1 * share:
            return f"{gigabytes / share:.3g} {unit}"
    return f"{gigabytes * 1e6:.3g} kB"


def _revision(facts: Mapping[str, Any]) -> str:
    """The hub's commit, cut short; the models that are not on the hub have their version in their name."""
    if "pinned_revision" not in facts:
        return "in its name"
    revision = facts["pinned_revision"]
    return revision[:_SHORT] if revision else "not pinned"


@contextmanager
def _extra(command: str) -> Iterator[None]:
    """Turn a library that is not installed into one message."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise ModelError(
            command, f"the library {missing.name} is not installed", "run pip install 'isopath[musicgen]'"
        ) from missing
