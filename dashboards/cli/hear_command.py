"""`isopath hear`: the predicted path of any audio file, by predictors side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from study.errors import OutOfRange

if TYPE_CHECKING:
    from analysis.mer.bands import Bands
    from analysis.mer.predictor import AffectPredictor

REFUSED = 2
_LONGEST_ROW_S = 3600.0
_SHORTEST_ROW_S = 3.0


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command("hear")(hear)


def hear(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…",
            help="Sound files: WAV, FLAC, Ogg (Vorbis, Opus), MP3, AIFF."
            " A folder stands for every such file in it and below.",
            show_default=False,
        ),
    ],
    predictor: Annotated[
        list[str] | None,
        typer.Option(
            help="Who hears; may be given several times.", show_default="musicnn and cues, side by side"
        ),
    ] = None,
    row_s: Annotated[float, typer.Option("--row", help="Seconds averaged into one row, 3 or more.")] = 15.0,
    bands: Annotated[
        Path | None,
        typer.Option(
            help="Bands that isopath bands calibrated on rated music; without, none are shown.",
            show_default=False,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the paths into this PNG, SVG or PDF.", show_default=False),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(help="Write every window of every predictor into this CSV.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Hear the emotion that sound files express: valence and arousal, each from -1 to 1.

    Two predictors that fail differently hear side by side and are never
    averaged; where they differ, ask which of their limits (printed below) is at
    work. One file gives a row each 15 seconds, several give a row each; --json
    and --csv hold all of it. Stretches of silence are left out.

    Example:

        isopath hear session.flac --plot path.png

    A file that cannot be heard is named; the others are heard all the same, and
    the exit code is then 2. For a name that begins with -, write ./-name.
    """
    if not _SHORTEST_ROW_S <= row_s <= _LONGEST_ROW_S:
        raise OutOfRange("--row", f"{row_s:g} s", f"write {_SHORTEST_ROW_S:g} to {_LONGEST_ROW_S:g} seconds")
    # Networks and pictures load only for those who use them.
    from analysis.mer.registry import EMBEDDED, load_predictors
    from dashboards.cli.hear_printing import print_heard, written_csv, written_json
    from dashboards.cli.sound_batch import hear_all, shown_path, sounds_of
    from study.folder import write_whole

    if plot is not None:
        from analysis.mer.plot import check_plot_path

        check_plot_path(plot)
    if csv is not None and not csv.absolute().parent.is_dir():
        raise OutOfRange(str(csv), "its folder does not exist", "make the folder first")
    calibrated = None if bands is None else _read(bands)
    loaded = load_predictors(predictor or EMBEDDED)
    if calibrated is not None:
        _check_bands(bands, calibrated, loaded)
    paths, empty = sounds_of(files)
    heard, refused = hear_all(loaded, paths)
    refused = [*empty, *refused]
    if as_json:
        typer.echo(written_json(loaded, heard, refused, row_s, calibrated))
    else:
        print_heard(loaded, heard, row_s, calibrated)
    if csv is not None:
        write_whole(csv, written_csv(heard))
    for refusal in refused:
        typer.echo(shown_path(str(refusal)), err=True)
    if plot is not None and heard:
        from analysis.mer.plot import write_plot

        write_plot(plot, heard, row_s, calibrated)
        if not as_json:
            typer.echo(f"drawn: {plot}")
    if refused:
        raise typer.Exit(REFUSED)


def _read(path: Path) -> Bands:
    from analysis.mer.bands import parse_bands

    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        text = ""
    return parse_bands(text, str(path))


def _check_bands(path: Path | None, bands: Bands, predictors: tuple[AffectPredictor, ...]) -> None:
    """Refuse bands of other versions or weights, and such as are of nobody who hears."""
    found = [bands.for_card(one.card) for one in predictors]
    if not any(found):
        raise OutOfRange(
            str(path),
            "has bands of " + ", ".join(one.predictor for one in bands.of),
            "hear with one of these, or leave the bands out",
        )
