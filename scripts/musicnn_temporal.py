"""musicnn's temporal filters: convolutions over time in every band, of which the highest band counts.

They look at 128, 64 and 32 frames, with zeros beyond the patch, so that nearly
every frame's response differs from patch to patch: nothing is shared.
"""

from __future__ import annotations

import numpy as np
from musicnn_layers import BANDS, PATCH_FRAMES, Weights, batch_norm, rows
from onnx_graph import Graph

#: Name, batch norm, frames before the present one and after it (TensorFlow's
#: "same" puts the odd one at the end).
_FILTERS = (("conv2d_2", 3, 63, 64), ("conv2d_3", 4, 31, 32), ("conv2d_4", 5, 15, 16))
_N_FILTERS = 51


def temporal_features(graph: Graph, weights: Weights, normal: str) -> str:
    """From normalised mel frames [187, 96] to [153, 187]."""
    image = graph.reshape(normal, [1, 1, PATCH_FRAMES, BANDS], "image")
    found = [_responses(graph, weights, image, *filters) for filters in _FILTERS]
    return graph.add("Concat", found, "temporal", axis=0)


def _responses(
    graph: Graph, weights: Weights, image: str, conv: str, norm: int, before: int, after: int
) -> str:
    """Convolution over time, maximum over bands, ReLU, batch norm: [51, 187]."""
    kernel = weights[f"{conv}/kernel"].transpose(3, 2, 0, 1)
    scale, shift = batch_norm(weights, norm)
    # A negative scale turns the maximum into a minimum; the negated filter has it as its maximum.
    sign = np.where(scale < 0, -1.0, 1.0).astype(np.float32)
    response = graph.add(
        "Conv",
        [image, graph.constant(f"{conv}_w", kernel * sign[:, None, None, None])],
        f"{conv}_response",
        kernel_shape=[before + 1 + after, 1],
        pads=[before, 0, after, 0],
    )
    highest = graph.add("ReduceMax", [response], f"{conv}_highest", axes=[3], keepdims=0)
    flat = graph.reshape(highest, [_N_FILTERS, PATCH_FRAMES], f"{conv}_flat")
    biased = graph.affine(flat, rows(sign), rows(weights[f"{conv}/bias"]), f"{conv}_biased")
    return graph.affine(graph.add("Relu", [biased], f"{conv}_relu"), rows(scale), rows(shift), f"{conv}_norm")
