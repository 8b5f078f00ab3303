"""An ONNX graph, written node by node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int]


class Graph:
    """Nodes and constants in the order they are added.

    What depends on constants only is computed once, when a session loads the graph.
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """A named constant."""
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def numbers(self, name: str, value: Shape) -> str:
        """A shape, or indices."""
        return self.constant(name, np.array(value, dtype=np.int64))

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: int | Shape) -> str:
        """A node; returns its output's name."""
        node = helper.make_node(kind, inputs, [output], name=output)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self._nodes.append(node)
        return output

    def split(self, source: str, sizes: Shape, axis: int, outputs: Sequence[str]) -> Sequence[str]:
        """A tensor cut along an axis."""
        lengths = self.numbers(f"{outputs[0]}_sizes", sizes)
        self._nodes.append(helper.make_node("Split", [source, lengths], outputs, name=outputs[0], axis=axis))
        return outputs

    def slice(self, source: str, start: int, end: int, axis: int, output: str) -> str:
        """Part of a tensor along an axis, the end left out."""
        where = [
            self.numbers(f"{output}_{what}", [at])
            for what, at in (("start", start), ("end", end), ("axis", axis))
        ]
        return self.add("Slice", [source, *where], output)

    def reshape(self, source: str, shape: Shape, output: str) -> str:
        """The same numbers in another shape; 0 keeps a length, -1 stands for what is left."""
        return self.add("Reshape", [source, self.numbers(f"{output}_shape", shape)], output)

    def affine(self, source: str, scale: NDArray[np.generic], shift: NDArray[np.generic], output: str) -> str:
        """One multiplication and one addition."""
        factor = self.constant(f"{output}_scale", scale.astype(np.float32))
        term = self.constant(f"{output}_shift", shift.astype(np.float32))
        return self.add("Add", [self.add("Mul", [source, factor], f"{output}_scaled"), term], output)

    def model(self, name: str, inputs: dict[str, Shape], outputs: dict[str, Shape]) -> onnx.ModelProto:
        """The graph, checked; all inputs and outputs are float32."""
        model = helper.make_model(
            helper.make_graph(
                self._nodes,
                name,
                [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
                [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
                self._constants,
            ),
            opset_imports=[helper.make_opsetid("", 17)],
            producer_name="isopath scripts/export_musicnn.py",
            ir_version=8,
        )
        onnx.checker.check_model(model, full_check=True)
        return model
