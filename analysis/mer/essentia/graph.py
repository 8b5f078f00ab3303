"""A frozen TensorFlow graph, read without TensorFlow.

Of GraphDef's messages only what a frozen head needs is read: nodes with name,
operation, inputs and attributes, and constants of 32-bit floats and of integers. What
else a file may hold (functions, other number types) is refused by name.
Source: graph.proto, node_def.proto, attr_value.proto, tensor.proto, tensor_shape.proto
and types.proto in tensorflow/core/framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.mer.essentia.wire import WireError, fields_of
from study.errors import ModelError

Tensor = NDArray[Any]
Shape = tuple[int, ...]
"""Sizes of a tensor; -1 for one that is open."""

LARGEST_FILE = 16 * 2**20
"""Bytes. The heads have 6 to 82 thousand; what is far larger is another model."""
LARGEST_TENSOR = 2**22
"""Elements of one constant: two hundred times a head's largest."""

_DTYPES: Mapping[int, type[np.float32 | np.int32 | np.int64]] = {1: np.float32, 3: np.int32, 9: np.int64}

Attribute = Tensor | Shape | list[int] | int | float | str | None


@dataclass(frozen=True)
class Node:
    """One operation of a graph.

    Args:
        inputs: names of the nodes whose first output it takes, in order.
        attributes: constants are arrays, shapes are tuples (None for one that is open),
            lists of integers are lists.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]

    def integer(self, key: str, absent: int = 0) -> int:
        """An attribute that is an integer, a truth value or a type; `absent` where there is none."""
        value = self.attributes.get(key, absent)
        return value if isinstance(value, int) else absent

    def number(self, key: str, absent: float) -> float:
        """An attribute that is a real number; `absent` where there is none."""
        value = self.attributes.get(key, absent)
        return value if isinstance(value, float) else absent

    def integers(self, key: str) -> list[int]:
        """An attribute that is a list of integers; empty where there is none."""
        value = self.attributes.get(key)
        return value if isinstance(value, list) else []


@dataclass(frozen=True)
class Graph:
    """A frozen graph: its nodes by name, in the file's order."""

    nodes: Mapping[str, Node]


def parse_graph(content: bytes, where: str) -> Graph:
    """The graph in the bytes of a ``.pb`` file.

    Args:
        where: the file, for the message.

    Raises:
        ModelError: the bytes are no frozen graph, or one that holds more than a head may.
    """
    try:
        nodes = _nodes(content)
    except WireError as problem:
        raise ModelError(
            where, f"it cannot be read as a frozen graph: {problem}", "fetch or copy the file again"
        ) from problem
    return Graph(MappingProxyType(nodes))


def _nodes(content: bytes) -> dict[str, Node]:
    if len(content) > LARGEST_FILE:
        raise WireError(f"{len(content)} bytes are more than a head has")
    nodes: dict[str, Node] = {}
    for field in fields_of(content):
        if field.number == 2 and field.as_bytes():
            raise WireError("it holds a library of functions, which a frozen head has not")
        if field.number == 1:
            node = _node(field.as_bytes())
            if node.name in nodes:
                raise WireError(f"two nodes are called {node.name!r}")
            nodes[node.name] = node
    if not nodes:
        raise WireError("it has no nodes")
    return nodes


def _node(message: bytes) -> Node:
    name, op = "", ""
    inputs: list[str] = []
    attributes: dict[str, Attribute] = {}
    for field in fields_of(message):
        if field.number == 1:
            name = field.as_text()
        elif field.number == 2:
            op = field.as_text()
        elif field.number == 3:
            inputs.append(field.as_text())
        elif field.number == 5:
            key, value = _entry(field.as_bytes())
            attributes[key] = _attribute(value)
    if not name or not op:
        raise WireError("a node without name or operation")
    taken = tuple(_source(text, name) for text in inputs if not text.startswith("^"))
    return Node(name, op, taken, MappingProxyType(attributes))


def _source(text: str, name: str) -> str:
    source, colon, output = text.partition(":")
    if colon and output != "0":
        raise WireError(f"{name!r} takes {text!r}; no operation of a head has a second output")
    return source


def _entry(message: bytes) -> tuple[str, bytes]:
    key, value = "", b""
    for field in fields_of(message):
        if field.number == 1:
            key = field.as_text()
        elif field.number == 2:
            value = field.as_bytes()
    return key, value


def _attribute(message: bytes) -> Attribute:
    value: Attribute = None
    for field in fields_of(message):
        match field.number:
            case 1:
                parts = fields_of(field.as_bytes())
                value = [number for part in parts if part.number == 3 for number in part.as_ints()]
            case 2:
                value = field.as_bytes().decode("latin-1")
            case 3 | 5 | 6:
                value = field.as_int()
            case 4:
                value = field.as_float()
            case 7:
                value = _shape(field.as_bytes())
            case 8:
                value = _tensor(field.as_bytes())
    return value


def _shape(message: bytes) -> Shape | None:
    sizes: list[int] = []
    for field in fields_of(message):
        if field.number == 3 and field.as_int():
            return None
        if field.number == 2:
            size = [part.as_int() for part in fields_of(field.as_bytes()) if part.number == 1]
            sizes.append(size[-1] if size else 0)
    return tuple(sizes)


def _tensor(message: bytes) -> Tensor:
    """A constant: its bytes as they are, or its values, of which the last fills what is left."""
    dtype = 0
    shape: Shape | None = ()
    content: bytes | None = None
    values: list[float] | list[int] = []
    for field in fields_of(message):
        match field.number:
            case 1:
                dtype = field.as_int()
            case 2:
                shape = _shape(field.as_bytes())
            case 4:
                content = field.as_bytes()
            case 5:
                values = [*values, *field.as_floats()]
            case 7 | 10:
                values = [*values, *field.as_ints()]
    if dtype not in _DTYPES:
        raise WireError(f"a constant of the number type {dtype}; a head has 32-bit floats and integers")
    if shape is None or any(size < 0 for size in shape):
        raise WireError("a constant whose shape is open")
    size = 1
    for length in shape:
        size *= length
    if size > LARGEST_TENSOR:
        raise WireError(f"a constant of shape {list(shape)}, larger than any of a head")
    return _filled(_DTYPES[dtype], shape, size, content, values)


def _filled(
    dtype: type[np.float32 | np.int32 | np.int64],
    shape: Shape,
    size: int,
    content: bytes | None,
    values: list[float] | list[int],
) -> Tensor:
    if content:
        if len(content) != size * np.dtype(dtype).itemsize:
            raise WireError(f"a constant of shape {list(shape)} in {len(content)} bytes")
        return np.frombuffer(content, dtype=np.dtype(dtype).newbyteorder("<")).astype(dtype).reshape(shape)
    if len(values) > size or (size and not values):
        raise WireError(f"a constant of shape {list(shape)} from {len(values)} values")
    try:
        given = np.array(values, dtype=dtype)
    except (OverflowError, ValueError) as problem:
        raise WireError("a constant whose values do not fit its number type") from problem
    filling = np.full(size - len(given), given[-1] if len(given) else 0, dtype=dtype)
    return np.concatenate([given, filling]).reshape(shape)
