"""What goes wrong, and what there is to be said: exceptions and warnings of the package's own."""

from __future__ import annotations

import warnings as _warnings
from collections.abc import Iterable


class NoisefitError(Exception):
    """A model could not be fitted, used or saved; the message says where, what, and what to do."""


class UsageError(NoisefitError, ValueError):
    """What is asked for cannot be, whatever the data: a keyword, or two that do not go together."""


class DataError(NoisefitError, ValueError):
    """Data that cannot be read, lack a column, or hold a value that does not belong there."""


class FitError(NoisefitError, ArithmeticError):
    """The data have no such fit: the likelihood has no maximum, or numbers leave the range of a double."""


class InternalError(NoisefitError, RuntimeError):
    """A fault of noisefit itself; please report it."""


class NoisefitWarning(UserWarning):
    """What a reader should know before using the numbers; every warning of the package is one."""


class ConvergenceWarning(NoisefitWarning):
    """The optimum, or the end of a training, was not reached."""


class CollinearityWarning(NoisefitWarning):
    """Terms that the data do not determine."""


class AccuracyWarning(NoisefitWarning):
    """The coefficients have few digits."""


class LikelihoodWarning(NoisefitWarning):
    """The likelihood has no bound, or other coefficients are as good."""


class StandardErrorWarning(NoisefitWarning):
    """The standard errors rest on something else, or on little."""


class CalibrationWarning(NoisefitWarning):
    """Calibrated intervals are infinite, or not there."""


class TrainingWarning(NoisefitWarning):
    """What a training saw, and what it left out."""


class ComparisonWarning(NoisefitWarning):
    """Models were compared otherwise than asked for."""


class PredictionWarning(NoisefitWarning):
    """Predictions are missing, or hold under a condition."""


class DataWarning(NoisefitWarning):
    """Columns that may not be what they seem, or are left out."""


class ExportWarning(NoisefitWarning):
    """What a form that other programs run leaves out."""


_CATEGORIES: dict[str, type[NoisefitWarning]] = {
    "convergence": ConvergenceWarning,
    "collinearity": CollinearityWarning,
    "accuracy": AccuracyWarning,
    "likelihood": LikelihoodWarning,
    "standard-errors": StandardErrorWarning,
    "calibration": CalibrationWarning,
    "training": TrainingWarning,
    "comparison": ComparisonWarning,
    "prediction": PredictionWarning,
    "data": DataWarning,
    "export": ExportWarning,
}


def warn(said: Iterable[tuple[str, str]], stacklevel: int = 3) -> None:
    """Issue warnings, each of the category of what it is about."""
    for topic, sentence in said:
        _warnings.warn(sentence, _CATEGORIES.get(topic, NoisefitWarning), stacklevel=stacklevel)
