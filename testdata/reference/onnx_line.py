"""Writes line.onnx: y = 1 + x / 2 with noise of scale sqrt(0.375), as `noisefit export` writes it, by ONNX's own Python package
(1.23.2). Run from this folder."""

import math

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def constant(name, values, dtype):
    return numpy_helper.from_array(np.array(values, dtype=dtype), name)


def rows(name, *columns):
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["rows", *columns])


def node(operator, inputs, name, **attributes):
    return helper.make_node(operator, inputs, [name], name=name, **attributes)


graph = helper.make_graph(
    [
        node("Gemm", ["design", "locations.weight", "locations.bias"], "locations"),
        node("Shape", ["design"], "scales.rows", end=1),
        node("Concat", ["scales.rows", "scales.width"], "scales.shape", axis=0),
        node("Expand", ["scales.row", "scales.shape"], "scales"),
        node("Squeeze", ["locations", "location.axes"], "location"),
        node("Squeeze", ["scales", "scale.axes"], "scale"),
    ],
    "noisefit",
    [rows("design", 1)],
    [rows("location"), rows("scale")],
    [
        constant("locations.weight", [[0.5]], np.float64),
        constant("locations.bias", [1.0], np.float64),
        constant("scales.row", [[math.sqrt(0.375)]], np.float64),
        constant("scales.width", [1], np.int64),
        constant("location.axes", [1], np.int64),
        constant("scale.axes", [1], np.int64),
    ],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="noisefit")
model.ClearField("producer_version")
with open("line.onnx", "wb") as file:
    file.write(model.SerializeToString())
