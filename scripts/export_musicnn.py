"""Write the musicnn network as two ONNX graphs.

    python scripts/export_musicnn.py msd_musicnn.npz analysis/mer/musicnn/weights

The input is the variables of MSD_musicnn (Pons & Serra, 2019, musicnn:
pre-trained convolutional neural networks for music audio tagging; ISC licence),
one array per TensorFlow variable. The graphs compute the same function with less
work: patches overlap by half, so what both would compute alike is computed once,
for a hop of 93 frames (`musicnn_timbral`), and each patch adds what is its own.
Batch norms are folded into what follows where no padding stands between.

musicnn_hop.onnx
    mel     float32 [99, 96], log10(1 + 10000 mel): the hop's frames and six more
    hop     float32 [856, 105], as in `musicnn_timbral`
musicnn_patch.onnx
    mel     float32 [187, 96]
    first, second  float32 [856, 105], the patch's hop and the next
    logits     float32 [1, 50]
    tags       float32 [1, 50], sigmoid of the logits
    embedding  float32 [1, 200], the dense layer before its ReLU
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from musicnn_layers import BANDS, PATCH_FRAMES, PATCH_HOP_FRAMES, Weights, batch_norm, rows
from musicnn_temporal import temporal_features
from musicnn_timbral import COLUMNS, FILTERS, MIDDLE_FILTERS, TAPS, hop_graph, middle_taps
from numpy.typing import NDArray
from onnx_graph import Graph


def patch_graph(weights: Weights) -> onnx.ModelProto:
    """One patch: its own temporal filters, and all that follows."""
    graph = Graph()
    normal = graph.affine("mel", *batch_norm(weights, 0), "normal")
    temporal = temporal_features(graph, weights, normal)
    timbral, added = graph.split(
        _of_two_hops(graph), [2 * FILTERS, TAPS * MIDDLE_FILTERS], 0, ["timbral", "added_before"]
    )
    features = [timbral, temporal]
    taps = graph.constant("taps", middle_taps(weights)[:, 2 * FILTERS :])
    added = graph.add("Add", [added, graph.add("MatMul", [taps, temporal], "added_here")], "added")
    first = _activated(graph, weights, _over_taps(graph, added), "conv2d_5", 6)
    second = graph.add("Add", [first, _middle(graph, weights, first, "conv2d_6", 7)], "residual_2")
    third = graph.add("Add", [second, _middle(graph, weights, second, "conv2d_7", 8)], "residual_3")
    everything = graph.add("Concat", [*features, first, second, third], "everything", axis=0)
    highest = graph.add("ReduceMax", [everything], "highest", axes=[1], keepdims=0)
    mean = graph.add("ReduceMean", [everything], "mean", axes=[1], keepdims=0)
    pooled = graph.reshape(graph.add("Concat", [highest, mean], "pooled", axis=0), [1, -1], "pooled_row")
    _tags(graph, weights, pooled)
    hop = [2 * FILTERS + TAPS * MIDDLE_FILTERS, COLUMNS]
    return graph.model(
        "musicnn_patch",
        {"mel": [PATCH_FRAMES, BANDS], "first": hop, "second": hop},
        {"logits": [1, 50], "tags": [1, 50], "embedding": [1, 200]},
    )


def _of_two_hops(graph: Graph) -> str:
    """A patch's columns: its first hop, the second up to three before the end, its own end."""
    middle = PATCH_FRAMES - 3 - (PATCH_HOP_FRAMES + 3)
    columns = [
        graph.slice("first", 0, PATCH_HOP_FRAMES + 3, 1, "beginning"),
        graph.slice("second", 3, 3 + middle, 1, "middle"),
        graph.slice("second", COLUMNS - 3, COLUMNS, 1, "end"),
    ]
    return graph.add("Concat", columns, "columns", axis=1)


def _over_taps(graph: Graph, added: str) -> str:
    """What a middle filter makes of seven frames, from what each frame adds to each tap: [64, 187]."""
    beyond = graph.constant("beyond", np.zeros((TAPS * MIDDLE_FILTERS, 3), dtype=np.float32))
    padded = graph.add("Concat", [beyond, added, beyond], "padded", axis=1)
    names = [f"tap_{tap}" for tap in range(TAPS)]
    taps = graph.split(padded, [MIDDLE_FILTERS] * TAPS, 0, names)
    seen = [graph.slice(tap, n, n + PATCH_FRAMES, 1, f"{tap}_seen") for n, tap in enumerate(taps)]
    return graph.add("Sum", seen, "conv2d_5_out")


def _middle(graph: Graph, weights: Weights, source: str, conv: str, norm: int) -> str:
    """Convolution over seven frames and all features, ReLU, batch norm: [64, 187]."""
    kernel = weights[f"{conv}/kernel"][:, :, 0, :].transpose(2, 1, 0)
    batch = graph.reshape(source, [1, MIDDLE_FILTERS, PATCH_FRAMES], f"{conv}_in")
    found = graph.add(
        "Conv",
        [batch, graph.constant(f"{conv}_w", kernel)],
        f"{conv}_out_batch",
        kernel_shape=[TAPS],
        pads=[3, 3],
    )
    flat = graph.reshape(found, [MIDDLE_FILTERS, PATCH_FRAMES], f"{conv}_out")
    return _activated(graph, weights, flat, conv, norm)


def _activated(graph: Graph, weights: Weights, found: str, conv: str, norm: int) -> str:
    """Bias, ReLU, batch norm."""
    bias = graph.constant(f"{conv}_b", rows(weights[f"{conv}/bias"]))
    active = graph.add("Relu", [graph.add("Add", [found, bias], f"{conv}_biased")], f"{conv}_relu")
    scale, shift = batch_norm(weights, norm)
    return graph.affine(active, rows(scale), rows(shift), f"{conv}_norm")


def _tags(graph: Graph, weights: Weights, pooled: str) -> None:
    """The two dense layers."""
    # The original interleaves maximum and mean; here all maxima come first.
    n_features = len(weights["dense/kernel"])
    order = np.concatenate([np.arange(0, n_features, 2), np.arange(1, n_features, 2)])
    embedding = _dense(graph, weights, pooled, ("dense", 9, "embedding"), order)
    active = graph.add("Relu", [embedding], "active")
    logits = _dense(
        graph, weights, active, ("dense_1", 10, "logits"), np.arange(len(weights["dense_1/kernel"]))
    )
    graph.add("Sigmoid", [logits], "tags")


def _dense(
    graph: Graph, weights: Weights, source: str, layer: tuple[str, int, str], order: NDArray[np.int64]
) -> str:
    """Batch norm and a fully connected layer in one, its inputs in another order."""
    dense, norm, name = layer
    scale, shift = batch_norm(weights, norm)
    kernel = weights[f"{dense}/kernel"].astype(np.float64)
    w = graph.constant(f"{name}_w", (kernel * scale[:, None])[order].astype(np.float32))
    b = graph.constant(f"{name}_b", (weights[f"{dense}/bias"] + shift @ kernel).astype(np.float32))
    return graph.add("Gemm", [source, w, b], name)


def main() -> None:
    """Read the weights, write the graphs."""
    source, folder = (Path(argument) for argument in sys.argv[1:3])
    with np.load(source) as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    for name, graph in (("musicnn_hop", hop_graph(weights)), ("musicnn_patch", patch_graph(weights))):
        target = folder / f"{name}.onnx"
        target.write_bytes(graph.SerializeToString(deterministic=True))
        print(f"{target}: {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
