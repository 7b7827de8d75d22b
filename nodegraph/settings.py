"""Where things lie and how to compute: from one file, the environment, or options, the later winning.

The file is `nodegraph.toml` in the working folder, or in the user's configuration folder; the environment variables are
`NODEGRAPH_` and the upper-case name, for instance `NODEGRAPH_OUTPUT=/tmp/pictures`.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from .errors import SettingsError, shorten
from .installations import A1111, COMFYUI, folders_in

FILE_NAME = "nodegraph.toml"
PREFIX = "NODEGRAPH_"
OF_THE_BUILD = "NODEGRAPH_SKIP_EDITOR"
"""No setting: it tells the package's build to leave the editor out."""
DIVIDERS = {"plugins": os.pathsep, "hosts": ","}
"""Between the members of those settings that are lists, in the environment."""


def _user_folder(variable: str, *fallback: str) -> Path:
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home().joinpath(*fallback)) / "nodegraph"


def _data_folder() -> Path:
    return _user_folder("XDG_DATA_HOME", ".local", "share")


class Settings(BaseModel):
    """Everything a run needs to know that is no part of a workflow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: Path = Field(
        default_factory=lambda: _data_folder() / "models", description="folder of model folders, one per kind"
    )
    folders: dict[str, list[Path]] = Field(default_factory=dict, description="further folders per kind of file")
    comfyui: Path | None = Field(default=None, description="a ComfyUI installation whose models are used in place")
    a1111: Path | None = Field(default=None, description="a Stable Diffusion web UI whose models are used in place")
    input: Path = Field(default_factory=lambda: _data_folder() / "input", description="pictures that workflows read")
    workflows: Path = Field(
        default_factory=lambda: _data_folder() / "workflows", description="workflows that the editor saves"
    )
    output: Path = Field(default=Path("output"), description="where nodes write")
    state: Path = Field(default_factory=lambda: _data_folder() / "state", description="what long nodes resume from")
    cache: Path = Field(
        default_factory=lambda: _user_folder("XDG_CACHE_HOME", ".cache"), description="results and definitions"
    )
    plugins: list[Path] = Field(
        default_factory=lambda: [_data_folder() / "plugins"], description="folders whose members are node packs"
    )
    memory_cache_bytes: int = Field(default=2 * 2**30, ge=0, description="budget of the results kept in memory")
    disk_cache_bytes: int = Field(
        default=20 * 2**30, ge=0, description="budget of the results kept on disk; 0 for none"
    )
    database: str | None = Field(default=None, description="URL of the job table; None for a file in `state`")
    keep_jobs: int | None = Field(default=None, ge=0, description="how many jobs that are over to keep; None for all")
    keep_days: float | None = Field(
        default=None, gt=0, description="how long to keep jobs that are over; None for ever"
    )
    checkpoint_seconds: float = Field(
        default=5.0, ge=0, allow_inf_nan=False, description="between two states that a long node keeps; 0 for every one"
    )
    port: int = Field(default=8420, ge=0, le=65535, description="where `nodegraph serve` listens; 0 for any")
    token: SecretStr | None = Field(
        default=None,
        min_length=16,
        exclude=True,
        description="who has it may ask `nodegraph serve`; None for anybody here",
    )
    hosts: list[str] = Field(
        default_factory=list, description="further names at which `nodegraph serve` is reached, as in a Host header"
    )
    workers: int = Field(default=0, ge=0, le=64, description="processes that run jobs; 0 for one per device")
    worker_memory_bytes: int | None = Field(
        default=None, ge=0, description="the most a worker may hold for itself; 0 for no limit"
    )
    worker_silence_seconds: float = Field(default=60.0, gt=0, description="without a sign of life a worker is ended")
    worker_grace_seconds: float = Field(default=10.0, ge=0, description="for a job to stop before its worker is ended")
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    threads: int = Field(
        default_factory=lambda: (
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        ),
        ge=1,
        description="CPU threads of one operation",
    )

    @field_validator("comfyui", "a1111")
    @classmethod
    def _is_installation(cls, root: Path | None) -> Path | None:
        if root is not None and not (root / "models").is_dir():
            raise ValueError("it is no installation: it holds no folder 'models'")
        return root

    def folders_of(self, kind: str) -> list[Path]:
        """The folders in which files of a kind are looked for, in order."""
        own = self.input if kind == "image" else self.models / kind
        others = [(self.comfyui, COMFYUI), (self.a1111, A1111)]
        found = [folder for root, layout in others if root is not None for folder in folders_in(root, layout, kind)]
        return [*self.folders.get(kind, []), own, *found]


def load_settings(overrides: Mapping[str, Any] | None = None, *, folder: Path | None = None) -> Settings:
    """The settings of this machine and moment.

    overrides: options given by hand; None values are left out. folder: instead of the working folder.
    Raises SettingsError naming the source and the field.
    """
    values: dict[str, Any] = {}
    for path in (_user_folder("XDG_CONFIG_HOME", ".config") / FILE_NAME, (folder or Path.cwd()) / FILE_NAME):
        if path.is_file():
            values |= _read(path)
    values |= _environment()
    values |= _checked({name: value for name, value in (overrides or {}).items() if value is not None}, "the options")
    return Settings.model_validate(values)


def secret_in(path: Path) -> str:
    """The secret that a file holds, without what ends its line. Raises SettingsError."""
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(path, getattr(error, "strerror", None) or str(error)) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(path, str(error)) from error
    return _checked(values, path)


def _environment() -> dict[str, Any]:
    source = "the environment"
    found: dict[str, Any] = {}
    for variable, text in os.environ.items():
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or variable == OF_THE_BUILD:
            continue
        if name not in Settings.model_fields:
            near = difflib.get_close_matches(name, Settings.model_fields, n=1)
            remedy = f"did you mean {PREFIX}{near[0].upper()}?" if near else _known()
            raise SettingsError(source, f"{variable}: there is no such setting; {remedy}")
        if name == "folders":
            raise SettingsError(source, f"{variable}: folders are set in a file, {FILE_NAME}")
        divider = DIVIDERS.get(name)
        value = [part for part in text.split(divider) if part] if divider is not None else text
        found |= _checked({name: value}, source, {name: variable})
    return found


def _checked(values: Mapping[str, Any], source: str | Path, shown: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The values of one source as a `Settings` holds them; `shown` are the names that the source has for them."""
    try:
        found = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"]]
        place[0] = (shown or {}).get(place[0], place[0])
        hint = f"; {_known()}" if first["type"] == "extra_forbidden" else ""
        got = "" if first["loc"] == ("token",) else f", got {shorten(first['input'])}"
        raise SettingsError(source, f"{'.'.join(place)}: {first['msg']}{got}{hint}") from error
    return {name: getattr(found, name) for name in values}


def _known() -> str:
    return f"the settings are {', '.join(Settings.model_fields)}"
