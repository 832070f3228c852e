"""The recorded results, and the page that shows them."""

import json
from itertools import groupby

from registry import HERE, PROBLEMS

RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "benchmarks.md"

OPENING = """# Benchmarks

Written by `bench/run` from the records in `bench/results`; do not edit. `bench/run --help` says how to repeat them.

Every library of a problem is a process of its own. They are started and warmed up first, then work in turn, one repetition
each a round, all with the same number of threads. Times are medians, with the shortest and the longest; a ratio compares
two medians of the same run. They are by the clock, or, where every library has one thread, the processor time of that
thread, which other work on the machine hardly changes. A library that takes long has fewer rounds; what takes over 20 s is
done once. *Peak* is the peak resident memory of the whole process, data and interpreter included. *Difference* is the
largest between a library's coefficients, standard errors, loss or gradient and noisefit's, relative to the largest of them.
"""

NOTES = {
    "ols": """A fit with an intercept. noisefit, statsmodels, R, anofox-regression and the normal equations give standard
errors; scikit-learn, `lstsq` and linfa give coefficients alone. *one read* adds up the elements of the matrix and nothing
else: no fit can be faster. R and anofox-regression always hold the matrix column-major; statsmodels and `lstsq` have the
column of ones put in before the clock starts.""",
    "csv": """The file is in the page cache. noisefit is the command `noisefit fit FILE -f 'y ~ .' --format json`, timed from
the start of its process to the end. The others are timed inside a running Python, imports left out. DuckDB and polars compute
the count, all sums and all sums of products, from which the fit is solved.""",
    "loss": """The mean loss and its gradient for each prediction. PyTorch runs forward and backward on the CPU, the usual
way, with a new gradient each time. *one sweep* reads both arrays and writes their difference.""",
    "memory": """The rows of the CSV problem, five and ten times over, read once. DuckDB and polars are here for comparison; they
run inside Python, whose own memory is part of theirs.""",
    "lad": """Heavy-tailed noise (Student's t on 3 degrees of freedom) on a design whose columns are correlated by 0.36,
stored by rows as numpy gives it. noisefit ends on the exact vertex with its certificate. quantreg's `rq.fit.fnb` and
`rq.fit.pfn` are interior point methods, statsmodels' reweighted least squares stop when no coefficient moves by 1e-6:
their *differences* are how far from the vertex they end. For R and statsmodels the column of ones is put in before the
clock starts. *noisefit, gaussian* is least squares on the same data.""",
    "bootstrap": """The data of least absolute deviations; standard errors from 200 fits to rows that were drawn with
replacement. quantreg's `boot.rq` has `xy`, its default, and `pxy`, which takes only rows near the fit of the data into
account. Of `xy`, two draws were timed and the time taken 100 times; its standard errors are not compared. The
*differences* of the others are those of random draws.""",
    "hc3": """Noise whose scale is modelled, which HC3 is for; the fit with these standard errors. The goal, two passes over
the data beside the fit, is taken as three times *noisefit, gaussian*, the fit with its classical standard errors.""",
    "compare": """Gaussian, Laplace, Student's t, Huber and logistic noise fitted to all rows and to the rows outside each of
five folds, scored on the rows inside, judged, with advice: beside a single fit of a single family.""",
    "train": """Mean squared error; 64 batches at hand, again and again, from the same first parameters. PyTorch runs the
usual loop: `zero_grad`, forward, `MSELoss`, `backward`, `step`; *fused optimiser* is the same with `fused=True`. burn has
its pure-Rust backend for processors (`flex`) with automatic differentiation. scikit-learn's MLPRegressor is called once for
every 64 batches; its loss is half the squared error, of which Adam's steps are the same. *Difference* is the largest of the
losses of the first 200 steps, relative to the largest of these.""",
    "train, epochs": """The rows are shuffled for every epoch and dealt to batches: by PyTorch's `DataLoader` of a
`TensorDataset`; by noisefit's trainer. Their orders are not the same, so *difference*, of the parameters, is only that of
the last steps of stochastic descent.""",
    "train, ensemble": """`network::fit` with four members, which share nothing but the data: dealt to two threads, and one after
the other. The weights are the same to the bit.""",
    "train, agreement": """The same network (3-8-5), first parameters, rows, and optimiser, for 200 steps of 16 rows: the
largest difference of any step's loss from PyTorch's, relative to the largest loss. `testdata/reference/training.py` is
PyTorch's side; some of its numbers are among noisefit's tests.""",
    "quantiles": """The data of least absolute deviations; the quantiles 0.1, 0.2, ... 0.9 together, beside the median
alone and quantreg's `rq.fit.pfn` for one after the other.""",
    "huber": """The data of least absolute deviations, k = 1.345. *noisefit* has its scale by maximum likelihood;
*noisefit, MAD* solves the problem of MASS's `rlm` (`acc = 1e-10`), *noisefit, as scikit-learn* that of its
HuberRegressor, whose scale is Huber's proposal 2 at another k. Each of the two is compared with the way of noisefit
that solves the same problem.""",
    "student-t": """The data of least absolute deviations; coefficients, scale and degrees of freedom jointly. The peer
is the same likelihood with its gradient in numpy, maximised by scipy's L-BFGS.""",
    "modelled-variance": """The logarithm of the scale is linear in the same ten columns as the mean. The peer is the
same likelihood with its gradient in numpy, maximised by scipy's L-BFGS.""",
    "agreement": """On small data sets, the likelihoods written anew in numpy and maximised by scipy: BFGS from several
starts on an orthonormal basis, then a root of the gradient (`bench/likelihood.py`). The largest relative difference of
any number of the kind, each relative to itself.""",
    "scaling": """`noisefit fit FILE -f 'y ~ .' --noise NOISE --memory 512MB` on five regressors with heavy-tailed noise,
from the start of the process to its end, the file in the page cache. What a pass has read is kept while it fits that
memory, up to 10⁷ rows; 10⁸ rows (4.8 GB) are read again in every pass. With `--memory 16MB` that is so from 10⁶ rows on.
10⁵ rows are few enough for noisefit to sum least squares, with which every fit starts, in double-double for its digits.""",
}
NOTES["parquet"] = NOTES["csv"]
NOTES["lad, wide"] = "Data of the same kind, and the same peers."
NOTES["lad, small"] = NOTES["lad, wide"] + " scikit-learn's QuantileRegressor solves the linear program by HiGHS."

