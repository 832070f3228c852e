"""What is done with a formula and a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from noisefit import _noisefit, _progress
from noisefit._errors import UsageError, warn
from noisefit._fitted import Fitted, passes
from noisefit._found import Comparison, Description, Diagnosis, Losses, Profile
from noisefit._frames import Like
from noisefit._table import READING, table

if TYPE_CHECKING:
    from typing_extensions import TypedDict, Unpack

    _Path = str | os.PathLike[str]

    class Reading(TypedDict, total=False):
        """How data are read; what is said of files holds for frames where it can."""

        input_format: str
        delimiter: str
        header: bool
        na: str | Sequence[str]
        text: str | Sequence[str]
        number: str | Sequence[str]
        decimal: str
        date: str
        threads: int
        memory: str | int
        engine: Any
        persist: bool

    class Training(Reading, total=False):
        """How a network, or a linear model by gradient steps, is trained."""

        solver: str
        plan: str
        hidden: int | Sequence[int]
        activation: str
        embedding: str | Sequence[str]
        encoding: str
        optimizer: str
        lr: float
        momentum: float
        nesterov: bool
        schedule: str
        warm_up: int
        batch: int | str
        epochs: int
        common_scale: int
        scale_lr: float
        shuffle: bool
        decay: float
        dropout: float
        clip: float
        validation: float
        calibrate: str
        patience: int
        ensemble: int
        shuffle_buffer: int
        trace: _Path
        trace_steps: bool
        checkpoint: _Path
        every: int
        resume: bool
        tune: int


#: Keywords of training, beside those of reading.
TRAINING = (
    "solver", "plan", "hidden", "activation", "embedding", "encoding", "optimizer", "lr", "momentum", "nesterov", "schedule",
    "warm_up", "batch", "epochs", "common_scale", "scale_lr", "shuffle", "decay", "dropout", "clip", "validation", "calibrate",
    "patience", "ensemble", "shuffle_buffer", "trace", "trace_steps", "checkpoint", "every", "resume", "tune",
)  # fmt: skip


def fit(
    formula: str,
    data: Any,
    *,
    noise: str | None = None,
    scale: str | None = None,
    weights: str | None = None,
    frequency_weights: str | None = None,
    sampling_weights: str | None = None,
    missing: str | None = None,
    collinear: str | None = None,
    vcov: str | None = None,
    small_sample: str | None = None,
    confint: str | None = None,
    level: float = 0.95,
    conformal: str | None = None,
    calibration: float | None = None,
    folds: int | None = None,
    huber_k: float | None = None,
    huber_scale: str | None = None,
    seed: int = 0,
    digits: float | None = None,
    one_pass: bool = False,
    drop_effects: bool = False,
    model: str = "linear",
    by: str | Sequence[str] | None = None,
    glance: bool = False,
    frame: str | None = None,
    progress: bool | None = None,
    **more: Unpack[Training],
) -> Fitted:
    """Fit a model by maximum likelihood under a named noise.

    Parameters
    ----------
    formula
        As in R: `y ~ x1 + log(x2) + city*x3`; `.` stands for all other columns, and a name that is no identifier stands in
        backticks.
    data
        A pandas, polars or pyarrow frame, a dict of arrays, a NumPy array, anything with `__arrow_c_stream__`, or the path of
        a CSV, Parquet, Arrow or JSON lines file, a folder, a pattern such as `data/*.parquet`, or several of them. A DataFrame of
        Spark or Dask or a Dataset of Ray is fitted where it lies, by the engine's workers (docs/cluster.md).
    noise
        `gaussian`, `laplace`, `quantile:0.9`, `quantile:0.1,0.5,0.9`, `huber`, `student-t`, `student-t:4`, `logistic`,
        `cauchy`; or `auto`, which fits the one that `compare` prefers. Unless given `gaussian`, of a network `student-t`, whose tails its
        calibration finds.
    scale
        A formula such as `~ x + city`, in whose terms the logarithm of the noise scale is linear; or `network`, as is the default of
        one; or `constant`.
    weights
        Relative precisions of the rows (inverse variances): a column, or arithmetic on columns.
    frequency_weights
        A column with the number of identical rows that each row stands for.
    sampling_weights
        One over the probability with which a row was drawn from a population, in any unit: a column, or arithmetic on columns.
        Estimates are those of the population, and standard errors those of the draw.
    missing
        Rows with a missing value: `drop` (default) or `fail`.
    collinear
        Terms that are linear combinations of earlier ones: `drop` (default) or `fail`.
    vcov
        How the covariance of the coefficients is estimated: `classical`, `hc3`, `cluster:firm`, `hac:4`, `sandwich`,
        `bootstrap:999`, ...
    small_sample
        What standard errors and intervals allow for where rows are few: `corrected` (default: the factor n / (n - p) and
        Student's t) or `none` (maximum likelihood and the normal distribution).
    confint
        Where the confidence intervals come from: `wald` (default) or `profile`.
    level
        The level of the confidence intervals.
    conformal, calibration, folds
        Distribution-free intervals for `predict` and `evaluate`: `split` (of which share calibrates), `cv+` (in how many
        folds) or `jackknife+`.
    huber_k, huber_scale
        Where the tails of huber noise begin, in scales (1.345); how its scale is estimated.
    seed
        What everything that is drawn at random is drawn from.
    digits, one_pass
        Digits of the worst coefficient to work for; whether data are read once where that gives them.
    drop_effects
        Whether the constants of absorbed effects (`y ~ x | firm`) are left out of the model, which then predicts nothing.
    model
        `linear`, or `network`, which reads the terms of the formula.
    by
        Columns: each group of rows that have the same values in them is fitted, and what comes back is a frame with a row for each
        coefficient of each group (`term, estimate, std_error, ...`) in place of a `Fitted`. A group without a fit is a row whose
        `error` says why.
    glance
        With `by` the facts of each fit in one row in place of its coefficients.
    frame
        What frames come back as: `pandas`, `polars`, `pyarrow` or `dict`; as the data unless given.
    progress
        Whether to show how far a fit of more than a second is; where somebody looks unless given.
    **more
        How data are read (`input_format`, `na`, `threads`, `memory`, ...) and how something is trained (`hidden`, `epochs`,
        `ensemble`, ...): the command's options with `_` for `-`. docs/python.md has all of them.

    Returns
    -------
    Fitted

    Raises
    ------
    UsageError
        For keywords that cannot be, or do not go together.
    DataError
        For data that cannot be read or lack a column.
    FitError
        For data that have no such fit.

    Examples
    --------
    >>> import noisefit as nf
    >>> fitted = nf.fit("foodexp ~ income", {"income": [1.0, 2, 3, 4], "foodexp": [1.0, 3, 2, 4]})
    >>> round(fitted.coef["income"], 12)
    0.8
    """
    asked = _asked("fit", locals(), TRAINING)
    made, like = table(data, asked, _noisefit.columns(asked), frame)
    del asked["glance"]
    if by is not None:
        return cast(Fitted, _groups(lambda shown: _noisefit.fit_by(made, asked, glance, shown), like, progress))
    if glance:
        raise UsageError("glance goes with by; of one fit call `Fitted.glance()`")
    del asked["by"]
    with _progress.shown(progress) as shown, like.kept() as kept:
        fitted = _noisefit.fit(made, asked, shown)
    warn(fitted.warnings())
    return Fitted(fitted, like, data, made, {**asked, "frame": frame, "progress": progress}, passes=passes(made, like, kept))


def _groups(verb: Any, like: Like, progress: bool | None) -> Any:
    """Fit or compare in each group of rows, as a frame."""
    with _progress.shown(progress) as shown:
        columns, (groups, failed, not_converged) = verb(shown)
    if failed:
        warn([("data", f"of {groups} groups {failed} without a fit; the column error says why")])
    if not_converged:
        warn([("convergence", f"of {groups} groups {not_converged} did not converge; the column warnings says so")])
    return like.frame(dict(columns))


def compare(
    formula: str,
    data: Any,
    *,
    noise: str | Sequence[str] | None = None,
    scale: str | None = None,
    weights: str | None = None,
    frequency_weights: str | None = None,
    missing: str | None = None,
    collinear: str | None = None,
    digits: float | None = None,
    models: str | Sequence[str] | None = None,
    folds: int | None = None,
    folds_by: str | None = None,
    folds_time: str | None = None,
    seed: int = 0,
    times: bool = False,
    by: str | Sequence[str] | None = None,
    frame: str | None = None,
    progress: bool | None = None,
    **more: Unpack[Reading],
) -> Comparison:
    """Set noise models side by side, say which the data prefer and what speaks for it.

    Parameters
    ----------
    formula, data, scale, weights, frequency_weights, missing, collinear, digits, frame, progress
        As in `fit`.
    noise
        The models, with `+scale` behind those whose scale is modelled: `["gaussian", "student-t+scale"]`; all unless given.
    models
        Kinds of models side by side, in the place of noise: `["linear", "network", "network:student-t+scale", "linear:quantiles"]`; the
        summary says whether a line is enough.
    folds
        Parts of the cross-validation (5); 0 for none.
    folds_by, folds_time
        A column whose rows of one value stay together in a part, such as those of a firm; one of numbers, dates or times by which each
        part is a block of time.
    seed
        What the parts are drawn from.
    times
        Whether the summary tells how long each fit took.
    by
        Columns: models are compared in each group of rows that have the same values in them, and what comes back is a frame with a row
        for each model of each group in place of a `Comparison`.

    Examples
    --------
    >>> import noisefit as nf
    >>> nf.compare("calls ~ year", "testdata/phones.csv", noise=["gaussian", "student-t"]).preferred
    'student-t'
    """
    asked = _asked("compare", locals())
    if by is not None:
        if models is not None:
            raise UsageError("models are compared over all rows: leave by out")
        without = {name: value for name, value in asked.items() if name not in ("noise", "folds")}
        made, like = table(data, asked, _noisefit.columns(without), frame)
        return cast(Comparison, _groups(lambda shown: _noisefit.compare_by(made, asked, shown), like, progress))
    asked.pop("by", None)
    if models is not None:
        if noise is not None:
            raise UsageError("noise stands behind a model, such as models='linear:laplace': leave noise out")
        asked["models"] = models
        return Comparison(*_called(_noisefit.compare_kinds, data, asked, frame, progress))
    return Comparison(*_called(_noisefit.compare, data, asked, frame, progress))


def diagnose(
    formula: str,
    data: Any,
    *,
    noise: str = "gaussian",
    scale: str | None = None,
    weights: str | None = None,
    frequency_weights: str | None = None,
    missing: str | None = None,
    collinear: str | None = None,
    digits: float | None = None,
    huber_k: float | None = None,
    huber_scale: str | None = None,
    worst: int | None = None,
    rows: str | os.PathLike[str] | None = None,
    dfbetas: bool = False,
    lags: int | None = None,
    seed: int = 0,
    frame: str | None = None,
    progress: bool | None = None,
    **more: Unpack[Reading],
) -> Diagnosis:
    """Fit a model and say what is wrong with it: variance, shape of the noise, form of the mean, rows that stand out.

    Parameters are those of `fit` and of `Fitted.diagnose`.

    Examples
    --------
    >>> import noisefit as nf
    >>> for sentence in nf.diagnose("foodexp ~ income", "testdata/engel.csv").advice[:3]:
    ...     print(sentence.partition(":")[0])
    row 138 carries the fit (Cook's distance above 1)
    rows 138, 105, 59
    the variance grows with income
    """
    return Diagnosis(*_called(_noisefit.diagnose, data, _asked("diagnose", locals()), frame, progress))


def profile(
    formula: str,
    data: Any,
    term: str,
    *,
    noise: str = "gaussian",
    scale: str | None = None,
    weights: str | None = None,
    frequency_weights: str | None = None,
    missing: str | None = None,
    collinear: str | None = None,
    digits: float | None = None,
    huber_k: float | None = None,
    huber_scale: str | None = None,
    points: int | None = None,
    range: tuple[float, float] | None = None,
    profile: bool = False,
    level: float = 0.95,
    small_sample: str | None = None,
    frame: str | None = None,
    progress: bool | None = None,
    **more: Unpack[Reading],
) -> Profile:
    """Fit a model and follow the likelihood and the loss along one coefficient.

    Parameters are those of `fit` and of `Fitted.profile`.

    Examples
    --------
    >>> import noisefit as nf
    >>> low, high = nf.profile("foodexp ~ income", "testdata/engel.csv", "income").conf_int
    >>> round(low, 3), round(high, 3)
    (0.457, 0.513)
    """
    return Profile(*_called(_noisefit.profile, data, _asked("profile", locals()), frame, progress))


def describe(
    data: Any, columns: str | Sequence[str] | None = None, *, progress: bool | None = None, **more: Unpack[Reading]
) -> Description:
    """Describe the columns of data: types, missing values, means, quantiles, levels.

    Examples
    --------
    >>> import noisefit as nf
    >>> nf.describe("testdata/engel.csv")["rows"]
    235
    """
    made, like = table(data, _asked("describe", locals()))
    names = [columns] if isinstance(columns, str) else list(columns or ())
    with _progress.shown(progress) as shown:
        return Description(_noisefit.describe(made, names, shown), like)


def loss(
    data: Any,
    *,
    truth: str,
    prediction: str,
    delta: float | None = None,
    tau: float | None = None,
    largest: int | None = None,
    missing: str | None = None,
    progress: bool | None = None,
    **more: Unpack[Reading],
) -> Losses:
    """Give every loss of predictions that stand beside the truth, and the noise that they imply.

    Parameters
    ----------
    data
        As in `fit`.
    truth, prediction
        The columns with the true values and the predictions.
    delta
        Where the Huber and smooth L1 losses turn from squares to lines (1).
    tau
        The level of the pinball loss (0.5).
    largest
        How many of the largest errors are listed (5).
    missing
        Rows with a missing value: `drop` (default) or `fail`.

    Examples
    --------
    >>> import noisefit as nf
    >>> nf.loss({"y": [1.0, 2, 4], "mu": [1.0, 1, 1]}, truth="y", prediction="mu").means["mse"]
    3.3333333333333335
    """
    asked = _asked("loss", locals())
    made, like = table(data, asked)
    with _progress.shown(progress) as shown:
        return Losses(_noisefit.loss(made, asked, shown), like)


def _called(verb: Any, data: Any, asked: dict[str, Any], frame: str | None, progress: bool | None) -> Any:
    without = {name: value for name, value in asked.items() if name not in ("noise", "folds")}
    made, like = table(data, asked, _noisefit.columns(without), frame)
    with _progress.shown(progress) as shown, like.kept():
        return verb(made, asked, shown), like


def _asked(function: str, given: dict[str, Any], training: Sequence[str] = ()) -> dict[str, Any]:
    """Gather the settings of a call from its arguments, and refuse keywords that there are not, as Python does."""
    more = given.pop("more")
    known = [*READING, *training]
    for name in more:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, [*known, *given], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'{hint}")
    return {name: value for name, value in given.items() if name not in ("data", "frame", "progress")} | dict(more)
