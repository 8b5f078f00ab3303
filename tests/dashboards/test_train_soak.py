"""`isopath train` killed outright, and by two processes at once: too slow for every run of the tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.dashboards.command_line import ISOPATH, isopath
from tests.dashboards.short_music import write_music, write_recipe, write_table

pytestmark = [pytest.mark.torch, pytest.mark.soak]

WEIGHTS = ("adapter_model.safetensors", "affect_tokens.safetensors")
STEPS = {"optimiser": {"max_steps": 20}, "selection": {"every_steps": 5}}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    from generation.musicgen.writing.random_model import write_random_model

    folder = tmp_path / "music"
    write_table(folder, write_music(folder))
    write_random_model("tiny", tmp_path / "tiny")
    return write_recipe(folder, tmp_path / "tiny", **STEPS)


def digests(facts: dict[str, Any]) -> dict[str, str]:
    return {name: facts["files_sha256"][name] for name in WEIGHTS}


def test_a_training_that_is_killed_again_and_again_ends_with_the_same_adapter(
    recipe: Path, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    expected = digests(isopath("train", "--recipe", recipe, "--out", whole, "--json").facts)

    for stage in ("data/card.json", "tokens/index.jsonl", "checkpoints/step-00000005", "log.csv"):
        process = subprocess.Popen(
            [str(ISOPATH), "train", "--recipe", str(recipe), "--out", str(killed)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 120
        while not (killed / stage).exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    gone_on = isopath("train", "--recipe", recipe, "--out", killed, "--json")

    assert gone_on.code == 0, gone_on.err
    assert digests(gone_on.facts) == expected


def test_two_processes_train_one_adapter(recipe: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"

    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"),
            *("-m", "dashboards.cli.main", "train", "--recipe", recipe, "--out", run, "--json"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    # Two windows a batch, one batch a step, two processes.
    assert (facts["n_processes"], facts["learned"]["windows_seen"]) == (2, 20 * 2 * 2)
    assert len((run / "log.csv").read_text().splitlines()) == 1 + 1 + 20
