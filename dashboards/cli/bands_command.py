"""`isopath bands`: bands around predictions, calibrated on a lab's own rated music."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from study.errors import OutOfRange, refuse


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command("bands")(bands)


def bands(
    ratings: Annotated[
        Path,
        typer.Argument(
            metavar="RATED.csv",
            help="Columns path, valence, arousal: mean ratings of perceived emotion, -1 to 1.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The JSON file to write.", show_default=False)],
    predictor: Annotated[
        list[str] | None,
        typer.Option(help="Whose bands; may be given several times.", show_default="musicnn and cues"),
    ] = None,
    level: Annotated[float, typer.Option(help="Probability that a band holds a rating.")] = 0.9,
) -> None:
    """Calibrate bands around predictions on rated music.

    Half the tracks (by a hash of their paths) set the width, so that one more
    track of the same kind lies inside with the probability of the level (split
    conformal prediction); the other half tells how often it did. Under a number
    of tracks that depends on the level (74 for 0.9) there are no bands.

    Example:

        isopath bands rated.csv --out bands.json
        isopath hear new.flac --bands bands.json
    """
    from analysis.mer.bands import Bands, calibrated, check_enough, written
    from analysis.mer.ratings import load_ratings
    from analysis.mer.registry import EMBEDDED, load_predictors
    from dashboards.cli.hear_printing import band_sentences
    from dashboards.cli.sound_batch import hear_all, shown_path
    from study.folder import file_sha256, write_whole

    if not out.absolute().parent.is_dir():
        raise OutOfRange(str(out), "its folder does not exist", "make the folder first")
    tracks = load_ratings(ratings)
    check_enough(len(tracks), level)
    loaded = load_predictors(predictor or EMBEDDED)
    heard, refused = hear_all(loaded, [track.sound for track in tracks])
    # Who leaves out the tracks that cannot be heard chooses the tracks after the rating.
    refuse(refused)
    found = []
    for one in loaded:
        wholes = [file.whole.by[one.card.name] for file in heard]
        predicted = {
            track.path: (whole.valence_pred, whole.arousal_pred)
            for track, whole in zip(tracks, wholes, strict=True)
        }
        found.append(calibrated(tracks, predicted, one.card, level))
    durations_s = [file.duration_s for file in heard]
    made = Bands(level, file_sha256(ratings), min(durations_s), max(durations_s), tuple(found))
    write_whole(out, written(made))
    for sentence in band_sentences(made):
        typer.echo(sentence)
    typer.echo(f"written: {shown_path(out)}")
