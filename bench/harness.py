"""Runs the registry: processes side by side, repetitions in turn, results as JSON.

Every library of a problem is a process of its own, started and warmed up first; then they work in turn, one repetition
each a round, so that whatever else the machine does falls on all alike. Only the one whose turn it is works.
This process stays small: on Linux a child's peak memory is never reported as less than its parent's when it was started.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from shutil import which

import report
from registry import HERE, LIBRARIES, PROBLEMS

# A library leaves the rounds when it has had three of them and this many seconds.
PATIENCE = 12.0
# Or this many seconds altogether; one that takes as long to warm up has had its repetition.
LONG = 20.0
# Seconds between repetitions, so that the threads of the last one have gone to sleep.
PAUSE = 0.1
# Seconds between a library's answer and a look at its processor time.
SETTLE = 0.02


class Absent(Exception):
    """A library that is not there, or cannot do the problem; says why."""


def environment(threads):
    counts = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS"]
    return os.environ | {name: str(threads) for name in [*counts, "BENCH_THREADS"]}


class Process:
    """A started program, its output and, at the end, its peak memory."""

    def __init__(self, command, threads):
        command = [str(part) for part in command]
        if which(command[0]) is None:
            raise Absent("not installed" if "/" not in command[0] else "not built")
        self.errors = tempfile.TemporaryFile("w+")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=self.errors, text=True, env=environment(threads)
        )

    def close(self):
        """Waits for its end; the peak resident memory in MB."""
        self.process.stdin.close()
        self.process.stdout.close()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode != 0:
            raise self.failure()
        return usage.ru_maxrss * 1024 / 1e6

    def failure(self):
        self.errors.seek(0)
        lines = self.errors.read().strip().splitlines() or ["it ended without a word"]
        return Absent(lines[-1].replace(str(HERE.parent) + "/", "").removeprefix("Error: ").strip("\""))


class Worker:
    """A process that repeats when it is told to; `src/main.rs` says how they speak."""

    def __init__(self, problem, library, quick):
        if library.how == "function":
            command = [sys.executable, __file__, "--worker", problem.name, library.name, *["--quick"] * quick]
        else:
            command = library.run(problem, library.name)
        self.process = Process(command, problem.threads)
        self.threads = problem.threads
        self.version = self.listen().get("version")

    def listen(self):
        line = self.process.process.stdout.readline()
        if not line:
            self.process.close()
            raise self.process.failure()
        return json.loads(line)

    def repeat(self):
        process = self.process.process
        before = processor_time(process.pid)
        process.stdin.write("again\n")
        process.stdin.flush()
        answer = self.listen()
        # What a thread has used is counted when it goes to sleep.
        time.sleep(SETTLE)
        after = processor_time(process.pid)
        alone = self.threads == 1 and after is not None
        return after - before if alone else answer["seconds"], answer["numbers"]

    def close(self):
        return self.process.close()


def processor_time(pid):
    """Seconds that a process's first thread has worked; nothing where Linux does not tell."""
    file = Path(f"/proc/{pid}/schedstat")
    return int(file.read_text().split()[0]) * 1e-9 if file.exists() else None


class Command:
    """A command that runs anew for each repetition, timed from its start to its exit."""

    version = None

    def __init__(self, problem, library, quick):
        self.command = library.run(problem, library.name)
        self.threads = problem.threads
        self.peak = 0.0

    def repeat(self):
        start = time.perf_counter()
        process = Process(self.command, self.threads)
        output = process.process.stdout.read()
        self.peak = max(self.peak, process.close())
        seconds = time.perf_counter() - start
        try:
            coefficients = json.loads(output)["coefficients"]
        except json.JSONDecodeError:
            raise Absent("it printed no JSON") from None
        return seconds, {
            "coefficients": [c["estimate"] for c in coefficients],
            "std_errors": [c["std_error"] for c in coefficients],
        }

    def close(self):
        return self.peak


def measure(problem, quick):
    """One problem, all its libraries: the record that goes into the results."""
    subprocess.run([sys.executable, __file__, "--prepare", problem.name, *["--quick"] * quick], check=True)
    read_into_cache(problem.path())
    runs, absent = [], []

    def attempt(library, run, step):
        """Takes a library that fails out of the race, by name."""
        try:
            return step()
        except Absent as why:
            print(f"  {library.name}: skipped ({why})", flush=True)
            absent.append({"library": library.name, "why": str(why)})
            if run in runs:
                runs.remove(run)

    for library in LIBRARIES:
        if problem.kind in library.kinds:
            start = Command if library.how == "command" else Worker
            worker = attempt(library, None, lambda: start(problem, library, quick))
            if worker:
                runs.append((library, worker, [], {}))

    def repeat(run, warming_up=False):
        library, worker, seconds, numbers = run
        time.sleep(PAUSE)
        answer = attempt(library, run, worker.repeat)
        if answer and (not warming_up or answer[0] > LONG):
            seconds.append(answer[0])
            numbers.update(answer[1])

    if problem.rounds > 1:
        for run in list(runs):
            repeat(run, warming_up=True)
    for round in range(problem.rounds):
        for run in list(runs):
            if sum(run[2]) < (LONG if round < 3 else PATIENCE):
                repeat(run)
    all_numbers = {library.name: numbers for library, _, _, numbers in runs}
    records = [record(problem, *run, run[1].close(), all_numbers.get(run[0].like, {})) for run in runs]
    if problem.discard:
        problem.path().unlink()
    return {
        "problem": problem.name,
        "title": problem.title,
        "date": date.today().isoformat(),
        "threads": problem.threads,
        "steps": problem.steps.count if problem.steps else 1,
        "machine": machine(),
        "libraries": records,
        "absent": absent,
    }


