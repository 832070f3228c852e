"""Name the noise, get the fit: regression by maximum likelihood under a named noise model.

>>> import noisefit as nf
>>> fitted = nf.fit("foodexp ~ income", "testdata/engel.csv", noise="student-t", scale="~ income")
>>> fitted.predict({"income": [500.0]}, interval=0.9)["prediction"].round(0)
array([354.])

`fit`, `compare`, `diagnose`, `profile`, `describe` and `loss` take a formula and a table: a frame of pandas, polars or pyarrow, a
dict of arrays, a file. `fit_array` takes arrays; `noisefit.sklearn` has estimators, `noisefit.losses` losses of arrays and
`noisefit.torch` losses of networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from noisefit._api import compare, describe, diagnose, fit, loss, profile
from noisefit._errors import (
    AccuracyWarning,
    CalibrationWarning,
    CollinearityWarning,
    ComparisonWarning,
    ConvergenceWarning,
    DataError,
    DataWarning,
    ExportWarning,
    FitError,
    InternalError,
    LikelihoodWarning,
    NoisefitError,
    NoisefitWarning,
    PredictionWarning,
    StandardErrorWarning,
    TrainingWarning,
    UsageError,
)
from noisefit._fitted import Fitted, load
from noisefit._noisefit import __version__
from noisefit._shown import Chart, charts, explain, table

if TYPE_CHECKING:
    from noisefit import losses
    from noisefit._array import ArrayFitted, fit_array

__all__ = [
    "AccuracyWarning", "ArrayFitted", "CalibrationWarning", "Chart", "CollinearityWarning", "ComparisonWarning",
    "ConvergenceWarning", "DataError", "DataWarning", "ExportWarning", "FitError", "Fitted", "InternalError", "LikelihoodWarning", "NoisefitError",
    "NoisefitWarning", "PredictionWarning", "StandardErrorWarning", "TrainingWarning", "UsageError", "__version__", "charts",
    "compare", "describe", "diagnose", "explain", "fit", "fit_array", "load", "loss", "losses", "profile", "table",
]  # fmt: skip

#: What is imported when it is asked for: NumPy takes longer to load than everything here.
_LATER = {"fit_array": "noisefit._array", "ArrayFitted": "noisefit._array"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    if name in ("losses", "sklearn", "torch"):
        return import_module(f"noisefit.{name}")
    raise AttributeError(f"module 'noisefit' has no attribute '{name}'")
