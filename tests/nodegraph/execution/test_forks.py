"""A forked process ends where the node ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import pytest

from nodegraph.execution.forks import forks_leave


def fail() -> None:
    raise RuntimeError("in the child")


@pytest.mark.parametrize(
    ("then", "code"),
    [(lambda: None, 0), (fail, 1), (lambda: sys.exit(7), 7), (sys.exit, 0), (lambda: sys.exit("words"), 1)],
)
def test_a_forked_process_leaves_and_this_one_goes_on(then: Callable[[], None], code: int) -> None:
    child = 0
    with forks_leave():
        child = os.fork()
        if child == 0:
            then()
    if child == 0:  # the guard let it through
        os._exit(99)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == code


def test_errors_of_this_process_go_their_way() -> None:
    with pytest.raises(RuntimeError, match="in the child"), forks_leave():
        fail()
