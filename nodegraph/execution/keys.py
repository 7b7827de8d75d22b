"""Content keys: same recipe, same key.

A key is a SHA-256 over the node's type and version, its code fingerprint, the versions of the numeric packages it uses,
the device policy where that changes bits, every value written into it (typed: 1, true, 1.0 and "1" differ), the digests
of the files it reads, and the keys of the nodes wired into it. Names of nodes and of files are no part of it, but for
nodes that are never cached, of which no two give the same. The rounds of a loop are keyed by the content of what they
are given, so that a list may change in the middle.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from pydantic import JsonValue

from ..definition import NodeDefinition
from ..devices.policy import DevicePolicy
from ..ports.literals import by_exactness, problems
from ..ports.types import ListType, MapType, ModelType, PathType, PortType, UnionType, item_type
from ..workflow.graph import Gathered, Given, Graph, GraphNode, Link, Loop, Parameter, Source, Written

KEY_SCHEMA = "nodegraph-key/1"

_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False).encode

FileDigest: TypeAlias = Callable[[str, str], str]
"""From kind and name of a file to the SHA-256 of its content."""

Trace: TypeAlias = Callable[[str], str | None]
"""From what a node with lazy inputs knows to what it asks for next; see `KeyMaker`."""


class Known(Protocol):
    """Keys by the names of nodes; raises KeyError for those that are not known."""

    def __getitem__(self, name: str, /) -> str: ...


def no_trace(known: str) -> str | None:
    """Nothing is known about what nodes ask for."""
    return None


class KeyMaker:
    """Computes the keys of a graph's nodes.

    digest_of: content digest of a file by kind and name. policy: where and how the run computes.
    nonce: unlike for every run, but for runs of which one takes another's place; enters the keys of nodes declared with
        cache="never".
    trace: what a node with lazy inputs asks for next, by the key of what it knows so far: the name of an input (with
        `[index]` for one of a list), "" when it needs nothing more, None where that is not known yet.

    The key of a node with lazy inputs holds those that it asks for, no others. While it is not known which those are,
    the node has no key, nor has anything that needs it.
    """

    def __init__(self, digest_of: FileDigest, policy: DevicePolicy, nonce: str, trace: Trace = no_trace) -> None:
        self._digest_of, self._policy, self._nonce, self._trace = digest_of, policy, nonce, trace
        self._prefixes: dict[str, bytes] = {}
        self._bodies: dict[Loop, str] = {}
        self.files: dict[tuple[str, str], str] = {}

    def keys(self, graph: Graph) -> dict[str, str]:
        """The keys of the nodes of `graph`, as far as they can be known."""
        keys: dict[str, str] = {}
        for name, node in graph.nodes.items():
            key = self.key(node, keys)
            if key is not None:
                keys[name] = key
        return keys

    def key(self, node: GraphNode, keys: Known) -> str | None:
        """The key of a node, given those of the nodes wired into it; None while it depends on what a node asks for."""
        known = self.first_key(node, keys)
        if known is None or not node.definition.lazy:
            return known
        while (asked := self._trace(known)) is not None:
            if not asked:
                return known
            following = self.further_key(node, known, asked, keys)
            if following is None:
                return None
            known = following
        return None

    def first_key(self, node: GraphNode, keys: Known) -> str | None:
        """The key of a node without its lazy inputs."""
        digest = hashlib.sha256(self._prefix(node.definition))
        ports, lazy = node.definition.inputs_by_name, node.definition.lazy
        if node.loop is not None:
            digest.update(self._loop(node.loop).encode())
        try:
            for name in sorted(node.sources):
                if name in lazy or name not in ports:  # what was moved before a loop counts as part of its body
                    continue
                digest.update(f"\0{name}={self._source(ports[name].type, node.sources[name], keys)}".encode())
        except KeyError:
            return None
        if node.definition.cache == "never":
            digest.update(f"{self._nonce}{node.name}".encode())
        return digest.hexdigest()

    def further_key(self, node: GraphNode, known: str, asked: str, keys: Known) -> str | None:
        """The key of a node that knows one more of its lazy inputs."""
        port, source = asked_for(node, asked)
        try:
            return hashlib.sha256(f"{known}\0{asked}={self._source(port, source, keys)}".encode()).hexdigest()
        except KeyError:
            return None

    def _loop(self, loop: Loop) -> str:
        """A digest of everything about a loop but what is wired into it."""
        if loop not in self._bodies:
            keys: dict[str, str] = {}
            for name, node in loop.written.nodes.items():
                keys[name] = self._static_key(node, keys)
            options = (loop.kind, loop.each, loop.carry, loop.collect, loop.until, loop.index)
            outputs = {name: f"{keys[link.node]}.{link.output}" for name, link in loop.written.outputs.items()}
            wanted = sorted(keys[name] for name in loop.written.wanted)
            text = json.dumps([options, outputs, wanted], sort_keys=True)
            self._bodies[loop] = hashlib.sha256(text.encode()).hexdigest()
        return self._bodies[loop]

    def _static_key(self, node: GraphNode, keys: Known) -> str:
        """A key that holds every input, asked for or not."""
        key = self.first_key(node, keys)
        assert key is not None
        for name in sorted(node.definition.lazy):
            key = self.further_key(node, key, name, keys)
            assert key is not None
        return key

    def _prefix(self, definition: NodeDefinition) -> bytes:
        known = self._prefixes.get(definition.id)
        if known is None:
            versions = ";".join(f"{package}={package_version(package)}" for package in definition.numeric)
            policy = self._policy.text if "torch" in definition.numeric else ""
            parts = (KEY_SCHEMA, definition.id, definition.version, definition.fingerprint, versions, policy)
            known = self._prefixes[definition.id] = "\0".join(parts).encode()
        return known

    def _source(self, port: PortType, source: Source, keys: Known) -> str:
        match source:
            case Link(node=node, output=output):
                return f"L{keys[node]}.{output}"
            case Parameter(name=name):
                return f"P{name}"
            case Given(key=key):
                return key
            case Gathered(items=items):
                inner = item_type(port)
                return f"G[{','.join(self._source(inner, item, keys) for item in items)}]"
            case Written(value=value):
                if type(value) is int or value is None:  # most of what is written
                    return f"V{value}" if value is not None else "Vnull"
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


def asked_for(node: GraphNode, asked: str) -> tuple[PortType, Source]:
    """The type and the source of a lazy input, or of the item that `name[index]` is."""
    name, bracket, rest = asked.partition("[")
    port, source = node.definition.inputs_by_name[name].type, node.sources[name]
    if not bracket:
        return port, source
    index = int(rest[:-1])
    match source:
        case Gathered(items=items):
            return item_type(port), items[index]
        case Written(value=list(values)):
            return item_type(port), Written(values[index])
        case _:
            return port, source


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
