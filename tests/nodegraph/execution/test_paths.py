"""File names in workflows: confined to the folders of their kind, whatever they say."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodegraph import InvalidWorkflow, Settings
from nodegraph.errors import FileMissing, FileNotAllowed, NodegraphError
from nodegraph.execution.digests import FileDigests
from nodegraph.execution.resolve import FileResolver
from nodegraph.execution.run import Runner
from nodegraph.plugins import Manifest, Pack
from nodegraph.ports.literals import problems
from nodegraph.ports.types import PathType
from nodegraph.workflow.defects import Defect

from ..flows import flow

NOTE = PathType(of="note")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """The folder of notes, with two in it and a secret beside it."""
    folder = tmp_path / "models" / "note"
    (folder / "deep").mkdir(parents=True)
    (folder / "hello.txt").write_text("hello", "utf-8")
    (folder / "deep" / "below.txt").write_text("below", "utf-8")
    (tmp_path / "models" / "secret.txt").write_text("secret", "utf-8")
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    return folder


@pytest.fixture
def resolver(settings: Settings, notes: Path) -> FileResolver:
    return FileResolver(settings, {})


def defect_of(runner: Runner, name: str) -> Defect:
    with pytest.raises(InvalidWorkflow) as caught:
        runner.prepare(flow({"n": ("read_text", {"file": name})}))
    [defect] = caught.value.defects
    assert (defect.node, defect.input, defect.value) == ("n", "file", name)
    return defect


def test_names_are_relative_to_a_folder_of_their_kind(resolver: FileResolver, notes: Path) -> None:
    assert resolver.resolve("note", "hello.txt") == notes / "hello.txt"
    assert resolver.resolve("note", "deep/below.txt") == notes / "deep" / "below.txt"
    assert resolver.names("note") == ["deep/below.txt", "hello.txt"]
    assert resolver.names("other") == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../secret.txt", "leaves its folder"),
        ("deep/../../secret.txt", "leaves its folder"),
        ("deep/../hello.txt", "leaves its folder"),
        ("..", "leaves its folder"),
        ("..\\secret.txt", "leaves its folder"),
        ("hello.txt\0.png", "leaves its folder"),
        ("/etc/passwd", "absolute paths are not allowed"),
        ("//host/share", "absolute paths are not allowed"),
        ("\\\\host\\share", "absolute paths are not allowed"),
        ("C:\\secret.txt", "absolute paths are not allowed"),
        ("c:/secret.txt", "absolute paths are not allowed"),
        ("", "not a file name"),
    ],
)
def test_names_that_lead_elsewhere_are_refused_without_looking(runner: Runner, name: str, words: str) -> None:
    assert words in problems(NOTE, name)[0].reason
    assert defect_of(runner, name).code == "bad_value"


@pytest.mark.parametrize(
    "name", ["../secret.txt", "deep/../../secret.txt", "{notes}/hello.txt", "{notes}/../secret.txt"]
)
def test_whoever_asks_the_resolver_gets_nothing_from_outside(resolver: FileResolver, notes: Path, name: str) -> None:
    with pytest.raises(FileNotAllowed):
        resolver.resolve("note", name.format(notes=notes))


@pytest.mark.parametrize("name", ["to_file", "to_folder/secret.txt"])
def test_links_that_lead_elsewhere_are_refused(
    runner: Runner, resolver: FileResolver, notes: Path, tmp_path: Path, name: str
) -> None:
    (notes / "to_file").symlink_to(tmp_path / "secret.txt")
    (notes / "to_folder").symlink_to(tmp_path)
    with pytest.raises(FileNotAllowed, match=r"lies outside .*; put the file into one of the note folders"):
        resolver.resolve("note", name)
    assert defect_of(runner, name).code == "file_not_allowed"


def test_links_inside_a_folder_and_linked_folders_are_fine(settings: Settings, notes: Path, tmp_path: Path) -> None:
    (notes / "again.txt").symlink_to("hello.txt")
    (tmp_path / "linked").symlink_to(tmp_path / "models")
    linked = FileResolver(settings.model_copy(update={"models": tmp_path / "linked"}), {})
    assert linked.resolve("note", "again.txt") == notes / "hello.txt"


def test_a_missing_file_names_those_like_it(runner: Runner, notes: Path) -> None:
    missing = defect_of(runner, "helo.txt")
    assert missing.code == "missing_file"
    assert "there is no note 'helo.txt'; did you mean 'hello.txt'" in missing.reason
    assert f"put it into one of the note folders: {notes}" in defect_of(runner, "zzz").reason


@pytest.mark.parametrize(
    "name", ["deep", "x" * 5000, "hello.txt/inside", "loop", "gone", "deep/" * 2000 + "x", "\udcff"]
)
def test_what_is_no_file_is_missing(resolver: FileResolver, notes: Path, name: str) -> None:
    (notes / "loop").symlink_to(notes / "loop")
    (notes / "gone").symlink_to(notes / "nowhere")
    with pytest.raises(FileMissing) as caught:
        resolver.resolve("note", name)
    assert len(str(caught.value)) < 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["..", ".", "deep", "hello.txt", "secret.txt", "", "\0", "~", "/", "\\"]), max_size=5))
def test_no_name_reaches_a_file_outside(resolver: FileResolver, notes: Path, parts: list[str]) -> None:
    for name in ("/".join(parts), "".join(parts)):
        try:
            found = resolver.resolve("note", name)
        except NodegraphError:
            continue
        assert found.is_relative_to(notes), name
        assert found.is_file()


def test_further_folders_come_first(settings: Settings, notes: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "hello.txt").write_text("mine", "utf-8")
    resolver = FileResolver(settings.model_copy(update={"folders": {"note": [other]}}), {})
    assert resolver.resolve("note", "hello.txt") == other / "hello.txt"
    assert resolver.resolve("note", "deep/below.txt") == notes / "deep" / "below.txt"


def test_files_that_come_with_a_pack(settings: Settings, tmp_path: Path) -> None:
    manifest = Manifest(bundled={"note": {"one": "files/one.txt", "lost": "files/lost.txt"}})
    pack = Pack(name="p", package="p", folder=tmp_path / "p", manifest=manifest)
    (tmp_path / "p" / "files").mkdir(parents=True)
    (tmp_path / "p" / "files" / "one.txt").write_text("1", "utf-8")
    resolver = FileResolver(settings, {"p": pack})
    assert resolver.resolve("note", "bundled:one") == tmp_path / "p" / "files" / "one.txt"
    assert resolver.names("note") == ["bundled:one", "bundled:lost"]
    with pytest.raises(FileMissing, match="the pack 'p' should bring the note 'lost'; reinstall it"):
        resolver.resolve("note", "bundled:lost")
    with pytest.raises(FileMissing, match="no pack brings the note 'two'; there are bundled:one"):
        resolver.resolve("note", "bundled:two")
    with pytest.raises(FileMissing, match="no pack brings"):
        resolver.resolve("note", "bundled:../secret.txt")


# files from anywhere


def test_a_file_inside_its_folder_is_used_where_it_lies(runner: Runner, notes: Path) -> None:
    assert runner.import_file("note", notes / "deep" / "below.txt") == "deep/below.txt"


def test_a_picture_from_anywhere_is_copied_under_its_content(
    runner: Runner, settings: Settings, tmp_path: Path
) -> None:
    picture = tmp_path / "my picture.png"
    picture.write_bytes(b"one")
    name = runner.import_file("image", picture)
    assert name == f"{sha256(b'one').hexdigest()[:16]}-my picture.png"
    assert (settings.input / name).read_bytes() == b"one"
    picture.write_bytes(b"two")
    assert runner.import_file("image", picture) != name
    assert (settings.input / name).read_bytes() == b"one"
    assert len(list(settings.input.iterdir())) == 2
    assert problems(PathType(of="image"), name) == []
    assert runner.files.resolve("image", name) == settings.input / name


def test_importing_twice_copies_once(runner: Runner, settings: Settings, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"one")
    names = {runner.import_file("image", picture) for _ in range(2)}
    assert {path.name for path in settings.input.iterdir()} == names


def test_other_files_must_lie_where_they_belong(runner: Runner, notes: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotAllowed, match="lies in none of the note folders"):
        runner.import_file("note", tmp_path / "secret.txt")
    with pytest.raises(FileMissing, match="there is no file"):
        runner.import_file("note", tmp_path / "nowhere.txt")
    (notes / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(FileNotAllowed):
        runner.import_file("note", notes / "link.txt")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_impossible_names_are_missing_files(runner: Runner, name: str) -> None:
    with pytest.raises(FileMissing):
        runner.import_file("image", Path(name))


def test_a_file_is_hashed_once_until_it_changes(
    make_runner: Callable[..., Runner], notes: Path, tmp_path: Path
) -> None:
    workflow = flow({f"n{seed}": ("read_text", {"file": "hello.txt", "seed": seed}) for seed in range(3)})
    prepared = make_runner().prepare(workflow)
    assert dict(prepared.files) == {("note", "hello.txt"): sha256(b"hello").hexdigest()}
    assert len(set(prepared.plan.keys.values())) == 3


@pytest.fixture
def model_folder(notes: Path) -> Path:
    """A model in several files among the notes."""
    folder = notes / "deep" / "model"
    (folder / "part").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "part" / "weights").write_text("1")
    (folder / ".hidden").write_text("nothing")
    return folder


def test_a_folder_with_an_index_is_named_like_a_file(resolver: FileResolver, model_folder: Path) -> None:
    assert resolver.resolve("note", "deep/model") == model_folder
    assert [name for name in resolver.names("note") if "model" in name] == ["deep/model"]
    with pytest.raises(FileMissing):
        resolver.resolve("note", "deep")


@pytest.mark.parametrize("config", ["config.json", "adapter_config.json"])
def test_a_folder_with_a_config_is_named_like_a_file_and_so_are_its_files(
    resolver: FileResolver, notes: Path, config: str
) -> None:
    folder = notes / "control"
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(b"1")
    assert "control" not in resolver.names("note")
    (folder / config).write_text("{}")
    assert resolver.resolve("note", "control") == folder
    assert {"control", "control/weights.safetensors"} <= set(resolver.names("note"))
    assert resolver.resolve("note", "control/weights.safetensors") == folder / "weights.safetensors"
    before = FileDigests(None).digest(folder)
    (folder / config).write_text("{ }")
    assert FileDigests(None).digest(folder) != before


def test_a_model_folder_changes_with_each_of_its_files(model_folder: Path) -> None:
    digests = FileDigests(None)
    first = digests.digest(model_folder)
    assert digests.digest(model_folder) == first
    (model_folder / ".hidden").write_text("something")
    assert digests.digest(model_folder) == first
    (model_folder / "part" / "weights").write_text("2")
    second = digests.digest(model_folder)
    (model_folder / "part" / "weights").rename(model_folder / "part" / "weights2")
    assert len({first, second, digests.digest(model_folder)}) == 3


def test_the_digest_of_a_folder_is_known_when_all_of_its_files_are(model_folder: Path) -> None:
    digests = FileDigests(None, now=lambda: 2**62)
    assert digests.known(model_folder) is None
    digests.digest(model_folder / "model_index.json")
    assert digests.known(model_folder) is None
    assert digests.digest(model_folder) == digests.known(model_folder)


def test_no_file_of_a_model_folder_leads_outside(resolver: FileResolver, model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    (model_folder / "part" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(FileNotAllowed):
        resolver.resolve("note", "deep/model")
