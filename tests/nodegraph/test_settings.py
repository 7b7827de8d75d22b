"""Settings: which source wins, and what is said about wrong ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from nodegraph.errors import SettingsError
from nodegraph.settings import OF_THE_BUILD, Settings, load_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own, and an environment without settings."""
    for name in os.environ:
        if name.startswith("NODEGRAPH_"):
            monkeypatch.delenv(name)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home" / name))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


def write_user_file(home: Path, text: str) -> Path:
    file = home / "XDG_CONFIG_HOME" / "nodegraph" / "nodegraph.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text, "utf-8")
    return file


def write_here(text: str) -> Path:
    file = Path("nodegraph.toml").absolute()
    file.write_text(text, "utf-8")
    return file


def test_without_anything_the_defaults_lie_in_the_users_folders(home: Path) -> None:
    found = load_settings()
    assert found.models == home / "XDG_DATA_HOME" / "nodegraph" / "models"
    assert found.cache == home / "XDG_CACHE_HOME" / "nodegraph"
    assert found.plugins == [home / "XDG_DATA_HOME" / "nodegraph" / "plugins"]
    assert (found.output, found.device, found.precision) == (Path("output"), "auto", "auto")
    assert found.threads >= 1


def test_options_win_over_the_environment_over_the_files_over_defaults(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = []
    sources.append(load_settings().threads)
    write_user_file(home, "threads = 11\nprecision = 'float16'\ndisk_cache_bytes = 5")
    sources.append(load_settings().threads)
    write_here("threads = 12\nprecision = 'bfloat16'")
    sources.append(load_settings().threads)
    monkeypatch.setenv("NODEGRAPH_THREADS", "13")
    sources.append(load_settings().threads)
    sources.append(load_settings({"threads": 14}).threads)
    assert sources[1:] == [11, 12, 13, 14]
    found = load_settings({"threads": None})
    assert (found.threads, found.precision, found.disk_cache_bytes) == (13, "bfloat16", 5)


def test_the_working_folder_can_be_another(tmp_path: Path) -> None:
    (tmp_path / "nodegraph.toml").write_text("threads = 7")
    assert load_settings(folder=tmp_path).threads == 7


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("OUTPUT", "/somewhere/else", Path("/somewhere/else")),
        ("MODELS", "relative", Path("relative")),
        ("THREADS", "3", 3),
        ("DISK_CACHE_BYTES", "0", 0),
        ("DEVICE", "cpu", "cpu"),
        ("DATABASE", "sqlite:////data/jobs.sqlite", "sqlite:////data/jobs.sqlite"),
        ("KEEP_JOBS", "0", 0),
        ("KEEP_DAYS", "0.5", 0.5),
        ("PLUGINS", os.pathsep.join(["/a", "b", ""]), [Path("/a"), Path("b")]),
    ],
)
def test_every_setting_is_an_environment_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any
) -> None:
    monkeypatch.setenv(f"NODEGRAPH_{name}", text)
    assert getattr(load_settings(), name.lower()) == value


def test_folders_of_a_kind_come_before_the_usual_one(home: Path) -> None:
    write_here('models = "m"\ninput = "i"\n[folders]\ncheckpoint = ["a", "b"]\nimage = ["c"]\n')
    found = load_settings()
    assert found.folders_of("checkpoint") == [Path("a"), Path("b"), Path("m/checkpoint")]
    assert found.folders_of("image") == [Path("c"), Path("i")]
    assert found.folders_of("note") == [Path("m/note")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("thread = 1", ["thread: Extra inputs are not permitted", "the settings are models, folders"]),
        ("threads = 'many'", ["threads: ", "got 'many'"]),
        ("threads = 0", ["threads: Input should be greater than or equal to 1, got 0"]),
        ("threads = 1.5", ["threads: ", "got 1.5"]),
        ("device = 'gpu'", ["device: Input should be 'auto', 'cpu', 'cuda' or 'mps', got 'gpu'"]),
        ("disk_cache_bytes = -1", ["disk_cache_bytes: "]),
        ("keep_jobs = -1", ["keep_jobs: "]),
        ("keep_days = 0", ["keep_days: "]),
        ("plugins = 'one'", ["plugins: ", "got 'one'"]),
        ("[folders]\ncheckpoint = 5", ["folders.checkpoint: "]),
        ("threads = ", ["Invalid value"]),
        ("threads = 1\nthreads = 2", ["Cannot overwrite a value"]),
    ],
)
def test_a_wrong_file_is_named_with_the_field(text: str, words: list[str]) -> None:
    file = write_here(text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"settings from {file}: ")
    assert [each for each in words if each not in str(caught.value)] == []


def test_a_wrong_file_is_an_error_even_where_an_option_wins(home: Path) -> None:
    file = write_user_file(home, "threads = 'many'")
    with pytest.raises(SettingsError, match=str(file)):
        load_settings({"threads": 3})


@pytest.mark.parametrize("content", [b"\xff\xfe", b"threads = 1\0"])
def test_a_file_that_is_no_toml_is_named(content: bytes) -> None:
    file = write_here("")
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=str(file)):
        load_settings()


def test_what_is_for_the_build_of_the_package_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OF_THE_BUILD, "1")
    load_settings()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("NODEGRAPH_THREADS", "many", "got 'many'"),
        ("NODEGRAPH_DEVICE", "gpu", "got 'gpu'"),
        ("NODEGRAPH_THREAD", "1", "there is no such setting; did you mean NODEGRAPH_THREADS?"),
        ("NODEGRAPH_ZZZ", "1", "there is no such setting; the settings are models, folders"),
        ("NODEGRAPH_FOLDERS", "a", "folders are set in a file"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, text: str, words: str) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"settings from the environment: {name}: ")
    assert words in str(caught.value)


def test_a_wrong_option_is_named() -> None:
    with pytest.raises(SettingsError, match=r"settings from the options: precision: .*got 'float8'"):
        load_settings({"precision": "float8"})
    with pytest.raises(SettingsError, match="settings from the options: presicion: "):
        load_settings({"presicion": "float32"})


def test_settings_are_immutable() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().threads = 3  # type: ignore[misc]


def installation(root: Path, *folders: str) -> Path:
    for folder in ("models", *folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
    return root


def test_other_systems_models_are_found_after_ones_own(tmp_path: Path) -> None:
    comfyui = installation(tmp_path / "ComfyUI", "models/checkpoints", "models/unet", "input")
    webui = installation(tmp_path / "webui", "models/Stable-diffusion", "embeddings")
    extra = tmp_path / "extra"
    found = load_settings({"comfyui": comfyui, "a1111": webui, "folders": {"checkpoint": [extra]}})
    assert found.folders_of("checkpoint") == [
        extra,
        found.models / "checkpoint",
        comfyui / "models" / "checkpoints",
        webui / "models" / "Stable-diffusion",
    ]
    assert found.folders_of("diffusion_model") == [found.models / "diffusion_model", comfyui / "models" / "unet"]
    assert found.folders_of("embedding") == [found.models / "embedding", webui / "embeddings"]
    assert found.folders_of("image") == [found.input, comfyui / "input"]
    assert found.folders_of("note") == [found.models / "note"]


def test_a_folder_that_is_no_installation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"comfyui: .*it holds no folder 'models'"):
        load_settings({"comfyui": tmp_path})
    write_here(f"a1111 = '{tmp_path / 'nowhere'}'")
    with pytest.raises(SettingsError, match="a1111"):
        load_settings()
