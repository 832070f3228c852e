"""The package as a whole: its examples run, its pages are right, importing it is quick."""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib
import io
import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

import noisefit as nf

MODULES = ["noisefit", "noisefit._api", "noisefit._fitted", "noisefit._array", "noisefit._shown", "noisefit.losses", "noisefit.sklearn"]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_docstrings_run(name: str) -> None:
    if name == "noisefit.sklearn":
        pytest.importorskip("sklearn")
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0 and result.attempted > 0


def test_everything_public_is_documented() -> None:
    for name in nf.__all__:
        thing = getattr(nf, name)
        assert name == "__version__" or thing.__doc__, name
    for name in dir(nf.Fitted):
        if not name.startswith("_"):
            assert getattr(nf.Fitted, name).__doc__, name


def test_importing_it_imports_no_library() -> None:
    heavy = ["numpy", "pandas", "polars", "pyarrow", "narwhals", "sklearn", "torch", "IPython"]
    code = f"import noisefit, sys; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def page(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_every_option_of_the_command_has_its_keyword() -> None:
    """The table of docs/python.md names every option of every command, no other, and keywords that the functions have."""
    from inspect import signature

    from noisefit._api import TRAINING
    from noisefit._noisefit import flags
    from noisefit._table import READING

    rows = [line.split("|")[1:4] for line in page("docs/python.md").splitlines() if line.startswith("| `--")]
    named = {flag.strip("` ") for options, _, _ in rows for flag in options.split(",")}
    options = {(command, flag) for command, flag in flags() if flag not in ("--help", "--version")}
    assert named == {flag for _, flag in options}
    functions = {
        "fit": [nf.fit, nf.Fitted.save], "compare": [nf.compare], "diagnose": [nf.diagnose], "profile": [nf.profile],
        "describe": [nf.describe], "loss": [nf.loss], "predict": [nf.Fitted.predict], "evaluate": [nf.Fitted.evaluate],
        "export": [nf.Fitted.export], "test": [nf.Fitted.test], "plot": [nf.Fitted.charts, nf.Chart.svg, nf.Chart.save],
        "report": [nf.Fitted.report], "table": [nf.table], "explain": [nf.explain], "effects": [nf.Fitted.effects],
    }  # fmt: skip
    for flag, commands, keyword in rows:
        flag, keyword = flag.split(",")[0].strip("` "), keyword.strip().strip("`").partition("=")[0]
        if commands.strip().startswith("every command"):
            assert keyword in READING or keyword in ("to_dict()", "progress") or keyword.startswith("to_dict"), flag
            continue
        of = {command for command, other in options if other == flag}
        assert of == {command.strip() for command in commands.split(",")} or flag == "--folder", (flag, of)
        if not keyword.isidentifier():
            continue
        for command in of:
            parameters = {name for function in functions[command] for name in signature(function).parameters}
            assert keyword in parameters or (command == "fit" and keyword in TRAINING), (command, flag, keyword)


@pytest.mark.parametrize("path", ["README.md", "docs/python.md"])
def test_the_python_of_the_pages_runs(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = page(path).split("```python\n")[1:]
    assert blocks
    names: dict[str, object] = {}
    needed = {"import torch": "torch", "sklearn": "sklearn"}
    left_out = set()
    for block in blocks:
        absent = {library for word, library in needed.items() if word in block and not find_spec(library)}
        left_out |= absent
        if absent:
            continue
        exec(compile(block.partition("```")[0], path, "exec"), names)
    if left_out:
        pytest.skip(f"the blocks that need {', '.join(sorted(left_out))} were not run: it is not installed")


def told(source: str, names: dict[str, object]) -> dict[str, str]:
    """What a cell prints, and what its last expression is, as a notebook keeps it."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "tour.ipynb", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "tour.ipynb", "eval"), names) if isinstance(last, ast.Expr) else None
    found = {"text": printed.getvalue(), "text/plain": "" if value is None else repr(value)}
    return {name: text.rstrip() for name, text in found.items() if text}


def test_the_notebook_says_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outputs that docs/tour.ipynb holds are those of running it; `python docs/run_tour.py` renews them."""
    # Frames are printed as wide as a notebook has them, whatever terminal this runs in.
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("pandas", "sklearn"):
        pytest.importorskip(name)
    names: dict[str, object] = {}
    for cell in json.loads(page("docs/tour.ipynb"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        kept = {"text": "", "text/plain": ""}
        for output in cell["outputs"]:
            kept["text"] += "".join(output.get("text", ""))
            kept["text/plain"] += "".join(output.get("data", {}).get("text/plain", ""))
        source = "".join(cell["source"])
        assert told(source, names) == {name: text.rstrip() for name, text in kept.items() if text}, source
