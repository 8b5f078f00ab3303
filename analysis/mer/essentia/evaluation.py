"""A frozen graph's output, in numpy and 32-bit floats.

The operations are those that heads on embeddings are made of; any other is refused by
name. Each does what TensorFlow's operation of that name does
(https://www.tensorflow.org/api_docs/python/tf/raw_ops).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from analysis.mer.essentia.graph import LARGEST_TENSOR, Graph, Node, Tensor
from study.errors import ModelError

Operation = Callable[[Node, list[Tensor]], Tensor]


class EvaluationError(ValueError):
    """An operation that cannot be done on what it is given."""


def needed_nodes(graph: Graph, output: str, where: str) -> tuple[Node, ...]:
    """The nodes an output is computed from, each after those it takes.

    Raises:
        ModelError: a node that is not there, a ring of nodes, or an operation no head has.
    """
    done: dict[str, Node] = {}
    begun: set[str] = set()
    waiting = [output]
    while waiting:
        name = waiting[-1]
        node = graph.nodes.get(name)
        if node is None:
            raise _refused(where, f"it has no node {name!r}")
        missing = [source for source in node.inputs if source not in done]
        if name in done or not missing:
            done.setdefault(name, node)
            waiting.pop()
        elif name in begun:
            raise _refused(where, f"its nodes take each other in a ring at {name!r}")
        else:
            begun.add(name)
            waiting.extend(missing)
    unknown = sorted({node.op for node in done.values()} - set(OPERATIONS))
    if unknown:
        raise _refused(where, f"it has the operation {', '.join(unknown)}, which no known head has")
    return tuple(done.values())


def evaluate(nodes: tuple[Node, ...], fed: Mapping[str, Tensor], where: str) -> Tensor:
    """What the last of some nodes says.

    Args:
        nodes: as `needed_nodes` gives them.
        fed: what the placeholders hold.
        where: the file, for the message.

    Raises:
        ModelError: an operation cannot be done on what it is given.
    """
    values: dict[str, Tensor] = {}
    for node in nodes:
        if node.op == "Placeholder":
            if node.name not in fed:
                raise _refused(where, f"it asks for a second input, {node.name!r}")
            values[node.name] = fed[node.name]
            continue
        try:
            with np.errstate(all="ignore"):
                values[node.name] = OPERATIONS[node.op](node, [values[source] for source in node.inputs])
        except (EvaluationError, ValueError, IndexError, TypeError, MemoryError, OverflowError) as problem:
            raise _refused(
                where, f"its node {node.name!r} ({node.op}) cannot be done: {problem}"
            ) from problem
    return values[nodes[-1].name]


def _refused(where: str, problem: str) -> ModelError:
    return ModelError(
        where, f"it is not a head isopath knows: {problem}", "use one that isopath models lists"
    )


def _check_size(shape: tuple[int, ...]) -> None:
    # A head's windows are many, so that a result may be larger than a constant.
    if math.prod(shape) > 64 * LARGEST_TENSOR:
        raise EvaluationError(f"a result of shape {list(shape)}, larger than any of a head")


def _of_two(function: Callable[[Tensor, Tensor], Tensor]) -> Operation:
    def operation(_: Node, inputs: list[Tensor]) -> Tensor:
        left, right = inputs
        if left.dtype != right.dtype:
            raise EvaluationError(f"numbers of type {left.dtype} with {right.dtype}")
        _check_size(np.broadcast_shapes(left.shape, right.shape))
        return np.asarray(function(left, right))

    return operation


def _of_one(function: Callable[[Tensor], Tensor]) -> Operation:
    def operation(_: Node, inputs: list[Tensor]) -> Tensor:
        (value,) = inputs
        return np.asarray(function(value))

    return operation


def _constant(node: Node, _: list[Tensor]) -> Tensor:
    value = node.attributes.get("value")
    if not isinstance(value, np.ndarray):
        raise EvaluationError("it has no value")
    return value


def _shape(node: Node, inputs: list[Tensor]) -> Tensor:
    (value,) = inputs
    return np.array(value.shape, dtype=np.int64 if node.integer("out_type", 3) == 9 else np.int32)


def _strided_slice(node: Node, inputs: list[Tensor]) -> Tensor:
    """Of a row of numbers, as graphs that ask for their input's shape use it."""
    value, begin, end, stride = inputs
    masks = [node.integer(f"{mask}_mask") for mask in ("ellipsis", "new_axis")]
    if value.ndim != 1 or any(masks) or not begin.size == end.size == stride.size == 1:
        raise EvaluationError("only a row of numbers can be sliced")
    start, stop, step = int(begin.item()), int(end.item()), int(stride.item())
    if node.integer("shrink_axis_mask"):
        return np.asarray(value[start])
    taken = slice(
        None if node.integer("begin_mask") else start, None if node.integer("end_mask") else stop, step
    )
    return value[taken]