def record(problem, library, worker, seconds, numbers, peak, reference):
    common = [name for name in numbers if name in reference and numbers is not reference]
    differences = {name: relative_difference(numbers[name], reference[name]) for name in common}
    difference = max(differences.values(), default=None)
    if difference is not None and not difference <= max(problem.tolerance, library.tolerance):
        raise SystemExit(f"{library.name} computes something else: it differs by {difference:.1e}")
    middle = statistics.median(seconds)
    print(f"  {library.name}: {middle:.4f} s ({min(seconds):.4f} to {max(seconds):.4f}), peak {peak:.0f} MB", flush=True)
    return {
        "library": library.name,
        "version": worker.version or version(library.package),
        "seconds": seconds,
        "median": middle,
        "peak_mb": round(peak, 1),
        "numbers": sorted(numbers),
        "difference": difference,
        "differences": differences,
    }


def relative_difference(values, reference):
    largest = max(abs(b) for b in reference)
    return max(abs(a - b) for a, b in zip(values, reference, strict=True)) / largest


def read_into_cache(path):
    for file in filter(Path.is_file, path.iterdir() if path.is_dir() else [path]):
        with file.open("rb") as bytes:
            while bytes.read(1 << 20):
                pass


def version(package):
    kind, _, name = package.partition(":")
    if kind == "python":
        return importlib.metadata.version(name)
    if kind == "crate":
        locks = "".join(lock.read_text() for lock in [HERE / "Cargo.lock", HERE / "burn/Cargo.lock"] if lock.exists())
        locked = re.search(rf'name = "{name}"\nversion = "(.*)"', locks)
        return locked.group(1) if locked else None
    return output("git", "-C", HERE, "describe", "--always", "--dirty")


def machine():
    cpu = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "rustc": output("rustc", "--version"),
    }


def output(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True).stdout.strip()


def serve(problem, library):
    """The child's side of a `Worker` for a Python function."""
    try:
        once = library.run(problem)
    except ImportError as error:
        sys.exit(str(error))
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        numbers = once()
        seconds = time.perf_counter() - start
        numbers = {name: [float(value) for value in values] for name, values in numbers.items()}
        print(json.dumps({"seconds": seconds, "numbers": numbers}), flush=True)


def tenth(problem):
    if problem.steps:
        return replace(problem, steps=replace(problem.steps, count=-(-problem.steps.count // 10)))
    return replace(problem, rows=problem.rows // 10)


def main():
    options = argparse.ArgumentParser(prog="bench/run", description="Runs noisefit's benchmarks.")
    options.add_argument("--only", metavar="PATTERN", action="append", default=[],
                         help="only the problems whose name contains this regular expression, or one of several --only")
    options.add_argument("--quick", action="store_true", help="a tenth of the rows or steps, two rounds, nothing recorded")
    options.add_argument("--list", action="store_true", help="list the problems and their libraries")
    options.add_argument("--table", action="store_true", help="only write docs/benchmarks.md from the recorded results")
    options.add_argument("--prepare", metavar="PROBLEM", help=argparse.SUPPRESS)
    options.add_argument("--worker", nargs=2, metavar=("PROBLEM", "LIBRARY"), help=argparse.SUPPRESS)
    options = options.parse_args()

    problems = PROBLEMS
    if options.quick:
        problems = [replace(tenth(p), rounds=min(p.rounds, 2)) for p in PROBLEMS]
    if options.prepare:
        next(p for p in problems if p.name == options.prepare).path()
        return
    if options.worker:
        name, wanted = options.worker
        problem = next(p for p in problems if p.name == name)
        serve(problem, next(l for l in LIBRARIES if l.name == wanted and problem.kind in l.kinds))
        return

    if options.only:
        problems = [p for p in problems if any(re.search(pattern, p.name) for pattern in options.only)]
    if not problems:
        sys.exit(f"no problem's name contains {' or '.join(options.only)}: {', '.join(p.name for p in PROBLEMS)}")
    for problem in [] if options.table else problems:
        names = [library.name for library in LIBRARIES if problem.kind in library.kinds]
        title = problem.title + (" (a tenth)" if options.quick else "")
        print(f"{problem.name}: {'; '.join(names)}" if options.list else title, flush=True)
        if not options.list:
            result = measure(problem, options.quick)
            if not options.quick:
                report.save(result)
    if not (options.list or options.quick):
        report.write()


if __name__ == "__main__":
    main()
