"""Content keys: same recipe, same key.

A key is a SHA-256 over the node's type and version, its code fingerprint, the versions of the numeric packages it uses,
the device policy where that changes bits, every value written into it (typed: 1, true, 1.0 and "1" differ), the digests
of the files it reads, and the keys of the nodes wired into it. Names of nodes and of files are no part of it.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from pydantic import JsonValue

from ..definition import NodeDefinition
from ..devices.policy import DevicePolicy
from ..ports.literals import by_exactness, problems
from ..ports.types import ListType, MapType, ModelType, PathType, PortType, UnionType, item_type
from ..workflow.graph import Gathered, Graph, GraphNode, Link, Source, Written

KEY_SCHEMA = "nodegraph-key/1"

_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False).encode

FileDigest: TypeAlias = Callable[[str, str], str]
"""From kind and name of a file to the SHA-256 of its content."""


class KeyMaker:
    """Computes the keys of a graph's nodes.

    digest_of: content digest of a file by kind and name. policy: where and how the run computes.
    nonce: unlike for every run; enters the keys of nodes declared with cache="never".
    """

    def __init__(self, digest_of: FileDigest, policy: DevicePolicy, nonce: str) -> None:
        self._digest_of, self._policy, self._nonce = digest_of, policy, nonce
        self._prefixes: dict[str, bytes] = {}
        self.files: dict[tuple[str, str], str] = {}

    def keys(self, graph: Graph) -> dict[str, str]:
        """The key of every node of `graph`."""
        keys: dict[str, str] = {}
        for name, node in graph.nodes.items():
            keys[name] = self.key(node, keys)
        return keys

    def key(self, node: GraphNode, keys: Mapping[str, str]) -> str:
        """The key of a node, given those of the nodes wired into it."""
        digest = hashlib.sha256(self._prefix(node.definition))
        ports = node.definition.inputs_by_name
        for name in sorted(node.sources):
            source = node.sources[name]
            digest.update(f"\0{name}=".encode())
            digest.update(self._source(ports[name].type, source, keys).encode())
        if node.definition.cache == "never":
            digest.update(self._nonce.encode())
        return digest.hexdigest()

    def _prefix(self, definition: NodeDefinition) -> bytes:
        known = self._prefixes.get(definition.id)
        if known is None:
            versions = ";".join(f"{package}={package_version(package)}" for package in definition.numeric)
            policy = self._policy.text if "torch" in definition.numeric else ""
            parts = (KEY_SCHEMA, definition.id, definition.version, definition.fingerprint, versions, policy)
            known = self._prefixes[definition.id] = "\0".join(parts).encode()
        return known

    def _source(self, port: PortType, source: Source, keys: Mapping[str, str]) -> str:
        match source:
            case Link(node=node, output=output):
                return f"L{keys[node]}.{output}"
            case Gathered(items=items):
                inner = item_type(port)
                return f"G[{','.join(self._source(inner, item, keys) for item in items)}]"
            case Written(value=value):
                return "V" + _encode(self._with_digests(port, value))

    def _with_digests(self, port: PortType, value: JsonValue) -> JsonValue:
        """`value` with every file name in it replaced by the file's content digest."""
        match port:
            case PathType(of=kind) if isinstance(value, str):
                digest = self.files.get((kind, value)) or self._digest_of(kind, value)
                self.files[kind, value] = digest
                return {"sha256": digest}
            case ListType(item=item) if isinstance(value, list):
                return [self._with_digests(item, each) for each in value]
            case MapType(item=item) if isinstance(value, dict):
                return {name: self._with_digests(item, each) for name, each in value.items()}
            case ModelType(fields=fields) if isinstance(value, dict):
                types = {field.name: field.type for field in fields}
                return {name: self._with_digests(types[name], each) for name, each in value.items()}
            case UnionType(members=members):
                return self._with_digests(_the_member(members, value), value)
            case _:
                return value


def _the_member(members: Iterable[PortType], value: JsonValue) -> PortType:
    return next(member for member in by_exactness(tuple(members), value) if not problems(member, value))


@functools.cache
def package_version(package: str) -> str:
    """The installed version of an import package, "none" when it is not installed."""
    from importlib import metadata

    distribution = {"PIL": "pillow"}.get(package, package)
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "none"


def written_paths(port: PortType, source: Source) -> list[tuple[str, str]]:
    """Kind and name of every file named in what is written into a port."""
    if isinstance(source, Gathered):
        return [found for item in source.items for found in written_paths(item_type(port), item)]
    if not isinstance(source, Written):
        return []
    found: list[tuple[str, str]] = []

    def note(kind: str, name: str) -> str:
        found.append((kind, name))
        return ""

    KeyMaker(note, DevicePolicy("", "", 0), "")._with_digests(port, source.value)
    return found
