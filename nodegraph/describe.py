"""Run as a process of its own: import a pack's modules and write their node definitions as JSON.

`python -m nodegraph.describe REQUEST ANSWER` reads a request (`DescribeRequest`) and writes an answer
(`DescribeAnswer`). Whatever the pack's code does (print, exit, crash), the caller only loses this process.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

from pydantic import BaseModel

from .declaration import describe_nodes
from .definition import NodeDefinition
from .errors import DeclarationError, PackError
from .fingerprint import PackSources
from .plugins import Manifest, Pack, make_importable

_DECLARES_NODES = re.compile(rb"^@(?:\w+\.)*node\b", re.MULTILINE)


class DescribeRequest(BaseModel):
    """Which pack to describe; `search` is the caller's `sys.path`."""

    name: str
    package: str
    folder: Path
    manifest: Manifest
    from_folder: bool
    search: list[str]


class DescribeAnswer(BaseModel):
    """The definitions of the modules that could be read, and why others could not."""

    definitions: list[NodeDefinition]
    failures: list[str]


def describe_pack(pack: Pack) -> DescribeAnswer:
    """Import every module of `pack` that declares nodes and describe them."""
    sources = PackSources(pack.package, pack.folder)
    definitions: list[NodeDefinition] = []
    failures: list[str] = []
    try:
        make_importable(pack)
        importlib.import_module(pack.package)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a pack's code may raise anything; it is reported
        return DescribeAnswer(definitions=[], failures=[f"importing {pack.package} raised {_reason(error)}"])
    for module_name, path in sorted(sources.files.items()):
        if not _DECLARES_NODES.search(path.read_bytes()):
            continue
        try:
            module = importlib.import_module(module_name)
            found = describe_nodes(module, pack=pack.name, prefix=pack.prefix, find_torch=sources.importer_of_torch)
            closure = sources.closure(module_name)
        except DeclarationError as error:
            failures.append(str(error))
            continue
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            failures.append(f"importing {module_name} raised {_reason(error)}")
            continue
        numeric = tuple(sorted(closure.external.intersection(pack.manifest.numeric)))
        definitions += [each.model_copy(update={"fingerprint": closure.digest, "numeric": numeric}) for each in found]
    return DescribeAnswer(definitions=definitions, failures=failures)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def main(request_file: str, answer_file: str) -> None:
    """The process's work."""
    request = DescribeRequest.model_validate_json(Path(request_file).read_bytes())
    sys.path[:] = request.search
    fields = request.model_dump(exclude={"search", "manifest"})
    try:
        answer = describe_pack(Pack(manifest=request.manifest, **fields))
    except PackError as error:
        answer = DescribeAnswer(definitions=[], failures=[error.reason])
    Path(answer_file).write_text(answer.model_dump_json(), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
