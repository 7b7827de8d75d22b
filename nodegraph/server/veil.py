"""Keeping the folders of this machine out of what is told to others."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from pydantic import JsonValue

from ..jobs.model import Job, JobError, JobEvent, JobFile
from ..settings import Settings


class Veil:
    """Replaces the beginnings of paths by what the folder is for: `/home/me/pictures/a.png` becomes `output/a.png`."""

    def __init__(self, settings: Settings, folders: Iterable[Path] = ()) -> None:
        named: list[tuple[Path, str]] = [
            (settings.models, "models"),
            (settings.input, "input"),
            (settings.workflows, "workflows"),
            (settings.output, "output"),
            (settings.state, "state"),
            (settings.cache, "cache"),
            *((folder, "plugins") for folder in settings.plugins),
            *((folder, kind) for kind, found in settings.folders.items() for folder in found),
            *((root, root.name) for root in (settings.comfyui, settings.a1111) if root is not None),
            *((folder, folder.name) for folder in folders),
            (Path(__file__).parents[1], "nodegraph"),
            (Path(sys.prefix), "python"),
            (Path.cwd(), "."),
            (Path.home(), "~"),
        ]
        spelled = {str(form): name for path, name in named for form in (path.absolute(), path.resolve())}
        self._names = sorted(
            ((path, name) for path, name in spelled.items() if len(path) > 1), key=lambda each: -len(each[0])
        )
        self._output = settings.output.resolve()

    def text(self, text: str) -> str:
        """A text without the folders."""
        for path, name in self._names:
            if path in text:
                text = text.replace(path, name)
        return text

    def json(self, value: JsonValue) -> JsonValue:
        """A document without the folders; names of its members stay."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.json(each) for each in value]
            case dict():
                return {name: self.json(each) for name, each in value.items()}
            case _:
                return value

    def job(self, job: Job) -> Job:
        """A job as it is told to others; files by their names in the output folder."""
        error = job.error
        if error is not None:
            defects = [{name: self.json(each) for name, each in defect.items()} for defect in error.defects]
            error = JobError(kind=error.kind, message=self.text(error.message), node=error.node, defects=defects)
        return job.model_copy(
            update={
                "error": error,
                "outputs": {name: self.json(value) for name, value in job.outputs.items()},
                "files": [self.file(each) for each in job.files],
            }
        )

    def file(self, file: JobFile) -> JobFile:
        """A file by its name in the output folder."""
        path = Path(file.path).absolute()
        for form in (path, path.resolve()):
            if form.is_relative_to(self._output):
                return file.model_copy(update={"path": form.relative_to(self._output).as_posix()})
        return file.model_copy(update={"path": self.text(file.path)})

    def event(self, event: JobEvent) -> JobEvent:
        """An event as it is told to others."""
        return event.model_copy(update={"data": {name: self.json(value) for name, value in event.data.items()}})