def _pack(node: Node, inputs: list[Tensor]) -> Tensor:
    return np.stack(inputs, axis=node.integer("axis"))


def _reshape(_: Node, inputs: list[Tensor]) -> Tensor:
    value, shape = inputs
    return value.reshape([int(size) for size in shape.ravel()])


def _expand(_: Node, inputs: list[Tensor]) -> Tensor:
    value, axis = inputs
    return np.expand_dims(value, int(axis.item()))


def _squeeze(node: Node, inputs: list[Tensor]) -> Tensor:
    (value,) = inputs
    axes = node.integers("squeeze_dims") or [axis for axis, size in enumerate(value.shape) if size == 1]
    return np.squeeze(value, axis=tuple(axes))


def _matrix_product(node: Node, inputs: list[Tensor]) -> Tensor:
    left, right = inputs
    if left.ndim != 2 or right.ndim != 2 or left.dtype != np.float32 or right.dtype != np.float32:
        raise EvaluationError("it multiplies two matrices of 32-bit floats")
    left = left.T if node.integer("transpose_a") else left
    right = right.T if node.integer("transpose_b") else right
    _check_size((left.shape[0], right.shape[1]))
    return np.asarray(left @ right)


def _bias(_: Node, inputs: list[Tensor]) -> Tensor:
    value, bias = inputs
    if bias.ndim != 1 or value.ndim < 2 or value.shape[-1] != bias.size:
        raise EvaluationError(f"a bias of shape {list(bias.shape)} on {list(value.shape)}")
    return np.asarray(value + bias)


def _batch_norm(node: Node, inputs: list[Tensor]) -> Tensor:
    """(x - mean) scale / sqrt(variance + epsilon) + offset, over the last axis."""
    value, scale, offset, mean, variance = inputs
    if node.integer("is_training", 1) or node.attributes.get("data_format", "NHWC") != "NHWC":
        raise EvaluationError("it must be frozen, with channels last")
    if any(part.shape != (value.shape[-1],) for part in (scale, offset, mean, variance)):
        raise EvaluationError(f"its parameters do not fit {list(value.shape)}")
    factor = scale / np.sqrt(variance + np.float32(node.number("epsilon", 1e-4)))
    return np.asarray((value - mean) * factor + offset)


OPERATIONS: Mapping[str, Operation] = {
    "Add": _of_two(np.add),
    "AddV2": _of_two(np.add),
    "BiasAdd": _bias,
    "Const": _constant,
    "ExpandDims": _expand,
    "FusedBatchNorm": _batch_norm,
    "FusedBatchNormV2": _batch_norm,
    "FusedBatchNormV3": _batch_norm,
    "Identity": _of_one(np.asarray),
    "MatMul": _matrix_product,
    "Mul": _of_two(np.multiply),
    "Pack": _pack,
    "Placeholder": _of_one(np.asarray),
    "RealDiv": _of_two(np.divide),
    "Relu": _of_one(lambda value: np.maximum(value, value.dtype.type(0))),
    "Reshape": _reshape,
    "Rsqrt": _of_one(lambda value: value.dtype.type(1) / np.sqrt(value)),
    "Shape": _shape,
    "Squeeze": _squeeze,
    "StridedSlice": _strided_slice,
    "Sub": _of_two(np.subtract),
}
"""What a head may be made of."""
