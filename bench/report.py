"""The recorded results, and the page that shows them."""

import json

from registry import HERE, PROBLEMS

RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "benchmarks.md"

OPENING = """# Benchmarks

Written by `bench/run` from the records in `bench/results`; do not edit. `bench/run --help` says how to repeat them.

Every library of a problem is a process of its own. They are started and warmed up first, then work in turn, one repetition
each a round, all with the same number of threads. Times are medians, with the shortest and the longest; a ratio compares
two medians of the same run. A library that takes long has fewer rounds, three at least. *Peak* is the peak resident memory
of the whole process, data and interpreter included. *Difference* is the largest between a library's coefficients, standard
errors, loss or gradient and those of the first library in the table, relative to the largest of them.
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
}
NOTES["parquet"] = NOTES["csv"]


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
    for problem in PROBLEMS:
        if result := results.get(problem.name):
            sections.append(section(problem, result))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(sections))


def machines(results):
    seen = {}
    for r in results:
        m = r["machine"]
        line = f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}, {r['threads']} threads; "
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
    noisefit, peer = library(results, name, "noisefit"), library(results, name, goal.peer)
    other = library(results, goal.same_peak_as, "noisefit")
    if noisefit and goal.peak_mb:
        peak = noisefit["peak_mb"]
        return f"peak below {goal.peak_mb:.0f} MB", f"{peak:.0f} MB", peak < goal.peak_mb
    if noisefit and other:
        ratio = noisefit["peak_mb"] / other["peak_mb"]
        return "the same peak at twice the rows", f"{ratio:.2f} ×", ratio <= 1.05
    if noisefit and peer:
        ratio = peer["median"] / noisefit["median"]
        return f"{goal.times:g} × {goal.peer}", f"{ratio:.1f} ×", ratio >= goal.times
    return None


def section(problem, result):
    first = result["libraries"][0]
    lines = [f"## {problem.title}", "", NOTES[problem.kind], ""]
    lines += [f"| library | version | median (shortest to longest) | × {first['library']} | peak | difference |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for l in sorted(result["libraries"], key=lambda l: l["median"]):
        times = f"{time(l['median'])} ({time(min(l['seconds']))} to {time(max(l['seconds']))})"
        ratio = f"{l['median'] / first['median']:.2f}"
        difference = "" if l is first or l["difference"] is None else f"{l['difference']:.0e}"
        lines += [f"| {l['library']} | {l['version']} | {times} | {ratio} | {l['peak_mb']:.0f} MB | {difference} |"]
    for limit in result["libraries"]:
        if limit["library"] in ("one read", "one sweep") and first["library"] == "noisefit":
            lines += [f"\nnoisefit takes {first['median'] / limit['median']:.1f} times as long as {limit['library']}."]
    lines += [f"\nSkipped: {a['library']} ({a['why']})." for a in result["absent"]]
    return "\n".join(lines) + "\n"


def time(seconds):
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
