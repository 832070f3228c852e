"""Frames come back as what they were given as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from noisefit._engines._engine import Engine

#: What a frame can come back as.
BACKENDS = ("pandas", "polars", "pyarrow", "dict")


class Columns(dict[str, Any]):
    """Columns by name, for data that came from files or dicts; `pandas.DataFrame(columns)` makes a frame of them."""

    def __repr__(self) -> str:
        return _table(self, html=False)

    def _repr_html_(self) -> str:
        return _table(self, html=True)


class Like:
    """What the data were given as, and the labels of their rows."""

    def __init__(self, backend: str = "dict", index: Any = None, engine: Engine | None = None, persist: bool = True) -> None:
        self.backend = backend
        self.index = index
        self.engine = engine
        self._persist = persist

    @contextmanager
    def kept(self) -> Iterator[bool]:
        """Have an engine that holds the rows keep them while something is done with them; whether it does."""
        if self.engine is None:
            yield False
            return
        with self.engine.kept(self._persist) as kept:
            yield kept

    def frame(self, columns: Mapping[str, Any], of_rows: bool = False) -> Any:
        """Make a frame of columns, those of the data's rows with their labels."""
        if self.backend == "dict":
            return Columns(columns)
        import narwhals as nw

        backend: Any = self.backend
        made: Any = nw.from_dict(dict(columns), backend=backend).to_native()
        if of_rows and self.index is not None:
            made.index = self.index
        return made

    def named(self, terms: Sequence[str], values: Any, name: str) -> Any:
        """Make a series whose values are named by their terms where there is such, else a dict."""
        if self.backend == "pandas":
            import pandas as pd

            return pd.Series(values, index=list(terms), name=name)
        return dict(zip(terms, (float(value) for value in values), strict=True))

    def matrix(self, terms: Sequence[str], values: Any) -> Any:
        """Make a matrix whose rows and columns are named by terms where there is such, else an array."""
        import numpy as np

        values = np.array(values, dtype=float).reshape(len(terms), -1)
        if self.backend == "pandas":
            import pandas as pd

            return pd.DataFrame(values, index=list(terms), columns=list(terms))
        return values


def preformatted(text: str) -> str:
    """Text whose columns stand below each other in HTML, whatever the page makes of such."""
    import html

    return f'<pre style="font-family: monospace; white-space: pre; overflow-x: auto">{html.escape(text)}</pre>'


def _table(columns: Mapping[str, Any], html: bool, most: int = 20) -> str:
    """Columns as a table of their first rows."""
    import html as escape

    names = list(columns)
    rows = len(next(iter(columns.values()), ()))
    shown = min(rows, most)
    cells = [[_cell(columns[name][i]) for name in names] for i in range(shown)]
    if html:
        line = "".join(f"<th>{escape.escape(name)}</th>" for name in names)
        body = "".join("<tr>" + "".join(f"<td>{escape.escape(cell)}</td>" for cell in row) + "</tr>" for row in cells)
        more = f"<p>{rows} rows</p>" if rows > shown else ""
        return f"<table><thead><tr>{line}</tr></thead><tbody>{body}</tbody></table>{more}"
    widths = [max(len(cell) for cell in column) for column in zip(names, *cells, strict=True)] if names else []
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [names, *cells]]
    return "\n".join(lines + ([f"... {rows} rows"] if rows > shown else []))


def _cell(value: Any) -> str:
    if value is None:
        return "NA"
    if isinstance(value, float):
        return "NA" if value != value else f"{value:.7g}"
    return str(value)
