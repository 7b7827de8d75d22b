"""What all tests share: folders of their own, so that no test sees the user's settings, models or cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from nodegraph.catalog import Catalog, load_catalog
from nodegraph.execution.run import Runner
from nodegraph.settings import Settings

PACKS = Path(__file__).parent / "packs"

hypothesis_settings.register_profile("any_machine", deadline=None)  # a busy machine is no defect
hypothesis_settings.load_profile("any_machine")


@pytest.fixture(scope="session")
def definitions_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of definitions for the whole session, so that packs are described once."""
    return tmp_path_factory.mktemp("definitions")


@pytest.fixture(scope="session")
def catalog(definitions_cache: Path) -> Catalog:
    """The built-in nodes and the toy pack."""
    found = load_catalog(Settings(cache=definitions_cache, plugins=[PACKS]))
    assert not found.failures, found.failures
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose folders all lie in the test's own folder."""
    return Settings(
        models=tmp_path / "models",
        input=tmp_path / "input",
        workflows=tmp_path / "workflows",
        output=tmp_path / "output",
        state=tmp_path / "state",
        cache=tmp_path / "cache",
        plugins=[PACKS],
        threads=1,
    )


@pytest.fixture
def make_runner(settings: Settings, catalog: Catalog) -> Iterator[Callable[..., Runner]]:
    """Makes runners on the test's folders; each call stands for a new process with an empty memory."""
    made: list[Runner] = []

    def make(**changes: object) -> Runner:
        made.append(Runner(settings.model_copy(update=changes), catalog=catalog))
        return made[-1]

    yield make
    for runner in made:
        runner.close()


@pytest.fixture
def runner(make_runner: Callable[..., Runner]) -> Runner:
    """A runner on the test's folders."""
    return make_runner()


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The toy nodes called since the last look, in order."""
    log = tmp_path / "calls.log"
    monkeypatch.setenv("TOY_LOG", str(log))
    seen = 0

    def look() -> list[str]:
        nonlocal seen
        lines = log.read_text("utf-8").splitlines() if log.exists() else []
        new, seen = lines[seen:], len(lines)
        return new

    return look
