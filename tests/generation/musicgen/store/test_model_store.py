"""Weights on this machine: found, fetched, locked, verified, and what is said when they are not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from generation.musicgen.store.catalogue import load_catalogue
from generation.musicgen.store.digests import sha256_of
from generation.musicgen.store.model_fetch import fetch_model
from generation.musicgen.store.model_store import (
    find_model,
    is_here,
    verify_model,
)
from generation.musicgen.weights.checkpoint import load_checkpoint
from study.errors import ModelError, UnknownName
from study.model_folder import LOCK_FILE, models_folder, read_lock
from tests.generation.musicgen.store.hub import Hub, serving

pytestmark = pytest.mark.torch

NAME = "facebook/musicgen-medium"
COMMIT = "d3bd7b00761b78ad7a8a05145ee31e7832e9916c"


@pytest.fixture
def hub(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(tiny_folder, NAME, COMMIT) as running:
        monkeypatch.setattr(constants, "ENDPOINT", running.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", running.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        yield running


@pytest.fixture(autouse=True)
def empty_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "hub-cache"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    return cache


def test_every_pinned_revision_is_a_whole_commit_and_every_digest_a_sha256() -> None:
    models = load_catalogue().values()

    assert {len(model.revision) for model in models if model.revision} == {40}
    assert {len(digest) for model in models for digest in model.sha256.values()} == {64}
    assert all(set(model.revision or "") <= set("0123456789abcdef") for model in models)
    assert all(model.licence for model in models)


def test_a_fetched_model_has_the_hubs_bytes_and_a_lock(hub: Hub, tiny_folder: Path, tmp_path: Path) -> None:
    stored = fetch_model(NAME, models_dir=tmp_path)

    lock = read_lock(stored.folder)
    assert stored.folder == tmp_path / NAME
    assert stored.revision == COMMIT
    assert lock is not None
    assert lock["files"]["model.safetensors"]["sha256"] == sha256_of(tiny_folder / "model.safetensors")
    assert sorted(lock["files"]) == sorted(file.name for file in tiny_folder.iterdir())
    assert sorted(file.name for file in stored.folder.iterdir()) == sorted([*lock["files"], LOCK_FILE])
    assert [folder.name for folder in (tmp_path / "facebook").iterdir()] == ["musicgen-medium"]


def test_a_fetched_model_loads_with_its_revision_and_the_catalogues_licence(hub: Hub, tmp_path: Path) -> None:
    fetch_model(NAME, models_dir=tmp_path)

    checkpoint = load_checkpoint(NAME, models_dir=tmp_path)

    assert (checkpoint.name, checkpoint.revision, checkpoint.licence) == (NAME, COMMIT, "CC-BY-NC-4.0")


def test_a_model_that_is_there_is_verified_instead_of_fetched_again(hub: Hub, tmp_path: Path) -> None:
    fetch_model(NAME, models_dir=tmp_path)
    asked = len(hub.served)

    fetch_model(NAME, models_dir=tmp_path)

    assert len(hub.served) == asked


def test_a_file_that_came_otherwise_than_the_hub_stated_is_refused_and_named(
    hub: Hub, tmp_path: Path
) -> None:
    hub.spoilt.add("model.safetensors")

    with pytest.raises(ModelError, match=r"medium/model\.safetensors: what came has SHA-256 \w{64}, not"):
        fetch_model(NAME, models_dir=tmp_path)

    assert is_here(NAME, tmp_path) is None


def test_a_small_file_changed_on_the_way_is_refused_too(hub: Hub, tmp_path: Path) -> None:
    hub.spoilt.add("config.json")

    with pytest.raises(ModelError, match=r"config\.json: what came has"):
        fetch_model(NAME, models_dir=tmp_path)


def test_an_interrupted_fetch_goes_on_with_the_files_it_has(hub: Hub, tmp_path: Path) -> None:
    hub.spoilt.add("model.safetensors")
    with pytest.raises(ModelError):
        fetch_model(NAME, models_dir=tmp_path)
    hub.spoilt.clear()
    hub.served.clear()

    fetch_model(NAME, models_dir=tmp_path)

    fetched = [path.rpartition("/")[2] for path in hub.served if "/resolve/" in path]
    assert fetched == ["model.safetensors"]


def test_a_revision_the_hub_does_not_have_is_refused(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the hub refused"):
        fetch_model(NAME, "0" * 40, tmp_path)


def test_a_repository_without_weights_is_refused(hub: Hub, tmp_path: Path, tiny_folder: Path) -> None:
    hub.folder = tmp_path / "bare"
    hub.folder.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (hub.folder / name).write_bytes((tiny_folder / name).read_bytes())

    with pytest.raises(ModelError, match=r"the hub's repository lacks model\.safetensors"):
        fetch_model(NAME, models_dir=tmp_path)


def test_offline_the_refusal_says_which_files_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    with pytest.raises(ModelError) as refused:
        fetch_model(NAME, models_dir=tmp_path)

    said = str(refused.value)
    assert "HF_HUB_OFFLINE" in said
    assert "config.json, tokenizer.json, tokenizer_config.json and model.safetensors" in said
    assert f"of {NAME}, at commit {COMMIT} of the Hugging Face hub, into" in said
    assert f"into {tmp_path / NAME}" in said
    assert "8 GB" in said


def test_loading_a_model_that_is_not_here_says_the_same_without_asking_the_network(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="isopath models fetch facebook/musicgen-medium") as refused:
        load_checkpoint(NAME, models_dir=tmp_path)

    assert f"into {tmp_path / NAME}" in str(refused.value)


def test_verify_names_the_changed_file_and_both_digests(hub: Hub, tmp_path: Path) -> None:
    file = fetch_model(NAME, models_dir=tmp_path).folder / "generation_config.json"
    before = sha256_of(file)
    file.write_text(file.read_text().replace("3.0", "4.0"))

    with pytest.raises(ModelError) as refused:
        verify_model(NAME, models_dir=tmp_path)

    assert f"generation_config.json has SHA-256 {sha256_of(file)}, not {before}" in str(refused.value)


def test_verify_names_a_file_that_is_gone(hub: Hub, tmp_path: Path) -> None:
    (fetch_model(NAME, models_dir=tmp_path).folder / "tokenizer.json").unlink()

    with pytest.raises(ModelError, match=r"missing: tokenizer\.json"):
        verify_model(NAME, models_dir=tmp_path)


def test_loading_refuses_weights_that_changed_after_the_fetch(hub: Hub, tmp_path: Path) -> None:
    folder = fetch_model(NAME, models_dir=tmp_path).folder
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-2] ^= 1
    weights.write_bytes(data)

    with pytest.raises(ModelError, match=r"model\.safetensors has SHA-256 \w{64}, not \w{64}"):
        load_checkpoint(NAME, models_dir=tmp_path)


def test_a_lock_of_another_revision_is_refused(hub: Hub, tmp_path: Path) -> None:
    folder = fetch_model(NAME, models_dir=tmp_path).folder
    lock = json.loads((folder / LOCK_FILE).read_text())
    (folder / LOCK_FILE).write_text(json.dumps({**lock, "revision": "1" * 40}))

    with pytest.raises(ModelError, match=f"it holds revision {'1' * 40}, not {COMMIT}"):
        find_model(NAME, models_dir=tmp_path)


def test_a_damaged_lock_is_refused(hub: Hub, tmp_path: Path) -> None:
    folder = fetch_model(NAME, models_dir=tmp_path).folder
    (folder / LOCK_FILE).write_text('{"lock_version": 1}')

    with pytest.raises(ModelError, match="the lock file is damaged"):
        verify_model(NAME, models_dir=tmp_path)


def test_files_put_there_by_hand_load_and_are_hashed(tiny_folder: Path, tmp_path: Path) -> None:
    _copied(tiny_folder, tmp_path / NAME)

    checkpoint = load_checkpoint(NAME, models_dir=tmp_path)
    digests = verify_model(NAME, models_dir=tmp_path)

    assert checkpoint.revision is None
    assert checkpoint.sha256["model.safetensors"] == digests["model.safetensors"]


def test_files_put_there_by_hand_are_held_to_the_pins(tiny_folder: Path, tmp_path: Path) -> None:
    _copied(tiny_folder, tmp_path / "t5-base")

    with pytest.raises(ModelError, match=r"model\.safetensors has SHA-256 \w{64}, not a90903540cc0"):
        verify_model("t5-base", models_dir=tmp_path)


def test_a_model_in_the_hubs_own_cache_is_found_at_its_pinned_revision(
    tiny_folder: Path, tmp_path: Path, empty_hub_cache: Path
) -> None:
    snapshots = empty_hub_cache / "models--facebook--musicgen-medium" / "snapshots"
    _copied(tiny_folder, snapshots / COMMIT)
    _copied(tiny_folder, snapshots / ("2" * 40))

    found = find_model(NAME, models_dir=tmp_path)

    assert (found.place, found.revision, found.folder) == ("hub cache", COMMIT, snapshots / COMMIT)
    assert load_checkpoint(NAME, models_dir=tmp_path).revision == COMMIT


def test_another_revision_has_a_folder_of_its_own(hub: Hub, tmp_path: Path) -> None:
    hub.commit = "3" * 40

    stored = fetch_model(NAME, "3" * 40, tmp_path)

    assert stored.folder == tmp_path / f"{NAME}@{'3' * 40}"
    assert find_model(NAME, "3" * 40, tmp_path).revision == "3" * 40
    assert is_here(NAME, tmp_path) is None


def test_an_unknown_model_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="facebook/musicgen-small"):
        fetch_model("facebook/musicgen-huge", models_dir=tmp_path)


def test_the_folder_of_weights_can_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISOPATH_MODELS", str(tmp_path / "elsewhere"))

    assert models_folder() == tmp_path / "elsewhere"
    assert models_folder(tmp_path) == tmp_path


def _copied(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for file in source.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
