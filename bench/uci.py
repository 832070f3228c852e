#!/usr/bin/env python3
"""The tables of docs/uci.md, by the noisefit command alone: fit a training part, evaluate the test part.

    bench/uci.py FOLDER [--noisefit PATH] [--sets concrete,energy,wine,yacht] [--splits 20] [--jobs 2] [--unique]
                 [-- MORE OPTIONS OF fit --model network]

reads NAME/data.csv, whose last column is the response, and NAME/test_indices.csv, a line a split, from a folder that is not part of the
repository. With --unique rows whose inputs another row has before them are left out of both parts.
"""

import argparse
import csv
import json
import math
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

NAMES = "concrete,energy,wine,yacht"
PUBLISHED = "published_results.json"


def command(*words: object) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


class Set:
    """The rows of a set, and which each split tests on."""

    def __init__(self, folder: Path, name: str, unique: bool):
        with open(folder / name / "data.csv") as file:
            self.header, *self.rows = list(csv.reader(file))
        with open(folder / name / "test_indices.csv") as file:
            self.tests = [[int(place) for place in line.split(",")] for line in file if line.strip()]
        seen: set[tuple[str, ...]] = set()
        self.left_out = set()
        for place, row in enumerate(self.rows):
            if unique and tuple(row[:-1]) in seen:
                self.left_out.add(place)
            seen.add(tuple(row[:-1]))

    def write(self, path: Path, places: list[int]) -> None:
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([self.header, *(self.rows[place] for place in places if place not in self.left_out)])

    def parts(self, split: int) -> tuple[list[int], list[int], list[int]]:
        """Training rows, test rows, and the test rows whose inputs no training row has."""
        test = self.tests[split]
        training = sorted(set(range(len(self.rows))) - set(test))
        known = {tuple(map(float, self.rows[place][:-1])) for place in training}
        return training, test, [place for place in test if tuple(map(float, self.rows[place][:-1])) not in known]


MODELS = {"noisefit, --model network": ["--model", "network"], "linear, gaussian noise": []}


def scores(noisefit: str, data: Set, split: int, more: list[str]) -> dict[str, dict[str, float]]:
    """Of each model what `evaluate` says of the test rows."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        training, test, new = data.parts(split)
        for file, places in [("training", training), ("test", test), ("new", new)]:
            data.write(folder / f"{file}.csv", places)
        for model, options in MODELS.items():
            options = [*options, *(more if options else []), "--threads", "1", "--seed", split]
            begun = time.perf_counter()
            command(noisefit, "fit", folder / "training.csv", "-f", f"{data.header[-1]} ~ .", *options, "-q", "-o", folder / "m.json")
            seconds = time.perf_counter() - begun
            found[model] = {"seconds": seconds}
            for file in ["test", "new"]:
                words = ["evaluate", folder / "m.json", folder / f"{file}.csv", "--level", 0.9, "--format", "json", "-q"]
                record = json.loads(command(noisefit, *words))
                kept = ["nobs", "mean_nll", "rmse", "coverage"]
                found[model] |= {f"{file}_{field}": record[field] for field in kept}
    return found


def mean_and_error(values: list[float]) -> tuple[float, float]:
    count, mean = len(values), sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / max(count - 1, 1) / count)


def row(name: str, cells: list[tuple[float, float]], digits: int) -> None:
    print(f"| {name} | " + " | ".join(f"{value:.{digits}f} ± {error:.{digits}f}" for value, error in cells) + " |")


def table(title: str, names: list[str]) -> None:
    print(f"\n| {title} | {' | '.join(names)} |")
    print("|---" * (len(names) + 1) + "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--noisefit", default="noisefit")
    parser.add_argument("--sets", default=NAMES)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--unique", action="store_true")
    parser.add_argument("more", nargs="*")
    asked = parser.parse_args()
    names = asked.sets.split(",")
    sets = {name: Set(asked.folder, name, asked.unique) for name in names}
    jobs = [(name, split) for name in names for split in range(min(asked.splits, len(sets[name].tests)))]
    with ThreadPoolExecutor(asked.jobs) as pool:
        done = pool.map(lambda job: scores(asked.noisefit, sets[job[0]], job[1], asked.more), jobs)
        found = dict(zip(jobs, done))

    def cells(model: str, field: str, factor: float = 1.0) -> list[tuple[float, float]]:
        of = lambda name: [factor * found[job][model][field] for job in jobs if job[0] == name]
        return [mean_and_error(of(name)) for name in names]

    path = asked.folder / PUBLISHED
    published = json.loads(path.read_text()) if path.exists() else None
    for title, field, key in [
        ("negative log-likelihood", "test_mean_nll", "nll"),
        ("root mean squared error", "test_rmse", "rmse"),
    ]:
        table(title, names)
        for model in MODELS:
            row(f"**{model}**" if MODELS[model] else model, cells(model, field), 3)
        known = published and all(name in published["survey_table"][key] for name in names)
        if known and not asked.unique:
            row("MC dropout, rerun", [tuple(published["mc_dropout_rerun"][key][name]) for name in names], 2)
            survey = published["survey_table"][key]
            for method in survey[names[0]]:
                row(method, [tuple(survey[name][method]) for name in names], 2)
            ours = cells(next(iter(MODELS)), field)
            best = [min(value for value, _ in survey[name].values()) for name in names]
            row("*best of these, less ours*", [(least - own, error) for least, (own, error) in zip(best, ours)], 3)
    table("90% intervals: percent covered", names)
    for model in MODELS:
        row(model, cells(model, "test_coverage", 100.0), 1)
    table("test rows with inputs that no training row has", names)
    for job in jobs:
        for model in MODELS:
            own = found[job][model]
            own["share"] = own["new_nobs"] / own["test_nobs"]
    row("percent", cells(next(iter(MODELS)), "share", 100.0), 1)
    for model in MODELS:
        row(f"negative log-likelihood, {model}", cells(model, "new_mean_nll"), 3)
    row("root mean squared error, network", cells(next(iter(MODELS)), "new_rmse"), 3)
    table("seconds of a fit, as the machine was", names)
    row("on one thread", cells(next(iter(MODELS)), "seconds"), 2)


if __name__ == "__main__":
    main()
