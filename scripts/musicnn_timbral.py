"""musicnn's timbral filters as a graph over one hop, shared by the two patches that overlap there.

A timbral filter looks at seven frames and 38 (or 67) of the 96 bands at every
one of 59 (or 30) places, and only its highest response in each frame counts.
Between bands it is a correlation, which is a product after a discrete Fourier
transform of length 96: every place lies where the circular result equals the
linear one. With places counted from the middle one, the part of the result that
comes from the real products is even (C) and the other odd (S), so the highest
response is the maximum of C + |S| over half of the places. All of that is exact;
it takes a quarter of the multiplications.

In time nothing is transformed. A patch sees zeros beyond its ends, so its first
three and last three frames have responses of their own; those between are the
same in every patch that holds them.
"""

from __future__ import annotations

import numpy as np
import onnx
from musicnn_layers import BANDS, PATCH_HOP_FRAMES, Float32, Float64, Weights, batch_norm, rows
from onnx_graph import Graph

#: Frames of one hop: from the patch's first to three beyond the next patch's third.
FRAMES = PATCH_HOP_FRAMES + 6
#: Columns of a hop: 96 that begin with the patch's three edge frames, six that mean
#: nothing, three that end the patch before.
COLUMNS = FRAMES + 6
FILTERS = 204
TAPS = 7
BINS = BANDS // 2 + 1
MIDDLE_FILTERS = 64
#: Filters multiplied at once, of each half: what they yield stays in a processor's cache.
_AT_ONCE = (36, 36, 30)


def hop_graph(weights: Weights) -> onnx.ModelProto:
    """Mel frames of one hop to what both its patches need of the timbral filters.

    Input   mel  [99, 96]
    Output  hop  [856, 105]: 408 timbral features, and what they add to each of
                 the seven taps of the first middle layer's 64 filters.
    """
    graph = Graph()
    columns = _spectra(graph, weights)
    features = graph.add(
        "Concat",
        [_bank(graph, weights, columns, "conv2d", 1), _bank(graph, weights, columns, "conv2d_1", 2)],
        "features",
        axis=0,
    )
    taps = graph.constant("taps", middle_taps(weights)[:, : 2 * FILTERS])
    graph.add("Concat", [features, graph.add("MatMul", [taps, features], "added")], "hop", axis=0)
    height = 2 * FILTERS + TAPS * MIDDLE_FILTERS
    return graph.model("musicnn_hop", {"mel": [FRAMES, BANDS]}, {"hop": [height, COLUMNS]})


def middle_taps(weights: Weights) -> Float32:
    """The first middle layer as a matrix [7 taps × 64 filters, 561 features]."""
    kernel = weights["conv2d_5/kernel"][:, :, 0, :]
    return kernel.transpose(0, 2, 1).reshape(TAPS * MIDDLE_FILTERS, -1)


def _cos(angle: Float64) -> Float64:
    # Zero where it is zero but for rounding: what such remainders are multiplied to is slow to compute.
    return np.round(np.cos(angle), 12)


def _sin(angle: Float64) -> Float64:
    return np.round(np.sin(angle), 12)


def _spectra(graph: Graph, weights: Weights) -> str:
    """Seven frames' spectra over the bands, side by side: [49 bins, (re, im) × 7 frames, 105 columns]."""
    normal = graph.affine("mel", *batch_norm(weights, 0), "normal")
    angle = 2 * np.pi * np.outer(np.arange(BINS), np.arange(BANDS)) / BANDS
    transform = np.stack([_cos(angle), -_sin(angle)], axis=1).reshape(2 * BINS, BANDS)
    bands_first = graph.add("Transpose", [normal], "bands_first", perm=[1, 0])
    spectrum = graph.add(
        "MatMul", [graph.constant("transform", transform.astype(np.float32)), bands_first], "spectrum"
    )
    beyond = graph.constant("beyond", np.zeros((2 * BINS, 3), dtype=np.float32))
    ending = graph.slice(spectrum, PATCH_HOP_FRAMES - 5, PATCH_HOP_FRAMES + 1, 1, "ending")
    padded = graph.add("Concat", [beyond, spectrum, ending, beyond], "padded", axis=1)
    seen = [graph.slice(padded, tap, tap + COLUMNS, 1, f"seen_{tap}") for tap in range(TAPS)]
    return graph.reshape(graph.add("Concat", seen, "seen", axis=1), [BINS, 2 * TAPS, COLUMNS], "columns")


