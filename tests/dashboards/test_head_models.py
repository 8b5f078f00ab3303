"""`isopath models` and `isopath hear` with Essentia's heads, as a person uses them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from analysis.mer.essentia.fetch import ADDRESS_VARIABLE
from dashboards.cli.main import app
from study.errors import IsopathError
from tests.analysis.mer.essentia.frozen_graphs import METADATA, SecondGeneration
from tests.analysis.mer.essentia.server import serving
from tests.dashboards.command_line import isopath, refusal

EMOMUSIC = "essentia/emomusic-msd-musicnn-1"
DEAM = "essentia/deam-msd-musicnn-1"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISOPATH_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("ISOPATH_ESSENTIA_MODELS", raising=False)
    return tmp_path / "store"


def models(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments])


def refused(*arguments: str) -> str:
    result = models(*arguments)
    assert isinstance(result.exception, IsopathError), result
    return str(result.exception)


def test_the_list_shows_the_heads_with_licence_size_and_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    done = models("list")

    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line}
    assert "CC BY-NC-SA 4.0  82.5 kB" in lines["essentia/emomusic-msd-musicnn-2"]
    assert "1 pinned" in lines["essentia/deam-msd-musicnn-2"]
    assert "none yet" in lines["essentia/muse-msd-musicnn-2"]


def test_a_head_is_fetched_only_by_someone_who_accepts_its_licence(store: Path) -> None:
    said = refused("fetch", DEAM)

    assert said.startswith(f"{DEAM}: its licence is CC BY-NC-SA 4.0")
    assert said.endswith(f"isopath models fetch {DEAM} --accept-licence")
    assert not store.exists()


def test_fetch_verify_and_list_agree_on_a_head(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/models/classification-heads/deam/deam-msd-musicnn-1"
    graph = SecondGeneration().content()
    with serving({f"{path}.pb": graph, f"{path}.json": METADATA.encode()}) as server:
        monkeypatch.setenv(ADDRESS_VARIABLE, server.url)
        fetched = json.loads(models("fetch", DEAM, "--accept-licence", "--json").stdout)

    verified = json.loads(models("verify", DEAM, "--json").stdout)
    listed = {model["name"]: model for model in json.loads(models("list", "--json").stdout)["models"]}

    assert fetched["held_to"] == verified["held_to"] == "locked"
    assert fetched["files"] == verified["files"]
    assert f"{DEAM}: its graph is what is locked." in models("verify", DEAM).stdout
    assert listed[DEAM]["here"] == {"place": "store", "folder": str(store / DEAM)}
    assert listed[EMOMUSIC]["here"] is None


def test_offline_a_head_is_one_message_with_the_files_and_the_folder(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "http://127.0.0.1:9")

    said = refusal(isopath("models", "fetch", DEAM, "--accept-licence"))

    assert f"into {store / DEAM}" in said
    assert len(said.splitlines()) == 1


def test_a_revision_of_a_head_is_refused() -> None:
    assert refused("fetch", DEAM, "--revision", "2", "--accept-licence").startswith("--revision: ")


def test_hearing_with_a_head_that_is_not_here_is_one_message(tmp_path: Path) -> None:
    said = refusal(isopath("hear", "--predictor", "essentia", tmp_path / "any.wav"))

    assert "isopath models fetch essentia/emomusic-msd-musicnn-2" in said
    assert len(said.splitlines()) == 1


def test_a_head_put_there_by_hand_is_heard_with(store: Path, test_data: Path) -> None:
    folder = store / EMOMUSIC
    folder.mkdir(parents=True)
    shutil.copy(test_data / "essentia_nc" / "emomusic-msd-musicnn-1.pb", folder)

    done = isopath("hear", "--predictor", "essentia", test_data / "clips" / "0ad__Taiko_1.ogg", "--json")

    assert done.code == 0, done.err
    card = done.facts["predictors"]["essentia"]
    assert card["version"] == "emomusic-msd-musicnn-1, numpy"
    assert card["licences"]["emomusic-msd-musicnn-1.pb"].startswith("CC BY-NC-SA 4.0")
    # What essentia-tensorflow says of it (tests/oracles/essentia_heads.json): 5.040641 on the 1-9 scale.
    whole = done.facts["files"][0]["whole"]["by"]["essentia"]
    assert whole["arousal_pred"] == pytest.approx((5.040641 - 5.0) / 4.0, abs=1e-4)
