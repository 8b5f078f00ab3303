"""Essentia's models on this machine: fetched once the licence is accepted, pinned, locked, found, refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.mer.essentia.catalogue import backbone_of, heads_of, load_models, model_named
from analysis.mer.essentia.fetch import ADDRESS_VARIABLE, fetch_model, verify_model
from analysis.mer.essentia.store import FOLDER_VARIABLE, find_model, folder_of
from study.errors import ModelError, UnknownName
from study.model_folder import LOCK_FILE
from tests.analysis.mer.essentia.frozen_graphs import METADATA, SecondGeneration, delimited
from tests.analysis.mer.essentia.server import Server, serving

MUSE = "essentia/muse-msd-musicnn-2"
DEAM = "essentia/deam-msd-musicnn-2"
PATH = "/models/classification-heads/muse/muse-msd-musicnn-2"
GRAPH = SecondGeneration().content()


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISOPATH_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    return tmp_path / "store"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    # The published file of this head is 82,460 bytes long; a comment field makes ours as long.
    graph = GRAPH + _filling(82_460 - len(GRAPH))
    with serving({f"{PATH}.pb": graph, f"{PATH}.json": METADATA.encode()}) as server:
        monkeypatch.setenv(ADDRESS_VARIABLE, server.url)
        yield server


def _filling(n_bytes: int) -> bytes:
    """A field that GraphDef does not know, of so many bytes."""
    fields = (delimited(15, bytes(n_bytes - n_before)) for n_before in (2, 3))
    return next(field for field in fields if len(field) == n_bytes)


def refusal(name: str, accepts_licence: bool = True) -> str:
    with pytest.raises(ModelError) as refused:
        fetch_model(name, accepts_licence)
    return str(refused.value)


def test_a_fetched_head_is_locked_to_its_bytes_and_to_the_accepted_licence(
    server: Server, store: Path
) -> None:
    kept = fetch_model(MUSE, accepts_licence=True)

    folder = store / MUSE
    lock = json.loads((folder / LOCK_FILE).read_text())
    digest = hashlib.sha256(server.files[f"{PATH}.pb"]).hexdigest()
    assert kept.graph == folder / "muse-msd-musicnn-2.pb"
    assert kept.held_to == "locked"
    assert kept.sha256["muse-msd-musicnn-2.pb"] == digest
    assert lock["licence"] == "CC BY-NC-SA 4.0"
    assert lock["licence_accepted"] is True
    assert lock["files"]["muse-msd-musicnn-2.pb"] == {"bytes": 82_460, "sha256": digest}
    assert sorted(file.name for file in folder.iterdir()) == [
        LOCK_FILE,
        "muse-msd-musicnn-2.json",
        "muse-msd-musicnn-2.pb",
    ]
    assert [file.name for file in folder.parent.iterdir()] == [folder.name]


def test_nothing_is_asked_of_the_server_before_the_licence_is_accepted(server: Server) -> None:
    said = refusal(MUSE, accepts_licence=False)

    assert "CC BY-NC-SA 4.0" in said
    assert "no commercial use" in said
    assert f"isopath models fetch {MUSE} --accept-licence" in said
    assert server.asked == []


def test_a_fetch_that_broke_off_goes_on_where_it_stopped(server: Server) -> None:
    server.stops_after = 50_000
    assert "the connection ended after 50000 of 82460 bytes" in refusal(MUSE)

    kept = fetch_model(MUSE, accepts_licence=True)

    assert server.asked[:2] == [(f"{PATH}.pb", ""), (f"{PATH}.pb", "bytes=50000-")]
    assert server.sent[:2] == [50_000, 32_460]
    assert kept.graph.read_bytes() == server.files[f"{PATH}.pb"]


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(server: Server) -> None:
    server.stops_after = 50_000
    refusal(MUSE)
    changed = SecondGeneration(seed=9).content()
    server.files[f"{PATH}.pb"] = changed + _filling(82_460 - len(changed))

    assert fetch_model(MUSE, accepts_licence=True).graph.read_bytes() == server.files[f"{PATH}.pb"]


def test_what_is_fetched_already_is_verified_and_not_fetched_again(server: Server) -> None:
    fetch_model(MUSE, accepts_licence=True)
    n_asked = len(server.asked)

    again = fetch_model(MUSE, accepts_licence=False)

    assert len(server.asked) == n_asked
    assert again.held_to == "locked"


def test_a_locked_head_that_changed_is_refused_with_both_digests(server: Server) -> None:
    kept = fetch_model(MUSE, accepts_licence=True)
    before = kept.sha256[kept.graph.name]
    kept.graph.write_bytes(GRAPH)

    with pytest.raises(ModelError) as refused:
        find_model(MUSE)

    assert f"has SHA-256 {hashlib.sha256(GRAPH).hexdigest()}, not {before}" in str(refused.value)


def test_a_locked_file_that_is_gone_is_named(server: Server) -> None:
    kept = fetch_model(MUSE, accepts_licence=True)
    kept.graph.with_suffix(".json").unlink()

    with pytest.raises(ModelError, match=r"missing: muse-msd-musicnn-2\.json"):
        verify_model(MUSE)


def test_bytes_that_are_not_what_is_pinned_are_deleted_and_refused(server: Server, store: Path) -> None:
    path = "/models/classification-heads/deam/deam-msd-musicnn-2"
    server.files |= {f"{path}.pb": GRAPH, f"{path}.json": METADATA.encode()}

    said = refusal(DEAM)

    assert f"SHA-256 {hashlib.sha256(GRAPH).hexdigest()}, not {model_named(DEAM).sha256}" in said
    assert not any(store.rglob("*.pb"))


def test_a_file_of_another_size_than_the_server_lists_is_refused(server: Server, store: Path) -> None:
    server.files[f"{PATH}.pb"] = GRAPH
    assert f"{len(GRAPH)} bytes came where the server's listing names 82460" in refusal(MUSE)

    server.files[f"{PATH}.pb"] = GRAPH + bytes(82_460)
    assert "more than 82460 bytes" in refusal(MUSE)
    assert not (store / MUSE).exists()


def test_a_page_that_is_no_head_is_not_locked(server: Server, store: Path) -> None:
    server.files[f"{PATH}.pb"] = b"<html>" + b" " * 82_454

    assert "cannot be read as a frozen graph" in refusal(MUSE)
    assert not (store / MUSE).exists()


def test_without_network_the_message_says_which_files_to_put_where(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "http://127.0.0.1:9/models")

    said = refusal(DEAM)

    assert "http://127.0.0.1:9/models/classification-heads/deam/deam-msd-musicnn-2.pb did not come" in said
    assert "put https://essentia.upf.edu/models/classification-heads/deam/deam-msd-musicnn-2.pb" in said
    assert f"into {store / DEAM}" in said
    assert f"deam-msd-musicnn-2.pb must have SHA-256 {model_named(DEAM).sha256}" in said
    assert FOLDER_VARIABLE in said
    assert "\n" not in said


def test_a_copy_of_the_server_must_be_one_that_cannot_be_changed_on_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "http://models.example/essentia")

    assert "is not an address of https" in refusal(MUSE)


def test_files_put_there_by_hand_are_found_and_never_overwritten(store: Path, test_data: Path) -> None:
    name = "essentia/emomusic-msd-musicnn-1"
    folder = folder_of(model_named(name))
    folder.mkdir(parents=True)
    shutil.copy(test_data / "essentia_nc" / "emomusic-msd-musicnn-1.pb", folder)

    kept = find_model(name)

    assert (kept.held_to, kept.metadata) == ("pinned", None)
    assert verify_model(name) == {"emomusic-msd-musicnn-1.pb": model_named(name).sha256}
    assert "put there by hand are in the way" in refusal(name)


def test_the_folder_a_person_names_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "muse-msd-musicnn-2.pb").write_bytes(GRAPH)
    monkeypatch.setenv(FOLDER_VARIABLE, str(mine))

    kept = find_model(MUSE)

    assert kept.graph.parent == mine
    assert kept.held_to == "nothing"


def test_a_pinned_head_in_a_persons_own_folder_is_held_to_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deam-msd-musicnn-2.pb").write_bytes(GRAPH)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))

    with pytest.raises(ModelError, match=r"deam-msd-musicnn-2\.pb has SHA-256"):
        find_model(DEAM)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=MUSE):
        fetch_model("essentia/mood-ring-1", accepts_licence=True)


def test_the_catalogue_has_every_head_on_both_backbones_in_both_generations() -> None:
    models = load_models()

    for ratings in ("emomusic", "deam", "muse"):
        for backbone in ("msd-musicnn", "audioset-vggish"):
            stems = [model.stem for model in heads_of(ratings, backbone)]
            assert stems == [f"{ratings}-{backbone}-{generation}" for generation in (2, 1)]
    assert len(models) == 14
    assert backbone_of("msd-musicnn").sha256 is not None
    for model in models.values():
        assert model.address.startswith("https://essentia.upf.edu/models/")
        assert model.address.endswith(f"/{model.stem}")
        assert model.sha256 is None or len(bytes.fromhex(model.sha256)) == 32


def test_the_pinned_digest_is_that_of_the_published_file(test_data: Path) -> None:
    content = (test_data / "essentia_nc" / "emomusic-msd-musicnn-1.pb").read_bytes()
    model = model_named("essentia/emomusic-msd-musicnn-1")

    assert hashlib.sha256(content).hexdigest() == model.sha256
    assert len(content) == model.bytes


def test_the_manual_has_every_model_with_its_size_and_digest() -> None:
    manual = (Path(__file__).parents[4] / "docs" / "models.md").read_text(encoding="utf-8")

    for model in load_models().values():
        folder = model.address.removeprefix("https://essentia.upf.edu/models/").removesuffix(model.stem)
        size = "not stated" if model.bytes is None else f"{model.bytes:,}"
        digest = f"`{model.sha256}`" if model.sha256 else "locked at first fetch"
        assert f"| `{model.stem}` | `{folder}` | {size} | {digest} |" in manual
