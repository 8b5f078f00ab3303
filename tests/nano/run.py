"""Train a small MusicGen and its adapters from nothing, evaluate them, write docs/generator.md: `make nano`.

Composes music over the whole plane, fetches freely licensed game music (Debian packages by
`apt-get download`: no root, nothing is installed), fits a codec to both, trains a model on both without
labels and adapters with them, makes a grid of clips with each, hears them, and writes what was found.
Everything is kept under build/nano: an interrupted run goes on where it was. Where packages cannot be had,
the parts that need game music are left out, and the program says so.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from study.folder import write_whole
from tests.nano.scale import SCALES, Scale

ROOT = Path(__file__).parents[2]
DOCUMENTED = "nano"
"""The scale whose figures docs/generator.md holds; others write under build/nano."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Make, train, evaluate, write."""
    asked = _asked(arguments)
    # A process a core, not a thread a core in every process.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import torch

    from tests.nano.card import write_card
    from tests.nano.corpora import make_corpora
    from tests.nano.evaluation import hear, make_clips, targets_of
    from tests.nano.models import make_untrained, train_all
    from tests.nano.report import report_of, write_report
    from tests.nano.stages import Stages

    out = Console(stderr=True)
    scale = SCALES[asked.scale]
    if scale.device != "cpu" and not torch.cuda.is_available():
        raise SystemExit(f"scale {scale.name} needs a GPU, and torch sees none; take --scale nano")
    torch.set_num_threads(asked.jobs)
    folder: Path = asked.kept / scale.name
    bind(folder, scale)
    stages = Stages(folder / "stages.json", out)
    corpora = make_corpora(
        scale,
        targets_of(scale),
        folder / "corpora",
        asked.kept / "packages",
        asked.debs,
        asked.jobs,
        stages,
    )
    for package, reason in corpora.missing.items():
        out.print(f"skipped: {package}: {reason}")
    if not corpora.tracks:
        out.print("skipped: the corpus of game music, the adapter trained on it, and its ceiling")
    codec = make_untrained(scale, corpora, folder, stages)
    trainings = train_all(scale, corpora, folder, stages)
    grid = make_clips(scale, corpora, folder, stages)
    evaluation = hear(scale, grid, folder, asked.jobs, stages)
    docs = asked.docs or (ROOT / "docs" if scale.name == DOCUMENTED else folder / "docs")
    report = report_of(scale, corpora, codec, trainings, evaluation, stages.seconds, folder)
    write_report(report, evaluation, docs)
    write_card(docs)
    out.print(f"{sum(stages.seconds.values()) / 60:.1f} minutes in all; {docs / 'generator.md'}")


def bind(folder: Path, scale: Scale) -> None:
    """Let a folder hold the work of one scale as it is written down now.

    Raises:
        SystemExit: it holds work of the same name with other numbers.
    """
    file = folder / "scale.json"
    now = json.loads(json.dumps(asdict(scale)))
    before = json.loads(file.read_text()) if file.is_file() else now
    differing = sorted(name for name in {**before, **now} if before.get(name) != now.get(name))
    if differing:
        told = ", ".join(f"{name} was {before.get(name)}, is {now.get(name)}" for name in differing)
        raise SystemExit(f"{folder} holds work of another scale ({told}); delete it, or name another --kept")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(file, (json.dumps(now, indent=1) + "\n").encode())


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make nano", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", choices=tuple(SCALES), default=DOCUMENTED, help="how large everything is")
    parser.add_argument("--debs", type=Path, help="a folder that holds the .deb files already")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes and threads")
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "nano", help="the cache")
    parser.add_argument("--docs", type=Path, help="where the page is written (scale nano: docs/)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
