"""`isopath hear`: the predicted path of any audio file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from study.canonical import plain
from study.errors import AudioError, OutOfRange

if TYPE_CHECKING:
    from analysis.mer.files import HeardFile
    from analysis.mer.predictor import PredictorCard

REFUSED = 2
_QUIET_S = 2.0
_LONGEST_ROW_S = 3600.0
_SHORTEST_ROW_S = 3.0


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command("hear")(hear)


def hear(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="Sound files: WAV, FLAC, Ogg, MP3.", show_default=False),
    ],
    predictor: Annotated[str, typer.Option(help="Who hears: musicnn, or one plugged in.")] = "musicnn",
    row_s: Annotated[float, typer.Option("--row", help="Seconds averaged into one row, 3 or more.")] = 15.0,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the paths into this PNG, SVG or PDF.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Hear the emotion that sound files express: valence and arousal, each from -1 to 1.

    Example:

        isopath hear session.flac --plot path.png

    A file that cannot be heard is named; the others are heard all the same, and
    the exit code is then 2.
    """
    if not _SHORTEST_ROW_S <= row_s <= _LONGEST_ROW_S:
        raise OutOfRange("--row", f"{row_s:g} s", f"write {_SHORTEST_ROW_S:g} to {_LONGEST_ROW_S:g} seconds")
    # Networks and pictures load only for those who use them.
    from analysis.mer.files import predict_file
    from analysis.mer.registry import load_predictor

    if plot is not None:
        from analysis.mer.plot import check_plot_path

        check_plot_path(plot)
    loaded = load_predictor(predictor)
    heard: list[HeardFile] = []
    refused: list[AudioError] = []
    with _LateBar(len(files)) as bar:
        for path in files:
            try:
                heard.append(predict_file(loaded, path, bar.named(path.name)))
            except AudioError as problem:
                refused.append(problem)
            bar.finish_file()
    if as_json:
        typer.echo(json.dumps(_facts(loaded.card, heard, refused, row_s), ensure_ascii=False))
    else:
        _print(loaded.card, heard, row_s)
    for refusal in refused:
        typer.echo(str(refusal), err=True)
    if plot is not None and heard:
        from analysis.mer.plot import write_plot

        write_plot(plot, heard, row_s)
        if not as_json:
            typer.echo(f"drawn: {plot}")
    if refused:
        raise typer.Exit(REFUSED)


def _print(card: PredictorCard, heard: Sequence[HeardFile], row_s: float) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    for file in heard:
        table = Table(box=box.SIMPLE_HEAD, show_footer=True)
        table.add_column("time", footer=f"whole, {_clock(file.duration_s)}")
        table.add_column("valence", justify="right", footer=f"{file.mean.valence_pred:+.2f}")
        table.add_column("arousal", justify="right", footer=f"{file.mean.arousal_pred:+.2f}")
        for row in file.rows(row_s):
            span = f"{_clock(row.onset_s)} – {_clock(row.onset_s + row.duration_s)}"
            table.add_row(span, f"{row.valence_pred:+.2f}", f"{row.arousal_pred:+.2f}")
        console.print(str(file.path), markup=False, soft_wrap=True)
        console.print(table)
    if heard:
        console.print(f"{card.name} {card.version}. " + " ".join(card.limits), style="dim", soft_wrap=True)


def _facts(
    card: PredictorCard, heard: Sequence[HeardFile], refused: Sequence[AudioError], row_s: float
) -> dict[str, Any]:
    from analysis.mer.predictor import PERSPECTIVE

    return {
        "predictor": plain(card),
        "perspective": PERSPECTIVE,
        "row_s": row_s,
        "files": [
            {
                "file": str(file.path),
                "duration_s": file.duration_s,
                "valence_pred": file.mean.valence_pred,
                "arousal_pred": file.mean.arousal_pred,
                "rows": plain(file.rows(row_s)),
                "windows": {
                    "window_s": file.series.window_s,
                    "onset_s": file.series.onset_s.tolist(),
                    "valence_pred": file.series.valence_pred.tolist(),
                    "arousal_pred": file.series.arousal_pred.tolist(),
                },
            }
            for file in heard
        ],
        "refused": [{"file": r.where, "problem": r.problem, "remedy": r.remedy} for r in refused],
    }


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


class _LateBar:
    """A progress bar on standard error that appears only when the work takes over two seconds."""

    def __init__(self, n_files: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("hearing", total=n_files)
        self._since = time.monotonic()

    def __enter__(self) -> _LateBar:
        return self

    def named(self, name: str) -> Callable[[float], None]:
        """What to call with the seconds heard of the file of that name."""

        def show(heard_s: float) -> None:
            if not self._bar.live.is_started and time.monotonic() - self._since > _QUIET_S:
                self._bar.start()
            self._bar.update(self._task, description=f"hearing {name} {_clock(heard_s)}")

        return show

    def finish_file(self) -> None:
        """Count a file as done."""
        self._bar.advance(self._task)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
