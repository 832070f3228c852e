"""What noisefit asks of an engine, and what all of them have in common."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

#: Answers of more partitions than this are merged by groups of partitions on workers before they come to the driver.
DIRECT = 64


def group_size(partitions: int) -> int:
    """How many partitions make a group whose answers are merged together: about the square root, so that no one merges many."""
    return max(1, math.isqrt(max(partitions - 1, 0)) + 1) if partitions > DIRECT else 0


class Asked:
    """Work that an engine does on a thread of its own, so that whoever waits can stop waiting."""

    def __init__(self, work: Callable[[], list[bytes]], cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        self._ended = threading.Event()
        self._answers: list[bytes] | None = None
        self._failed: BaseException | None = None

        def run() -> None:
            try:
                self._answers = work()
            except BaseException as error:  # whatever it is, whoever waits is told
                self._failed = error
            finally:
                self._ended.set()

        threading.Thread(target=run, name="noisefit-engine", daemon=True).start()

    def wait(self, seconds: float) -> list[bytes] | None:
        """Wait for the answers for so long; None where there are none yet."""
        if not self._ended.wait(seconds):
            return None
        if self._failed is not None:
            raise RuntimeError(_why(self._failed)) from self._failed
        return self._answers

    def cancel(self) -> None:
        """Have the engine stop."""
        self._cancel()


def _why(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    if "No module named 'noisefit'" in text or "No module named noisefit" in text:
        return "the engine's workers have no noisefit: install the same version there as here (see docs/cluster.md)"
    lines = text.splitlines()
    shown = "\n".join(lines[:12])
    return f"the engine could not do it: {shown}" + ("\n..." if len(lines) > 12 else "")


class Engine:
    """A table that an engine holds; each engine says how its workers fold a task.

    Attributes
    ----------
    name
        What the engine is called.
    """

    name = ""

    def rows(self) -> Iterator[Any]:
        """Bring the rows here: first a table without rows, for the columns, then one object with `__arrow_c_stream__` after another."""
        raise NotImplementedError

    def ask(self, columns: Sequence[str], task: bytes) -> Asked:
        """Have every partition folded."""
        raise NotImplementedError

    def keep(self) -> bool:
        """Have the engine keep the rows for several passes; whether it does more than before."""
        return False

    def release(self) -> None:
        """Undo what `keep` did."""

    def predict(self, model: str, settings: dict[str, Any], names: list[str]) -> Any:
        """Give the engine's own table with predictions appended, which it computes when it is asked for them."""
        raise NotImplementedError

    @contextmanager
    def kept(self, persist: bool) -> Iterator[bool]:
        """Keep the rows while something is done with them."""
        keeps = persist and self.keep()
        try:
            yield keeps
        finally:
            if keeps:
                self.release()