def _bank(graph: Graph, weights: Weights, columns: str, conv: str, norm: int) -> str:
    """Highest response of each filter, ReLU, batch norm: [204, 105]."""
    kernel = weights[f"{conv}/kernel"][:, :, 0, :].transpose(2, 0, 1)
    scale, shift = batch_norm(weights, norm)
    # A negative scale turns the maximum into a minimum; the negated filter has it as its maximum.
    sign = np.where(scale < 0, -1.0, 1.0).astype(np.float32)
    kernel = kernel * sign[:, None, None]
    even, odd = _places(kernel.shape[2])
    parts = _products(graph, kernel, conv)
    found = []
    for number, (real, imaginary) in enumerate(zip(*parts, strict=True)):
        name = f"{conv}_{number}"
        c = _at_places(graph, real, columns, graph.constant(f"{name}_even", even), f"{name}_c")
        s = _at_places(graph, imaginary, columns, graph.constant(f"{name}_odd", odd), f"{name}_s")
        response = graph.add("Add", [c, graph.add("Abs", [s], f"{name}_abs")], f"{name}_response")
        highest = graph.add("ReduceMax", [response], f"{name}_highest", axes=[1], keepdims=0)
        found.append(graph.reshape(highest, [2, _AT_ONCE[number], COLUMNS], f"{name}_found"))
    halves = graph.add("Concat", found, f"{conv}_halves", axis=1)
    highest = graph.reshape(halves, [FILTERS, COLUMNS], f"{conv}_all")
    biased = graph.affine(highest, rows(sign), rows(weights[f"{conv}/bias"]), f"{conv}_biased")
    return graph.affine(graph.add("Relu", [biased], f"{conv}_relu"), rows(scale), rows(shift), f"{conv}_norm")


def _at_places(graph: Graph, product: str, columns: str, places: str, name: str) -> str:
    """Filters × columns in every bin, then from bins to places: [2 halves, places, filters × columns]."""
    bins = graph.add("MatMul", [product, columns], f"{name}_bins")
    return graph.add("MatMul", [places, graph.reshape(bins, [2, BINS, -1], f"{name}_flat")], name)


def _places(height: int) -> tuple[Float32, Float32]:
    """From bins to places, counted from the middle one: the even part and the odd part."""
    n_places = BANDS - height + 1
    place = np.arange((n_places + 1) // 2) + (0.0 if n_places % 2 else 0.5)
    angle = 2 * np.pi * np.outer(place, np.arange(BINS)) / BANDS
    # Every bin but the first and the last stands for itself and its conjugate.
    share = np.full(BINS, 2.0 / BANDS)
    share[[0, -1]] /= 2
    return (share * _cos(angle)).astype(np.float32), (share * _sin(angle)).astype(np.float32)


def _products(graph: Graph, kernel: Float32, conv: str) -> tuple[list[str], list[str]]:
    """What a column is multiplied with for the real and the imaginary part of each bin's response.

    Each a list over `_AT_ONCE` of [2 halves, 49 bins, filters, (re, im) × 7 frames]. Worked out
    from the filters in double precision when the graph is loaded, so that the file holds them once.
    """
    height = kernel.shape[2]
    middle = (BANDS - height) / 2
    angle = 2 * np.pi * np.outer(np.arange(height) + middle, np.arange(BINS)) / BANDS
    double = graph.add(
        "Cast", [graph.constant(f"{conv}_w", kernel)], f"{conv}_double", to=onnx.TensorProto.DOUBLE
    )
    real = graph.add("MatMul", [double, graph.constant(f"{conv}_cos", _cos(angle))], f"{conv}_real")
    imaginary = graph.add("MatMul", [double, graph.constant(f"{conv}_sin", _sin(angle))], f"{conv}_imaginary")
    minus = graph.add("Neg", [imaginary], f"{conv}_minus")
    return (
        _for_bins(graph, [real, minus], f"{conv}_for_real"),
        _for_bins(graph, [imaginary, real], f"{conv}_for_imaginary"),
    )


def _for_bins(graph: Graph, parts: list[str], name: str) -> list[str]:
    both = graph.add("Concat", parts, f"{name}_both", axis=1)
    halves = graph.reshape(both, [2, FILTERS // 2, 2 * TAPS, BINS], f"{name}_halves")
    bins_first = graph.add("Transpose", [halves], f"{name}_bins_first", perm=[0, 3, 1, 2])
    single = graph.add("Cast", [bins_first], f"{name}_single", to=onnx.TensorProto.FLOAT)
    return list(graph.split(single, _AT_ONCE, 2, [f"{name}_{number}" for number in range(len(_AT_ONCE))]))
