"""A cohort on a real cluster of two workers, one of which is killed while it works."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generation.cluster.rendering import render_on_cluster
from generation.cluster.worker import Worker
from generation.engine import Placement
from generation.render import render_sessions
from study.errors import ModelError, OutOfRange, StorageError, UnknownName
from study.manifest import RenderManifest
from study.protocol import EngineSpec
from tests.generation import cluster_run
from tests.generation.counted_engine import ROOT, TogetherEngine, install, lines_of, plan_of


def quiet(_: float) -> None:
    """Progress nobody watches."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    """What `cluster_run` says of its three cohorts."""
    install(folder / "installed")
    done = subprocess.run(
        [sys.executable, cluster_run.__file__, str(folder)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": f"{folder / 'installed'}{os.pathsep}{ROOT}",
            "RAY_USAGE_STATS_ENABLED": "0",
            # The nodes stay on the loopback interface.
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        },
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def sessions_under(out_dir: Path) -> list[str]:
    return sorted(path.parent.parent.name for path in out_dir.glob("*/ses-01/manifest.json"))


def test_a_killed_worker_loses_no_session(told: dict[str, Any], folder: Path) -> None:
    expected = [f"sub-{number:02d}" for number in range(1, cluster_run.N_SESSIONS + 1)]

    manifests = [RenderManifest.from_json(text) for text in told["killed"]["manifests"]]

    assert [manifest.participant_id for manifest in manifests] == expected
    assert sessions_under(folder / "killed") == expected
    assert told["killed"]["killed"] in {line.pid for line in lines_of(folder / "killed.log")}
    assert told["killed"]["shares"] == sorted(told["killed"]["shares"])
    assert told["killed"]["shares"][-1] == 1.0


def test_no_session_is_rendered_twice(told: dict[str, Any], folder: Path) -> None:
    lines = lines_of(folder / "killed.log")
    before = told["killed"]["finished_before"]

    written = Counter(line.detail for line in lines if line.what == "written")
    begun = Counter(line.detail for line in lines if line.what == "begun")

    assert set(written.values()) == {1}
    # The one that was under way is begun again; nothing else is.
    (interrupted,) = (name for name, count in begun.items() if count == 2)
    assert begun.total() == cluster_run.N_SESSIONS + 1
    last_of_the_killed = [line for line in lines if line.pid == told["killed"]["killed"]][-1]
    assert (last_of_the_killed.what, last_of_the_killed.detail) == ("begun", interrupted)
    assert len(before) >= 2
    assert {path: Path(path).stat().st_mtime_ns for path in before} == before


def test_each_session_is_the_one_rendered_alone(told: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    plans = cluster_run.killed_plans(folder)

    for plan, text in list(zip(plans, told["killed"]["manifests"], strict=True))[::3]:
        alone = render_sessions([plan], TogetherEngine(str(tmp_path / "log")), tmp_path / "alone", quiet)
        assert alone == [RenderManifest.from_json(text)]


def test_batches_are_handed_out_whole_and_nothing_is_left_beside_the_sessions(
    told: dict[str, Any], folder: Path
) -> None:
    calls = [line.detail.split() for line in lines_of(folder / "killed.log") if line.what == "call"]

    assert told["killed"]["killed"]
    assert ["sub-01", "sub-02", "sub-03", "sub-04"] in calls
    assert ["sub-05", "sub-06", "sub-07", "sub-08"] in calls
    assert [path.name for path in (folder / "killed").rglob(".*")] == []


def test_a_refusal_of_a_worker_arrives_and_what_was_under_way_is_kept(
    told: dict[str, Any], folder: Path
) -> None:
    assert told["refused"]["refusal"] == (
        f"AudioError: {folder / 'gone.wav'}: there is no such file; name a sound file that can be read"
    )
    assert sessions_under(folder / "refused") == ["sub-01"]


def test_a_session_that_ends_every_worker_is_named_and_the_others_are_kept(
    told: dict[str, Any], folder: Path
) -> None:
    begun = Counter(line.detail for line in lines_of(folder / "deadly.log") if line.what == "begun")

    assert told["deadly"]["refusal"].startswith("DeviceError: sub-02 ses-01: 3 workers died at this (")
    assert begun == {"sub-01": 1, "sub-02": 3, "sub-03": 1}
    assert sessions_under(folder / "deadly") == ["sub-01", "sub-03"]
    assert not (folder / "deadly" / "sub-02").exists()


def test_a_node_that_sees_another_folder_says_which_node(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("here")
    worker = Worker(tmp_path, Placement(), None, Path.cwd())

    assert worker.sign_on(token, "here") is None
    for elsewhere, content in ((token, "there"), (tmp_path / "gone", "here")):
        refusal = worker.sign_on(elsewhere, content)
        assert isinstance(refusal, StorageError)
        assert f"{tmp_path}: is not the same folder on {os.uname().nodename}" in str(refusal)


def test_an_unknown_engine_or_a_numbered_gpu_is_refused_before_a_cluster_is_asked(tmp_path: Path) -> None:
    plan = plan_of(1, tmp_path / "log", "nosuch")

    with pytest.raises(UnknownName, match="'nosuch' is not installed here"):
        render_on_cluster([plan], tmp_path / "out", "127.0.0.1:1", quiet)
    with pytest.raises(OutOfRange, match="cuda:1 is one GPU; a cluster gives each worker its own"):
        render_on_cluster([plan], tmp_path / "out", "local", quiet, Placement("cuda:1"))

    assert not (tmp_path / "out").exists()


def test_an_address_where_nothing_listens_is_refused_at_once(tmp_path: Path) -> None:
    plan = replace(plan_of(1, tmp_path / "log"), engine=EngineSpec("composer"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"

    with pytest.raises(ModelError, match=rf"--cluster {address}: no Ray cluster answers \(.*refused\)"):
        render_on_cluster([plan], tmp_path / "out", address, quiet)

    assert not (tmp_path / "out").exists()


def test_without_ray_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    plan = replace(plan_of(1, tmp_path / "log"), engine=EngineSpec("composer"))

    with pytest.raises(ModelError, match=r"Ray is not installed; pip install 'isopath\[cluster\]'"):
        render_on_cluster([plan], tmp_path / "out", "local", quiet)

    assert not (tmp_path / "out").exists()