ROWS = {problem.name: problem.rows * problem.repeat for problem in PROBLEMS}

# What the first library's time is compared with under its table.
YARDSTICKS = ["one read", "one sweep", "noisefit, gaussian", "noisefit, one quantile"]


def save(result):
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (RESULTS / f"{result['problem']}.json").write_text(text + "\n")


def write():
    """The page, from whatever is recorded."""
    results = {}
    for problem in PROBLEMS:
        file = RESULTS / f"{problem.name}.json"
        if file.exists():
            results[problem.name] = json.loads(file.read_text())
    sections = [OPENING, machines(results.values()), goals(results)]
    for kind, problems in groupby(PROBLEMS, key=lambda problem: problem.kind):
        problems = [problem for problem in problems if problem.name in results]
        if kind == "scaling" and problems:
            sections.append(scaling([results[problem.name] for problem in problems]))
        elif kind == "agreement" and problems:
            sections.append(agreement(problems[0], results[problems[0].name]))
        elif kind == "train, agreement" and problems:
            sections.append(traces(problems[0], results[problems[0].name]))
        else:
            sections += [section(problem, results[problem.name]) for problem in problems]
    levels = RESULTS / "levels.md"
    if levels.exists():
        sections.append(levels.read_text())
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(sections))


def machines(results):
    seen = {}
    for r in results:
        m = r["machine"]
        threads = "1 thread" if r["threads"] == 1 else f"{r['threads']} threads"
        line = f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}, {threads}; "
        seen.setdefault(f"{line}Python {m['python']}, {m['rustc']}; {r['date']}.", None)
    return "\n".join(f"Machine: {line}\n" for line in seen)


def library(results, problem, name):
    records = results[problem]["libraries"] if problem in results else []
    return next((l for l in records if l["library"] == name), None)


def goals(results):
    lines = ["## Goals", "", "| problem | goal | measured | |", "|---|---|---|---|"]
    for problem in PROBLEMS:
        for goal in problem.goals:
            if answer := judge(goal, results, problem.name):
                wanted, measured, met = answer
                lines.append(f"| {problem.title} | {wanted} | {measured} | {'met' if met else '**missed**'} |")
    return "\n".join(lines) + "\n"


def judge(goal, results, name):
    """What was wanted, what was measured, and whether that will do; nothing where one side was not measured."""
    ours, peer = library(results, name, goal.ours), library(results, name, goal.peer)
    if not ours:
        return None
    whose = "" if goal.ours == "noisefit" else f"{goal.ours}: "
    if goal.peak_mb:
        peak = ours["peak_mb"]
        return f"{whose}peak below {goal.peak_mb:.0f} MB", f"{peak:.0f} MB", peak < goal.peak_mb
    if other := library(results, goal.same_peak_as, goal.ours):
        ratio = ours["peak_mb"] / other["peak_mb"]
        times = ROWS[name] / ROWS[goal.same_peak_as]
        return f"{whose}the same peak at {times:g} times the rows", f"{ratio:.2f} ×", ratio <= 1.05
    if other := library(results, goal.same_cost_as, goal.ours):
        times = ROWS[name] / ROWS[goal.same_cost_as]
        ratio = ours["median"] / other["median"] / times
        return f"{whose}at most 1.25 × a row's cost at {times:g} times the rows", f"{ratio:.2f} ×", ratio <= 1.25
    if not peer:
        return None
    if goal.within:
        difference = peer["difference"]
        return f"{whose}within {goal.within:.0e} of {goal.peer}", f"{difference:.0e}", difference <= goal.within
    if goal.at_most:
        ratio = ours["median"] / peer["median"]
        return f"{whose}at most {goal.at_most:g} × {goal.peer}", f"{ratio:.1f} ×", ratio <= goal.at_most
    ratio = peer["median"] / ours["median"]
    return f"{whose}{goal.times:g} × {goal.peer}", f"{ratio:.1f} ×", ratio >= goal.times


