"""Python's search for reference cycles, put off while much is made that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Search for no cycles while the block, or the decorated function, lasts.

    A graph of 20,000 nodes is some hundred thousand objects without a cycle; searching them over and over while they
    are made took half of the time of a cached run.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
