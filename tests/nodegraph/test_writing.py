"""Writing files whole: whatever interrupts it, the old content stays and nothing else is left."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from nodegraph.files import write_atomically


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full"), SystemExit()], ids=repr)
@pytest.mark.parametrize("step", ["chmod", "replace"])
def test_an_interrupted_write_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, step: str
) -> None:
    path = tmp_path / "file"
    path.write_text("old", "utf-8")

    def interrupted(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, step, interrupted)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert path.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_only_a_cache_may_fail_for_want_of_room_but_not_for_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    assert write_atomically(tmp_path / "file" / "cache", b"", best_effort=True) is False

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "other", b"", best_effort=True)
