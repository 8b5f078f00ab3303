"""Distance from reference music: the published covariance, an honest edge, and sounds that are no music."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.mer.domain import FOLDS, ReferenceDomain, held_out_distance, shrunk_covariance
from analysis.mer.musicnn.network import MusicnnNetwork
from study.errors import OutOfRange
from tests.analysis.mer.controlled_audio import Knobs, sound_of

Floats = NDArray[np.float64]


def windows(n_pieces: int, n_windows: int, d: int, seed: int = 0) -> tuple[Floats, list[str]]:
    """Windows of pieces: each piece has a place of its own, its windows scatter around it."""
    rng = np.random.default_rng(seed)
    places = np.repeat(rng.standard_normal((n_pieces, d)), n_windows, axis=0)
    stretch = np.linspace(0.2, 3.0, d)
    scattered = (places + 0.3 * rng.standard_normal(places.shape)) * stretch + np.arange(d)
    return scattered, [f"piece {index}" for index in range(n_pieces) for _ in range(n_windows)]


@pytest.fixture(scope="module")
def reference() -> ReferenceDomain:
    return ReferenceDomain.fitted(*windows(60, 10, 20), "60 made-up pieces")


@pytest.fixture(scope="module")
def committed() -> ReferenceDomain:
    weights = files("analysis.mer.musicnn") / "weights"
    return ReferenceDomain.from_npz((weights / "reference_domain.npz").read_bytes())


@pytest.fixture(scope="module")
def network() -> MusicnnNetwork:
    return MusicnnNetwork(threads=1)


def test_the_shrunk_covariance_is_scikit_learn_s() -> None:
    # Eight flowers of Fisher (1936); sklearn 1.9.1: covariance.ledoit_wolf(flowers).
    flowers = np.array(
        [
            [5.1, 3.5, 1.4, 0.2],
            [4.9, 3.0, 1.4, 0.2],
            [4.7, 3.2, 1.3, 0.2],
            [7.0, 3.2, 4.7, 1.4],
            [6.4, 3.2, 4.5, 1.5],
            [6.9, 3.1, 4.9, 1.5],
            [6.3, 3.3, 6.0, 2.5],
            [5.8, 2.7, 5.1, 1.9],
        ]
    )

    covariance, shrinkage = shrunk_covariance(flowers)

    assert shrinkage == pytest.approx(0.07751069792756272, rel=1e-9)
    assert covariance == pytest.approx(
        np.array(
            [
                [0.750671719016, -0.006342113952, 1.21033479211, 0.47479371266],
                [-0.006342113952, 0.136207360464, -0.096284820904, -0.041512018593],
                [1.21033479211, -0.096284820904, 3.166440578819, 1.356347551953],
                [0.47479371266, -0.041512018593, 1.356347551953, 0.714492841701],
            ]
        ),
        abs=1e-11,
    )


def test_squared_distance_is_the_number_of_features_on_average() -> None:
    # The mean of chi-squared with d degrees of freedom is d.
    features, pieces = windows(4000, 1, 5)
    domain = ReferenceDomain.fitted(features, pieces, "normal numbers")

    squared = (domain.distance(features) * domain.edge) ** 2

    assert squared.mean() == pytest.approx(5.0, abs=0.05)


def test_the_scale_of_a_feature_is_no_matter(reference: ReferenceDomain) -> None:
    features, pieces = windows(400, 1, 5)
    stretched = features * np.array([1.0, 2.0, 0.5, 3.0, 1.0])
    near = ReferenceDomain.fitted(features, pieces, "")
    far = ReferenceDomain.fitted(stretched, pieces, "")

    assert far.distance(stretched) == pytest.approx(near.distance(features), rel=0.02)


def test_one_window_in_twenty_of_new_pieces_is_outside() -> None:
    domain = ReferenceDomain.fitted(*windows(200, 10, 20), "")
    fresh, _ = windows(2000, 10, 20, seed=1)

    outside = float(np.mean(domain.distance(fresh) > 1.0))

    # Of 200 pieces: the standard error of the share is about .012.
    assert outside == pytest.approx(0.05, abs=0.03)


def test_an_edge_set_without_leaving_pieces_out_would_flag_too_many() -> None:
    features, pieces = windows(40, 10, 20)
    domain = ReferenceDomain.fitted(features, pieces, "")
    fresh, _ = windows(2000, 10, 20, seed=1)
    naive = float(np.quantile(domain.distance(features), 0.95))

    assert np.mean(domain.distance(fresh) > naive) > 2 * np.mean(domain.distance(fresh) > 1.0)


def test_windows_of_one_piece_are_left_out_together() -> None:
    features, pieces = windows(60, 10, 20)
    features[:10] += 30.0

    distance = held_out_distance(features, pieces)

    assert distance[:10].min() > 2.0 * distance[10:].max()


def test_too_few_pieces_are_refused() -> None:
    with pytest.raises(OutOfRange, match=f"9 cannot be dealt to {FOLDS} folds"):
        ReferenceDomain.fitted(*windows(9, 10, 5), "")


def test_a_reference_is_the_same_when_read_back(reference: ReferenceDomain) -> None:
    features, _ = windows(60, 10, 20)

    again = ReferenceDomain.from_npz(reference.to_npz())

    assert again.distance(features) == pytest.approx(reference.distance(features), rel=1e-5)
    assert again.description == reference.description
    assert "600 windows of 60 made-up pieces" in again.description
    assert again.to_npz() == reference.to_npz()


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=20, max_size=20))
@settings(max_examples=50, deadline=None)
def test_every_distance_is_finite_and_none_is_negative(
    reference: ReferenceDomain, features: list[float]
) -> None:
    distance = reference.distance(np.array([features], dtype=np.float32))

    assert distance.shape == (1,)
    assert np.isfinite(distance[0])
    assert distance[0] >= 0.0


def test_the_committed_reference_is_small_and_says_what_it_is(committed: ReferenceDomain) -> None:
    content = (files("analysis.mer.musicnn") / "weights" / "reference_domain.npz").read_bytes()

    assert len(content) < 200_000
    assert committed.mean.shape == (200,)
    assert "201 pieces of game music from 20 Debian packages" in committed.description
    assert "Ledoit & Wolf" in committed.description


def made(kind: str) -> NDArray[np.float32]:
    """Nine seconds at 16 kHz that are no music."""
    rng = np.random.default_rng(4)
    time_s = np.arange(9 * 16_000) / 16_000
    noise = rng.standard_normal(len(time_s))
    sounds = {
        "white noise": 0.1 * noise,
        "hum": 0.3 * np.sin(2 * np.pi * 220.0 * time_s),
        "silence": np.zeros(len(time_s)),
    }
    return sounds[kind].astype(np.float32)[:, None]


@pytest.mark.parametrize("kind", ["white noise", "hum", "silence"])
def test_what_is_no_music_is_foreign(committed: ReferenceDomain, network: MusicnnNetwork, kind: str) -> None:
    listener = network.listen(16_000)
    listener.hear(made(kind))

    assert committed.distance(listener.finish().embedding).min() > 1.0


def test_a_plain_piano_piece_is_not_foreign(committed: ReferenceDomain, network: MusicnnNetwork) -> None:
    listener = network.listen(32_000)
    listener.hear(sound_of(Knobs(duration_s=12.0)))

    assert committed.distance(listener.finish().embedding).max() < 1.0
