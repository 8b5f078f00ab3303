"""MSD_musicnn as it was published, layer by layer, one patch at a time, in double precision.

The layers of Pons & Serra (2019), musicnn: pre-trained convolutional neural networks for music audio
tagging, slow and plain: nothing is shared, folded or transformed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Weights = Mapping[str, Doubles]


def embedding_of(weights: Weights, mel: NDArray[np.float32]) -> Doubles:
    """The dense layer before its batch norm and ReLU, shape [200], of a patch of shape [187, 96]."""
    image = _batch_norm(weights, 0, mel.astype(np.float64)[:, :, None])
    front = [
        _front_end(weights, image, name, number, pads)
        for name, number, pads in (
            ("conv2d", 1, (3, 3)),
            ("conv2d_1", 2, (3, 3)),
            ("conv2d_2", 3, (63, 64)),
            ("conv2d_3", 4, (31, 32)),
            ("conv2d_4", 5, (15, 16)),
        )
    ]
    features = np.concatenate(front, axis=1)
    first = _middle(weights, features, "conv2d_5", 6)
    second = first + _middle(weights, first, "conv2d_6", 7)
    third = second + _middle(weights, second, "conv2d_7", 8)
    everything = np.concatenate([features, first, second, third], axis=1)
    pooled = np.stack([everything.max(axis=0), everything.mean(axis=0)], axis=1).reshape(-1)
    return np.asarray(_batch_norm(weights, 9, pooled) @ weights["dense/kernel"] + weights["dense/bias"])


def _batch_norm(weights: Weights, number: int, values: Doubles) -> Doubles:
    name = "batch_normalization" + (f"_{number}" if number else "")
    mean, variance, gamma, beta = (
        weights[f"{name}/{part}"] for part in ("moving_mean", "moving_variance", "gamma", "beta")
    )
    return np.asarray((values - mean) / np.sqrt(variance + 1e-3) * gamma + beta)


def _front_end(weights: Weights, image: Doubles, name: str, number: int, pads: tuple[int, int]) -> Doubles:
    """Convolution (zeros beyond the patch, in time only), ReLU, batch norm, maximum over bands."""
    kernel = weights[f"{name}/kernel"][:, :, 0, :]
    padded = np.pad(image[:, :, 0], [pads, (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2])
    found = np.tensordot(windows, kernel, axes=([2, 3], [0, 1])) + weights[f"{name}/bias"]
    return np.asarray(_batch_norm(weights, number, np.maximum(found, 0.0)).max(axis=1))


def _middle(weights: Weights, features: Doubles, name: str, number: int) -> Doubles:
    """Convolution over seven frames and all features, ReLU, batch norm."""
    kernel = weights[f"{name}/kernel"][:, :, 0, :]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(features, [(3, 3), (0, 0)]), 7, axis=0)
    found = np.tensordot(windows, kernel, axes=([2, 1], [0, 1])) + weights[f"{name}/bias"]
    return _batch_norm(weights, number, np.maximum(found, 0.0))
