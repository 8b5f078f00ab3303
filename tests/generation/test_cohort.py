"""A cohort is rendered once, whole batches at a time where an engine wants them, and goes on after a stop."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.cohort import render_cohort
from generation.engine import AffectJudge, Placement
from study.errors import AudioError, UnknownName
from study.path import PathKind
from study.session import SessionPlan
from tests.generation.counted_engine import TOGETHER, install, lines_of, plan_of


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "installed")
    monkeypatch.syspath_prepend(tmp_path / "installed")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def quiet(_: float) -> None:
    """Progress nobody watches."""


def details(log: Path, what: str) -> list[str]:
    return [line.detail for line in lines_of(log) if line.what == what]


def silent(plan: SessionPlan) -> SessionPlan:
    return replace(plan, path=replace(plan.path, kind=PathKind.SILENCE))


@dataclass(frozen=True)
class LoudnessJudge:
    name: str

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        return 0.0, float(np.clip(np.abs(samples).mean(), -1.0, 1.0))


def load_judge(name: str) -> AffectJudge:
    if name != "loudness":
        raise UnknownName("engine.options.judge", f"{name!r} is not installed here", "write loudness")
    return LoudnessJudge(name)


def names(plans: Sequence[SessionPlan]) -> list[str]:
    return [plan.participant_id for plan in plans]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_engine_that_fills_batches_gets_all_its_plans_at_once(
    tmp_path: Path, log: Path, jobs: int
) -> None:
    together = [plan_of(number, log, TOGETHER) for number in (1, 3, 5)]
    louder = plan_of(2, log, TOGETHER, pause_s=0.01)
    plans = [together[0], louder, together[1], silent(plan_of(4, log)), together[2]]
    shares: list[float] = []

    manifests = render_cohort(plans, tmp_path / "out", jobs, shares.append, Placement("cuda:1"))

    # Another spec is another engine.
    assert details(log, "call") == ["sub-01 sub-03 sub-05", "sub-02"]
    assert set(details(log, "device")) == {"cuda:1"}
    assert [manifest.participant_id for manifest in manifests] == names(plans)
    assert [manifest.engine["name"] for manifest in manifests] == [TOGETHER] * 3 + ["stimuli", TOGETHER]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_other_engines_share_processes_and_give_the_same_files(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    plans = [plan_of(number, log) for number in (1, 2, 3)]

    here = render_cohort(plans, tmp_path / "here", 1, quiet)
    there = render_cohort(plans, tmp_path / "there", 2, quiet)

    assert there == here
    assert sorted(details(log, "call")) == sorted(names(plans) * 2)
    assert len({line.pid for line in lines_of(log)}) >= 2
    # Processes share the cores, and take a thread each; what the caller's own environment says stands.
    assert details(log, "threads") == ["- 3"] * 3 + ["1 3"] * 3
    assert "OMP_NUM_THREADS" not in os.environ


def test_what_is_rendered_is_kept_and_only_the_rest_is_made(tmp_path: Path, log: Path) -> None:
    plans = [plan_of(number, log, TOGETHER) for number in (1, 2, 3)]
    first = render_cohort(plans[:1], tmp_path / "out", 1, quiet)

    again = render_cohort(plans, tmp_path / "out", 1, quiet)

    assert again[0] == first[0]
    assert details(log, "call") == ["sub-01", "sub-02 sub-03"]


def test_an_engine_that_is_not_installed_is_refused_before_anything_is_rendered(
    tmp_path: Path, log: Path
) -> None:
    plans = [plan_of(1, log, TOGETHER), plan_of(2, log, "nosuch")]

    with pytest.raises(UnknownName, match=r"engine\.name: 'nosuch' is not installed here; write one of"):
        render_cohort(plans, tmp_path / "out", 1, quiet)

    assert lines_of(log) == []


def test_the_judge_an_engine_names_is_handed_to_it(tmp_path: Path, log: Path) -> None:
    plan = plan_of(1, log, TOGETHER, judge="loudness")
    elsewhere = [plan_of(number, log, judge="loudness") for number in (2, 3)]

    render_cohort([plan, *elsewhere], tmp_path / "out", 2, quiet, load_judge=load_judge)

    assert details(log, "judge") == ["loudness"] * 3


def test_a_judge_that_is_not_installed_is_refused_before_anything_is_rendered(
    tmp_path: Path, log: Path
) -> None:
    plans = [plan_of(1, log, TOGETHER), plan_of(2, log, TOGETHER, judge="ear")]

    with pytest.raises(UnknownName, match="'ear' is not installed here"):
        render_cohort(plans, tmp_path / "out", 1, quiet, load_judge=load_judge)

    assert lines_of(log) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_sessions_finished_before_a_refusal_are_kept(tmp_path: Path, log: Path, jobs: int) -> None:
    gone = replace(plan_of(2, log), files=("gone.wav",))
    plans = [plan_of(1, log), replace(gone, path=replace(gone.path, kind=PathKind.FILES))]

    with pytest.raises(AudioError, match=r"gone\.wav: there is no such file"):
        render_cohort(plans, tmp_path / "out", jobs, quiet)

    kept = [path.parent.parent.name for path in (tmp_path / "out").glob("*/ses-01/manifest.json")]
    assert kept == ["sub-01"]
