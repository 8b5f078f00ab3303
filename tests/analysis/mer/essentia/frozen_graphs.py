"""Frozen TensorFlow graphs written by hand, byte by byte, as TensorFlow would write them.

Field numbers are those of graph.proto, node_def.proto, attr_value.proto, tensor.proto
and tensor_shape.proto in tensorflow/core/framework.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FLOAT, INT32, INT64 = 1, 3, 9
_TYPES = {"float32": FLOAT, "int32": INT32, "int64": INT64, "float64": 2}

Attributes = dict[str, bytes]


def varint(number: int) -> bytes:
    number &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def whole(field: int, number: int) -> bytes:
    return varint(field << 3) + varint(number)


def delimited(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def single(field: int, number: float) -> bytes:
    return varint(field << 3 | 5) + struct.pack("<f", number)


def shape(sizes: Sequence[int]) -> bytes:
    return b"".join(delimited(2, whole(1, size)) for size in sizes)


def tensor(array: NDArray[np.generic]) -> bytes:
    return (
        whole(1, _TYPES[str(array.dtype)])
        + delimited(2, shape(array.shape))
        + delimited(4, array.astype(array.dtype.newbyteorder("<")).tobytes())
    )


def node(name: str, op: str, inputs: Sequence[str] = (), attributes: Attributes | None = None) -> bytes:
    """One node of a graph, as a field of GraphDef; attributes are AttrValue messages."""
    message = delimited(1, name.encode()) + delimited(2, op.encode())
    message += b"".join(delimited(3, source.encode()) for source in inputs)
    for key, value in (attributes or {}).items():
        message += delimited(5, delimited(1, key.encode()) + delimited(2, value))
    return delimited(1, message)


def kind(dtype: int = FLOAT, key: str = "T") -> Attributes:
    return {key: whole(6, dtype)}


def constant(name: str, array: NDArray[np.generic]) -> bytes:
    dtype = _TYPES[str(array.dtype)]
    return node(name, "Const", (), {"value": delimited(8, tensor(array)), **kind(dtype, "dtype")})


def placeholder(name: str, sizes: Sequence[int]) -> bytes:
    return node(name, "Placeholder", (), {**kind(key="dtype"), "shape": delimited(7, shape(sizes))})


def matrix_product(name: str, left: str, right: str) -> bytes:
    plain = {"transpose_a": whole(5, 0), "transpose_b": whole(5, 0)}
    return node(name, "MatMul", (left, right), {**plain, **kind()})


class SecondGeneration:
    """A head as the second generation's file size says it is: dense 100, ReLU, dense 2, identity.

    82,460 bytes are 20,302 32-bit floats and the nodes' names; a mood classifier of the same server, whose
    only difference is ``Softmax`` for ``Identity`` (name and operation), is two bytes smaller.
    """

    def __init__(self, width: int = 200, hidden: int = 100, seed: int = 1) -> None:
        random = np.random.default_rng(seed)
        self.first = random.normal(0.0, 0.1, (width, hidden)).astype(np.float32)
        self.first_bias = random.normal(0.0, 0.1, hidden).astype(np.float32)
        self.second = random.normal(0.0, 0.1, (hidden, 2)).astype(np.float32)
        self.second_bias = np.array([5.2, 4.6], dtype=np.float32)
        self.width = width

    def rated(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same by hand."""
        hidden = np.maximum(embedding @ self.first + self.first_bias, np.float32(0.0))
        return np.asarray(hidden @ self.second + self.second_bias)

    def content(self) -> bytes:
        return b"".join(
            [
                placeholder("model/Placeholder", (-1, self.width)),
                constant("model/dense/kernel", self.first),
                constant("model/dense/bias", self.first_bias),
                constant("model/dense_1/kernel", self.second),
                constant("model/dense_1/bias", self.second_bias),
                matrix_product("model/dense/MatMul", "model/Placeholder", "model/dense/kernel"),
                node("model/dense/BiasAdd", "BiasAdd", ("model/dense/MatMul", "model/dense/bias"), kind()),
                node("model/dense/Relu", "Relu", ("model/dense/BiasAdd",), kind()),
                matrix_product("model/dense_1/MatMul", "model/dense/Relu", "model/dense_1/kernel"),
                node(
                    "model/dense_1/BiasAdd", "BiasAdd", ("model/dense_1/MatMul", "model/dense_1/bias"), kind()
                ),
                node("model/Identity", "Identity", ("model/dense_1/BiasAdd",), kind()),
                delimited(4, whole(1, 808)),
            ]
        )


def steady_head(valence: float, arousal: float, width: int = 200) -> bytes:
    """A head of the second generation that rates all music alike."""
    return b"".join(
        [
            placeholder("model/Placeholder", (-1, width)),
            constant("kernel", np.zeros((width, 2), dtype=np.float32)),
            constant("bias", np.array([valence, arousal], dtype=np.float32)),
            matrix_product("product", "model/Placeholder", "kernel"),
            node("sum", "BiasAdd", ("product", "bias"), kind()),
            node("model/Identity", "Identity", ("sum",), kind()),
        ]
    )


METADATA = """{
  "name": "arousal_valence", "version": "2", "classes": ["valence", "arousal"],
  "schema": {
    "inputs": [{"name": "model/Placeholder", "type": "float", "shape": [200]}],
    "outputs": [{"name": "model/Identity", "type": "float", "op": "Identity", "shape": [2]}]
  }
}
"""
"""What a metadata file says of a head, in the fields that matter here."""