def section(problem, result):
    first, each = result["libraries"][0], problem.steps.unit if problem.steps else ""
    heading = f"{each}: median" if each else "median"
    lines = [f"## {problem.title}", "", NOTES[problem.kind], ""]
    lines += [f"| library | version | {heading} (shortest to longest) | × {first['library']} | peak | difference |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for l in sorted(result["libraries"], key=lambda l: l["median"]):
        ratio = f"{l['median'] / first['median']:.2f}"
        difference = "" if l is first or l["difference"] is None else f"{l['difference']:.0e}"
        cells = [l["library"], l["version"], times(l, result.get("steps", 1)), ratio, f"{l['peak_mb']:.0f} MB", difference]
        lines += [f"| {' | '.join(map(str, cells))} |"]
    for yardstick in result["libraries"]:
        if yardstick["library"] in YARDSTICKS and first["library"] == "noisefit":
            ratio, more = first["median"] / yardstick["median"], first["median"] - yardstick["median"]
            lines += [f"\nnoisefit takes {ratio:.1f} times as long as {yardstick['library']}, {time(more)} more."]
    lines += [f"\nSkipped: {a['library']} ({a['why']})." for a in result["absent"]]
    return "\n".join(lines) + "\n"


def scaling(results):
    """One table of all sizes: what a row costs, and the memory."""
    lines = ["## From Parquet, 10⁵ to 10⁸ rows", "", NOTES["scaling"], ""]
    lines += ["| noise | rows | median (shortest to longest) | each row | peak |", "|---|---:|---:|---:|---:|"]
    for name in [l["library"] for l in results[0]["libraries"]]:
        for result in results:
            if l := next((l for l in result["libraries"] if l["library"] == name), None):
                noise, rows = name.removeprefix("noisefit, "), ROWS[result["problem"]]
                cost = f"{l['median'] / rows * 1e9:.0f} ns"
                lines += [f"| {noise} | {rows:,} | {times(l)} | {cost} | {l['peak_mb']:.0f} MB |"]
    return "\n".join(lines) + "\n"


def agreement(problem, result):
    """The largest differences of every kind of estimate, a line for each case."""
    kinds = ["coefficients", "scale", "scale_coefficients", "shape", "log_likelihood"]
    cases = {}
    for name, difference in library({"": result}, "", "scipy")["differences"].items():
        case, _, number = name.partition(": ")
        kind = number.split()[0]
        largest = cases.setdefault(case, {})
        largest[kind] = max(difference, largest.get(kind, 0))
    lines = [f"## {problem.title}", "", NOTES[problem.kind], ""]
    lines += ["| noise and data | " + " | ".join(kind.replace("_", " ") for kind in kinds) + " |"]
    lines += ["|---|" + "---:|" * len(kinds)]
    for case, largest in cases.items():
        lines += [f"| {case} | " + " | ".join(f"{largest[kind]:.0e}".replace("0e+00", "0") if kind in largest else "" for kind in kinds) + " |"]
    return "\n".join(lines) + "\n"


def traces(problem, result):
    """The largest differences of every loss and optimiser, whatever the activations."""
    losses, optimizers = {}, {}
    for name, difference in library({"": result}, "", "PyTorch")["differences"].items():
        optimizer, loss, _ = name.split()
        optimizers[optimizer] = None
        row = losses.setdefault(loss, {})
        row[optimizer] = max(difference, row.get(optimizer, 0))
    lines = [f"## {problem.title}", "", NOTES[problem.kind], ""]
    lines += ["| loss | " + " | ".join(optimizers) + " |", "|---|" + "---:|" * len(optimizers)]
    lines += [f"| {loss} | " + " | ".join(f"{row[name]:.0e}" for name in optimizers) + " |" for loss, row in losses.items()]
    return "\n".join(lines) + "\n"


def times(library, steps=1):
    seconds = [time(seconds / steps) for seconds in [library["median"], min(library["seconds"]), max(library["seconds"])]]
    return "{} ({} to {})".format(*seconds)


def time(seconds):
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
