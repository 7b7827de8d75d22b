"""Code fingerprints: what a node's result depends on besides its inputs, read from source without importing it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Closure:
    """The static import closure of a module within its pack.

    digest: SHA-256 over the names and sources of the modules in it.
    external: the top-level packages that it imports from outside the pack.
    """

    digest: str
    external: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Module:
    source_digest: str
    imports: frozenset[str]
    at_once: frozenset[str]


class PackSources:
    """The Python sources of one pack.

    package: the dotted name under which the pack is imported. folder: where it lies, or the file that is the pack.
    """

    def __init__(self, package: str, folder: Path) -> None:
        self.package = package
        self.files = dict(_module_files(package, folder))
        self._parsed: dict[str, _Module] = {}

    def digests(self) -> dict[str, str]:
        """SHA-256 of the source of every module, as it is now."""
        return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in self.files.items()}

    def imports(self, module: str) -> frozenset[str]:
        """Absolute names of what a module imports, inside functions included, and perhaps names that are no modules."""
        return self._module(module).imports

    def closure(self, module: str) -> Closure:
        """Everything in the pack that importing `module` may execute, imports inside functions included."""
        found: set[str] = set()
        waiting = [module]
        external: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in found or name not in self.files:
                continue
            found.add(name)
            for target in self._module(name).imports:
                if target == self.package or target.startswith(self.package + "."):
                    waiting.append(target)
                else:
                    external.add(target.partition(".")[0])
            parent = name.rpartition(".")[0]
            waiting += [parent] if parent else []
        digest = hashlib.sha256()
        for name in sorted(found):
            digest.update(f"{name}\0{self._module(name).source_digest}\0".encode())
        return Closure(digest.hexdigest(), frozenset(external))

    def importer_of_torch(self, module: str) -> str | None:
        """The module of the pack that imports torch when `module` is imported; None where none does.

        Imports inside functions and for type checkers do not count.
        """
        found: set[str] = set()
        waiting = [module]
        while waiting:
            name = waiting.pop()
            if name in found or name not in self.files:
                continue
            found.add(name)
            imports = self._module(name).at_once
            if any(target == "safetensors.torch" or target.partition(".")[0] == "torch" for target in imports):
                return name
            waiting += [*imports, name.rpartition(".")[0]]
            waiting += [parent for target in imports if (parent := target.rpartition(".")[0])]
        return None

    def _module(self, name: str) -> _Module:
        if name not in self._parsed:
            path = self.files[name]
            source = path.read_bytes()
            tree, is_package = ast.parse(source, str(path)), path.name == "__init__.py"
            imports = frozenset(_imports(ast.walk(tree), name, is_package=is_package))
            at_once = frozenset(_imports(_run_at_import(tree), name, is_package=is_package))
            self._parsed[name] = _Module(hashlib.sha256(source).hexdigest(), imports, at_once)
        return self._parsed[name]


def digest_of(digests: Mapping[str, str]) -> str:
    """SHA-256 over the digests of a pack's modules."""
    text = "".join(f"{name}\0{digest}\0" for name, digest in sorted(digests.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _module_files(package: str, folder: Path) -> Iterator[tuple[str, Path]]:
    if folder.is_file():
        yield package, folder
        return
    for path in folder.rglob("*.py"):
        parts = list(path.relative_to(folder).with_suffix("").parts)
        if any(part.startswith(".") or part == "__pycache__" for part in parts) or not path.is_file():
            continue
        if parts[-1] == "__init__":
            parts.pop()
        yield ".".join([package, *parts]), path


def _run_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """The statements that importing a module runs: not those in functions, not those for type checkers."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _run_at_import(child)


def _imports(statements: Iterable[ast.AST], module: str, *, is_package: bool) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            base = _absolute(statement, module, is_package=is_package)
            yield base
            # `from package import name` may import a module of that name; a name that is none is ignored later
            yield from (f"{base}.{alias.name}" for alias in statement.names)


def _absolute(statement: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if statement.level == 0:
        return statement.module or ""
    parts = module.split(".")
    keep = len(parts) - statement.level + (1 if is_package else 0)
    return ".".join([*parts[:keep], *([statement.module] if statement.module else [])])
