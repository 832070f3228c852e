"""How far long work is: a line in a terminal, or below a notebook's cell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Whoever shows it is called with the share that is done, where that is known, and a message.
Shown = Any


def of(progress: bool | None) -> Shown:
    """Choose who shows progress: nobody where it is not wanted, or where nobody looks.

    Work of less than a second shows none in any case.
    """
    if progress is False:
        return None
    if _in_notebook():
        return _Notebook()
    if progress is True or sys.stderr.isatty():
        return _Line()
    return None


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


def _text(share: float | None, message: str) -> str:
    if share is None:
        return message
    done = round(30 * min(max(share, 0.0), 1.0))
    return f"{'#' * done}{'.' * (30 - done)} {message}"


class _Line:
    """One line of a terminal, which is cleared in the end."""

    def __init__(self) -> None:
        self.width = 0

    def __call__(self, share: float | None, message: str) -> None:
        text = _text(share, message)[:110]
        sys.stderr.write("\r" + text.ljust(self.width))
        sys.stderr.flush()
        self.width = len(text)

    def close(self) -> None:
        if self.width:
            sys.stderr.write("\r" + " " * self.width + "\r")
            sys.stderr.flush()


class _Notebook:
    """A line below the cell, which is rewritten."""

    def __init__(self) -> None:
        self.handle: Any = None

    def __call__(self, share: float | None, message: str) -> None:
        from IPython.display import display

        shown = {"text/plain": _text(share, message)}
        if self.handle is None:
            self.handle = display(shown, raw=True, display_id=True)
        else:
            self.handle.update(shown, raw=True)

    def close(self) -> None:
        if self.handle is not None:
            self.handle.update({"text/plain": ""}, raw=True)


@contextmanager
def shown(progress: bool | None) -> Iterator[Shown]:
    """Show how far the work within is, and take the line away after it."""
    showing = of(progress)
    try:
        yield showing
    finally:
        if showing is not None:
            showing.close()
