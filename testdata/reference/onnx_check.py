"""Runs ONNX files with onnxruntime and compares what they give with what is expected.

    python3 onnx_check.py cases.json

A case has a `file`, `inputs` by name, `outputs` by name, and for each output a `tolerance`, the largest distance that is allowed.
Where the package onnx is installed, too, its checker reads every file first."""

import json
import pathlib
import sys

import numpy as np
import onnxruntime

try:
    import onnx
except ImportError:
    onnx = None

cases = pathlib.Path(sys.argv[1])
failures = []
for case in json.loads(cases.read_text()):
    path = cases.parent / case["file"]
    if onnx is not None:
        onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {value.name: np.array(case["inputs"][value.name], dtype=np.float64) for value in session.get_inputs()}
    names = [value.name for value in session.get_outputs()]
    if sorted(names) != sorted(case["outputs"]):
        failures.append(f"{case['file']}: outputs {names}")
        continue
    # No rows, one row and all of them.
    for rows in (0, 1, None):
        found = session.run(names, {name: values[:rows] for name, values in given.items()})
        for name, values in zip(names, found):
            expected = np.array(case["outputs"][name], dtype=np.float64)[:rows]
            if values.dtype != np.float64 or values.shape != expected.shape:
                failures.append(f"{case['file']} {name}: {values.dtype}{values.shape}, not float64{expected.shape}")
                continue
            distance = np.abs(values - expected).max(initial=0.0)
            if rows is None:
                print(f"{case['file']:28} {name:10} {distance:8.1e} of {case['tolerance'][name]:8.1e}")
            if not distance <= case["tolerance"][name]:
                failures.append(f"{case['file']} {name}: {distance} apart")
print("\n".join(failures))
sys.exit(1 if failures else 0)
