"""Bounds from test-retest reliability: Spearman (1904), and what the protocol says of it.

Larwood & Dingle (2019): test-retest r = .752 of valence, .741 of arousal, so no prediction can correlate
with more than √.752 = .867 and √.741 = .861.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.agreement.results import agreement_of
from analysis.tables.build import build_tables
from study.analysis_plan import Reliability
from tests.analysis.made_study import MadeStudy, make_protocol, simulate


def attenuation(study: MadeStudy) -> dict[tuple[str, str, str], dict[str, Any]]:
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    rows = agreement_of(study.protocol, tables, study.manifests)["attenuation"]
    return {(row["phase"], row["axis"], row["statistic"]): row for row in rows}


def test_the_ceiling_is_the_root_of_the_reliability() -> None:
    found = attenuation(simulate(make_protocol(), 12))

    assert found["post", "valence", "ceiling"]["estimate"] == pytest.approx(0.867, abs=5e-4)
    assert found["probe", "arousal", "ceiling"]["estimate"] == pytest.approx(0.861, abs=5e-4)
    assert "Larwood" in found["post", "valence", "ceiling"]["method"]


def test_the_corrected_correlation_is_the_observed_one_over_the_ceiling_and_is_called_a_bound() -> None:
    protocol = make_protocol()
    spec = replace(protocol.analysis.agreement, reliability=Reliability(0.64, 0.81, "a pilot"))
    study = simulate(replace(protocol, analysis=replace(protocol.analysis, agreement=spec)), 16)
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    post = tables.pairs[tables.pairs["phase"] == "post"]
    r = np.corrcoef(post["valence"].astype(float), post["valence_pred"].astype(float))[0, 1]

    found = attenuation(study)
    observed, bound = (found["post", "valence", name] for name in ("r", "r_disattenuated"))

    assert observed["estimate"] == pytest.approx(r)
    assert bound["estimate"] == pytest.approx(r / 0.8)
    assert bound["ci_low"] == pytest.approx(observed["ci_low"] / 0.8)
    assert bound["label"].startswith("Upper bound")
    assert "taken as known" in bound["method"]
    assert found["post", "arousal", "r_disattenuated"]["estimate"] == pytest.approx(
        found["post", "arousal", "r"]["estimate"] / 0.9
    )


def test_dividing_by_the_ceiling_recovers_the_correlation_before_noise_was_added() -> None:
    """Spearman's formula: true r .6, reports of reliability .75, so .6 √.75 = .52 is observed."""
    rng = np.random.default_rng(6)
    n = 200_000
    true = rng.normal(0, 1, n)
    predicted = 0.6 * true + 0.8 * rng.normal(0, 1, n)
    reported = true + rng.normal(0, np.sqrt(1 / 0.75 - 1), n)
    observed = np.corrcoef(reported, predicted)[0, 1]

    assert observed == pytest.approx(0.6 * np.sqrt(0.75), abs=0.01)
    assert observed / np.sqrt(0.75) == pytest.approx(0.6, abs=0.01)


def test_too_few_pairs_leave_the_ceiling_and_a_reason() -> None:
    found = attenuation(simulate(make_protocol(), 2))

    assert found["post", "valence", "ceiling"]["estimate"] is not None
    assert found["post", "valence", "r"]["reason"] == "2 pair(s): a correlation needs 3 or more"
    assert found["post", "valence", "r_disattenuated"]["estimate"] is None


def test_nothing_is_said_of_plans_and_of_clips() -> None:
    study = simulate(make_protocol(), 8)
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)

    sets = {row["set_id"] for row in agreement_of(study.protocol, tables, study.manifests)["attenuation"]}

    assert sets == {"felt_vs_generated:probe:slider", "felt_vs_generated:post:slider"}
