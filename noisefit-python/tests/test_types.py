"""The package is typed: `mypy --strict` finds nothing in it, nor in code that uses it rightly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

USE = """
import numpy as np
import noisefit as nf

fitted: nf.Fitted = nf.fit("y ~ x", {"y": [1.0], "x": [2.0]}, noise="laplace", hidden=(4, 2), threads=2)
number: float = fitted.log_likelihood
names: list[str] = fitted.terms
preferred: str | None = nf.compare("y ~ x", "data.csv").preferred
array = nf.fit_array(np.ones((3, 2)), np.ones(3)).coef
"""


def mypy(*words: str, at: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(at / "cache"), *words], capture_output=True, text=True, cwd=at
    )
    return done.stdout + done.stderr


def test_the_package_is_strict(tmp_path: Path) -> None:
    ignored = "[mypy]\nstrict = True\n[mypy-" + ",".join(
        f"{name}.*" for name in ("pandas", "sklearn", "torch", "polars", "pyarrow", "duckdb", "IPython", "narwhals", "pyspark", "dask", "distributed", "ray")
    ) + "]\nignore_missing_imports = True\nfollow_imports = skip\n"
    (tmp_path / "mypy.ini").write_text(ignored)
    told = mypy("--config-file", "mypy.ini", "-p", "noisefit", at=tmp_path)
    assert told.startswith("Success"), told


def test_its_users_are_told_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE)
    assert mypy("use.py", at=tmp_path).startswith("Success")
    (tmp_path / "misuse.py").write_text(USE + 'nf.fit("y ~ x", "data.csv", epoch=3)\n')
    assert "epoch" in mypy("misuse.py", at=tmp_path)
