"""`isopath evaluate-generator`: from systems to a page, going on where it stopped, and what it refuses."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dashboards.cli.main import app
from generation.clip_grid import ClipGrid, Role
from study.errors import IsopathError, OutOfRange, StorageError, UnknownName
from tests.generation.grid.runs import leave_crops, leave_run

QUICK = ("--targets", "2", "--seeds", "1", "--clip-s", "3.2", "--bootstrap", "100")


def evaluate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate-generator", *map(str, arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluations") / "composer"


@pytest.fixture(scope="module")
def first(folder: Path) -> Result:
    """The composer heard by the two embedded predictors."""
    return evaluate("--out", folder, *QUICK, "--predictors", "musicnn,cues")


def test_the_composer_alone_is_evaluated_and_what_could_be_added_is_said(first: Result, folder: Path) -> None:
    assert first.exit_code == 0, first.stderr
    assert "add --model NAME|FOLDER for a model as it is, --trained RUN" in first.stderr
    assert first.stdout.index("rule-based composer") < first.stdout.index("Written: ")
    assert "cues shares its cues with it: a manipulation check, no claim" in first.stdout
    assert "Nothing was compared" in first.stdout
    assert "No claim about" not in first.stdout
    for made in ("evaluation.html", "evaluation.json", "evaluation.md", "grid.json", "figures"):
        assert (folder / made).exists(), made
    assert len(ClipGrid.read(folder).clips) == 4


def test_run_again_it_goes_on_and_where_everybody_took_part_there_is_no_claim(
    first: Result, folder: Path
) -> None:
    clip = folder / ClipGrid.read(folder).clips[0].stim_file
    whole, journal = clip.read_bytes(), (folder / "making.jsonl").read_text()
    clip.write_bytes(whole[: len(whole) // 2])

    again = evaluate("--out", folder, *QUICK, "--predictors", "cues")

    assert again.exit_code == 0, again.stderr
    assert clip.read_bytes() == whole
    added = (folder / "making.jsonl").read_text().removeprefix(journal)
    assert [json.loads(line).get("raw") for line in added.splitlines()] == [clip.stem, None]
    assert again.stdout.startswith(
        "No claim about rule-based composer: every predictor that heard it took part in it (cues)."
    )


def test_another_request_is_refused_with_the_difference(first: Result, folder: Path) -> None:
    result = evaluate("--out", folder, *QUICK, "--seeds", "2", "--predictors", "cues")

    assert isinstance(result.exception, StorageError)
    assert "holds another grid: seeds.count was 1 and is 2" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "kind", "problem"),
    [
        (("--clip-s", "2"), IsopathError, "clips of 2 s are too short for musicnn"),
        (("--clip-s", "31"), OutOfRange, "31 is not a length from 1 to 30 seconds"),
        (("--targets", "0"), OutOfRange, "0 is not in 1 to 20"),
        (("--predictors", "musicn"), UnknownName, "musicn"),
        (("--judge", "nobody", "--model", "facebook/musicgen-small"), UnknownName, "nobody"),
        (("--judge", "cues"), OutOfRange, "there is nothing to choose among"),
        (("--candidates", "3"), OutOfRange, "no --judge to choose among them"),
        (("--trained", "no-such-run"), StorageError, "is no training"),
        (("--model", "no-such-model"), IsopathError, "is neither a known model nor a folder here"),
        (("--systems", "no-such.json", "--model", "x"), OutOfRange, "--model: is given beside --systems"),
        (("--systems", "no-such.json"), StorageError, "no-such.json: cannot be read"),
        (("--device", "gpu"), UnknownName, "'gpu' is not a device"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(
    arguments: tuple[str, ...], kind: type[IsopathError], problem: str, tmp_path: Path
) -> None:
    result = evaluate("--out", tmp_path / "new", "--predictors", "musicnn,cues", *arguments)

    assert isinstance(result.exception, kind)
    assert problem in str(result.exception)
    assert not (tmp_path / "new").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("chapter 1")

    result = evaluate("--out", tmp_path, *QUICK, "--predictors", "cues")

    assert isinstance(result.exception, StorageError)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.torch
def test_a_training_is_held_against_its_base_and_its_music_and_gets_the_table(
    first: Result, folder: Path, tmp_path: Path
) -> None:
    if find_spec("torch") is None:
        pytest.skip("needs the extra musicgen")
    import torch

    from generation.musicgen.writing.random_model import write_random_model

    torch.set_num_threads(1)
    write_random_model("tiny", tmp_path / "base", seed=0)
    run = leave_run(tmp_path / "run", str(tmp_path / "base"), affect=False, method="full")
    (run / "adapter" / "README.md").rename(tmp_path / "card.md")
    write_random_model("tiny", run / "model", seed=1)
    (tmp_path / "card.md").replace(run / "model" / "README.md")
    music = ClipGrid.read(folder).clips
    leave_crops(
        run,
        [
            (str(folder / clip.stim_file), 0.0, 3.2, clip.target.valence, clip.target.arousal)
            for clip in music
        ],
        predictor="cues",
    )

    out = tmp_path / "out"
    result = evaluate(
        "--out", out, "--trained", run, *QUICK, "--targets", "1", "--predictors", "musicnn", "--json"
    )

    assert result.exit_code == 0, result.stderr
    grid = ClipGrid.read(out)
    assert [(one.name, one.role) for one in grid.systems[:3]] == [
        ("base-words", Role.BASE),
        ("base-numeric", Role.SYSTEM),
        ("run", Role.SYSTEM),
    ]
    ceiling = grid.systems[-1]
    assert (ceiling.role, ceiling.title, len(grid.of(ceiling.name))) == (
        Role.CEILING,
        "validation music of run",
        4,
    )
    assert grid.systems[2].ceilings == (ceiling.name,)
    said = json.loads(result.stdout)
    assert {one["system"] for one in said["claims"]} == {"base-numeric", "run", "composer"}
    assert {one["ceiling"] for one in said["ceilings"]} == {ceiling.name}
    assert said["no_claim"] == []
    assert "points" not in said
    card = (run / "model" / "README.md").read_text()
    assert "nothing" not in card.splitlines()
    assert "full training with words" in card
    assert card.endswith("after\n")
