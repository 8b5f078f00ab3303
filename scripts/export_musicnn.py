"""Write the musicnn network as an ONNX graph.

    python scripts/export_musicnn.py msd_musicnn.npz analysis/mer/musicnn/weights/msd_musicnn.onnx

The input is the variables of MSD_musicnn (Pons & Serra, 2019, musicnn:
pre-trained convolutional neural networks for music audio tagging; ISC licence),
one array per TensorFlow variable. The graph computes the same function with
less work: batch norms are folded into what follows where no padding stands
between, and every maximum over frequency is taken before the pointwise
operations that do not change its place.

Input   mel        float32 [batch, 187, 96], log10(1 + 10000 mel)
Outputs logits     float32 [batch, 50]
        tags       float32 [batch, 50], sigmoid of the logits
        embedding  float32 [batch, 200], the dense layer before its ReLU
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

FRAMES = 187
BANDS = 96
EPSILON = 1e-3
Weights = dict[str, NDArray[np.float32]]


class Graph:
    """Nodes and constants in the order they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """A named constant."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes: int | list[int]) -> str:
        """A node; returns its output's name."""
        node = helper.make_node(kind, inputs, [output], name=output)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return output


def batch_norm(weights: Weights, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale and shift of a batch norm with fixed statistics."""
    prefix = "batch_normalization" + (f"_{number}" if number else "")
    part = {
        k: weights[f"{prefix}/{k}"].astype(np.float64)
        for k in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    scale = part["gamma"] / np.sqrt(part["moving_variance"] + EPSILON)
    return scale, part["beta"] - scale * part["moving_mean"]


def front_end_block(
    graph: Graph, weights: Weights, source: str, conv: str, norm: int, pads: tuple[int, int]
) -> str:
    """Convolution, ReLU, batch norm, maximum over frequency: [batch, filters, frames].

    A batch norm with a negative scale turns the maximum into a minimum; for
    those filters the convolution is negated, so that one maximum serves all.
    """
    kernel = weights[f"{conv}/kernel"].transpose(3, 2, 0, 1).astype(np.float64)
    scale, shift = batch_norm(weights, norm)
    sign = np.where(scale < 0, -1.0, 1.0)
    filters, _, length, height = kernel.shape
    positions = BANDS - height + 1
    # As images of frames × bands: [batch, 1, 187, 96].
    found = graph.add(
        "Conv",
        [source, graph.constant(f"{conv}_w", (kernel * sign[:, None, None, None]).astype(np.float32))],
        f"{conv}_out",
        kernel_shape=[length, height],
        pads=[pads[0], 0, pads[1], 0],
    )
    top = graph.add("MaxPool", [found], f"{conv}_max", kernel_shape=[1, positions], strides=[1, positions])
    shape = graph.constant(f"{conv}_shape", np.array([0, filters, FRAMES], dtype=np.int64))
    flat = graph.add("Reshape", [top, shape], f"{conv}_flat")
    bias = weights[f"{conv}/bias"]
    signed = graph.add("Mul", [flat, graph.constant(f"{conv}_sign", column(sign))], f"{conv}_signed")
    biased = graph.add("Add", [signed, graph.constant(f"{conv}_b", column(bias))], f"{conv}_biased")
    return affine(graph, graph.add("Relu", [biased], f"{conv}_relu"), f"{conv}_norm", scale, shift)


def column(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """Per-filter values for [batch, filters, frames]."""
    return values.astype(np.float32).reshape(-1, 1)


def affine(
    graph: Graph, source: str, name: str, scale: NDArray[np.float64], shift: NDArray[np.float64]
) -> str:
    """A batch norm as one multiplication and one addition."""
    scaled = graph.add("Mul", [source, graph.constant(f"{name}_scale", column(scale))], f"{name}_scaled")
    return graph.add("Add", [scaled, graph.constant(f"{name}_shift", column(shift))], name)


def middle_block(graph: Graph, weights: Weights, source: str, conv: str, norm: int) -> str:
    """Convolution over seven frames and all features, ReLU, batch norm: [batch, 64, frames]."""
    kernel = weights[f"{conv}/kernel"][:, :, 0, :].transpose(2, 1, 0)
    found = graph.add(
        "Conv",
        [source, graph.constant(f"{conv}_w", kernel), graph.constant(f"{conv}_b", weights[f"{conv}/bias"])],
        f"{conv}_out",
        kernel_shape=[7],
        pads=[3, 3],
    )
    return affine(
        graph, graph.add("Relu", [found], f"{conv}_relu"), f"{conv}_norm", *batch_norm(weights, norm)
    )


def build(weights: Weights) -> onnx.ModelProto:
    """The whole graph."""
    graph = Graph()
    scale, shift = batch_norm(weights, 0)
    image_shape = graph.constant("image_shape", np.array([-1, 1, FRAMES, BANDS], dtype=np.int64))
    image = graph.add("Reshape", ["mel", image_shape], "image")
    normal = affine(graph, image, "input_norm", scale, shift)
    front = [
        front_end_block(graph, weights, normal, "conv2d", 1, (3, 3)),
        front_end_block(graph, weights, normal, "conv2d_1", 2, (3, 3)),
        # TensorFlow's "same" puts the odd row of padding at the end.
        front_end_block(graph, weights, normal, "conv2d_2", 3, (63, 64)),
        front_end_block(graph, weights, normal, "conv2d_3", 4, (31, 32)),
        front_end_block(graph, weights, normal, "conv2d_4", 5, (15, 16)),
    ]
    features = graph.add("Concat", front, "front_end", axis=1)
    first = middle_block(graph, weights, features, "conv2d_5", 6)
    second = graph.add("Add", [first, middle_block(graph, weights, first, "conv2d_6", 7)], "residual_2")
    third = graph.add("Add", [second, middle_block(graph, weights, second, "conv2d_7", 8)], "residual_3")
    everything = graph.add("Concat", [features, first, second, third], "everything", axis=1)
    highest = graph.add("ReduceMax", [everything], "highest", axes=[2], keepdims=0)
    mean = graph.add("ReduceMean", [everything], "mean", axes=[2], keepdims=0)
    pooled = graph.add("Concat", [highest, mean], "pooled", axis=1)

    scale, shift = batch_norm(weights, 9)
    kernel = weights["dense/kernel"].astype(np.float64)
    # The original interleaves maximum and mean; here all maxima come first.
    rows = np.concatenate([np.arange(0, len(kernel), 2), np.arange(1, len(kernel), 2)])
    dense_w = (kernel * scale[:, None])[rows]
    dense_b = weights["dense/bias"] + shift @ kernel
    embedding = dense(graph, pooled, "embedding", dense_w, dense_b)
    scale, shift = batch_norm(weights, 10)
    kernel = weights["dense_1/kernel"].astype(np.float64)
    active = graph.add("Relu", [embedding], "active")
    logits = dense(graph, active, "logits", kernel * scale[:, None], weights["dense_1/bias"] + shift @ kernel)
    graph.add("Sigmoid", [logits], "tags")

    shapes: dict[str, list[str | int]] = {
        "logits": ["batch", 50],
        "tags": ["batch", 50],
        "embedding": ["batch", 200],
    }
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "msd_musicnn",
            [helper.make_tensor_value_info("mel", TensorProto.FLOAT, ["batch", FRAMES, BANDS])],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        producer_name="isopath scripts/export_musicnn.py",
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def dense(
    graph: Graph, source: str, name: str, kernel: NDArray[np.float64], bias: NDArray[np.float64]
) -> str:
    """A fully connected layer."""
    w = graph.constant(f"{name}_w", kernel.astype(np.float32))
    b = graph.constant(f"{name}_b", bias.astype(np.float32))
    return graph.add("Gemm", [source, w, b], name)


def main() -> None:
    """Read the weights, write the graph."""
    source, target = (Path(argument) for argument in sys.argv[1:3])
    with np.load(source) as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    target.write_bytes(build(weights).SerializeToString(deterministic=True))
    print(f"{target}: {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
