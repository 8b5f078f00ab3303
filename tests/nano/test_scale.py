"""What a scale says of decoding is what the engines of the evaluation decode with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from generation.engine import Placement
from generation.musicgen.writing.random_model import write_random_model
from generation.registry import load_engine
from study.affect import Affect
from study.path import PathKind, PathSpec, make_path
from study.protocol import EngineSpec
from study.session import SessionPlan
from tests.generation.grid.runs import leave_run
from tests.nano.evaluation import systems_of
from tests.nano.models import RUNS
from tests.nano.recipes import AFFECT, BASE, GAMES, WORDS
from tests.nano.scale import SCALES

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the trainings leave: a small base of random weights, adapters without any."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("nano")
    base = root / RUNS / BASE / "model"
    base.mkdir(parents=True)
    write_random_model("tiny", base)
    for name in (WORDS, AFFECT, GAMES):
        leave_run(root / RUNS / name, str(base), affect=name != WORDS)
    return root


@pytest.mark.parametrize("name", SCALES)
def test_every_system_that_draws_draws_as_the_scale_says(folder: Path, name: str) -> None:
    scale = replace(SCALES[name], temperature=0.77, top_k=31, guidance_scale=2.5)

    neural = [system for system in systems_of(scale, folder, True) if system.engine == "musicgen"]

    assert len(neural) == 6
    for system in neural:
        told = {key: system.options[key] for key in ("temperature", "top_k", "guidance_scale")}
        assert told == {"temperature": 0.77, "top_k": 31, "guidance_scale": 2.5}, system.name


def test_the_temperature_of_the_scale_is_heard_in_the_clip(folder: Path) -> None:
    nano = SCALES["nano"]
    base = next(system for system in systems_of(nano, folder, False) if system.name == "base-numeric")

    as_the_scale_says = _clip(base.options)
    said_outright = _clip({**base.options, "temperature": nano.temperature})
    at_one = _clip({key: value for key, value in base.options.items() if key != "temperature"})

    assert nano.temperature == 0.9
    assert np.array_equal(as_the_scale_says, said_outright)
    assert not np.array_equal(as_the_scale_says, at_one)


def _clip(options: Mapping[str, Any]) -> NDArray[np.float32]:
    """One second of the calm end of the plane."""
    calm = Affect(0.5, -0.5)
    path = make_path(PathSpec(PathKind.CONSTANT, 1, 1.0), calm, calm, 1)
    spec = EngineSpec("musicgen", dict(options))
    plan = SessionPlan("sub-01", "ses-01", "none", path, calm, calm, 1.0, 1, -23.0, engine=spec)
    (audio,) = load_engine(spec, Placement()).generate([plan], lambda _: None)
    return np.asarray(audio.samples)
