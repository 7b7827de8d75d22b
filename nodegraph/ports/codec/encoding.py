"""Write a value as a JSON document with type tags, and the tensors it holds.

null, true, false, strings and integers below 2^53 stand for themselves. Everything else is an array whose first item
is its tag, so that 1, True, 1.0 and "1", and lists and tuples, stay distinct whatever program handles the JSON.
"""

import base64
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, Flag
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from .errors import NotPortable
from .names import DEEPEST, class_name, field_names, is_importable, model_state, tag_of_class
from .tensors import SAFETENSORS_NAMES, dtype_name, is_module, is_tensor, plain, why_without_bytes

if TYPE_CHECKING:
    import torch
    from pydantic import BaseModel

Json: TypeAlias = "bool | int | str | list[Json] | None"
FileDigest: TypeAlias = Callable[[Path], str]

SAFE_INTEGER = 2**53
"""Integers below this survive every JSON reader."""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A portable value as data.

    document: JSON tree with type tags; a tensor stands in it as its name.
    tensors: the tensors by name, contiguous and on the CPU. They may share memory with the encoded value.
    """

    document: Json
    tensors: "dict[str, torch.Tensor]"


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encode(value: object, *, file_digest: FileDigest = hash_file) -> Encoded:
    """Write a portable value as data; raise `NotPortable` where a part of it is none.

    file_digest: returns the SHA-256 of a file's content; give `FileDigests.digest` to remember digests.
    """
    encoder = _Encoder(file_digest)
    return Encoded(document=encoder.node(value, "value"), tensors=encoder.tensors)


class _Encoder:
    def __init__(self, file_digest: FileDigest) -> None:
        self.tensors: dict[str, torch.Tensor] = {}
        self._names: dict[int, str] = {}
        self._alive: list[torch.Tensor] = []
        self._file_digest = file_digest
        self._depth = 0

    def node(self, value: object, path: str) -> Json:
        kind = type(value)
        if value is None or kind is bool:
            return cast(Json, value)
        if kind is int:
            number = cast(int, value)
            return number if -SAFE_INTEGER < number < SAFE_INTEGER else ["int", hex(number)]
        if kind is str:
            return _text(cast(str, value), path)
        if kind is float:
            return ["float", struct.pack(">d", value).hex()]
        if kind is bytes:
            return ["bytes", base64.b64encode(cast(bytes, value)).decode("ascii")]
        self._depth += 1
        if self._depth > DEEPEST:
            raise NotPortable(path, _shown(value), f"it is nested deeper than {DEEPEST} levels, or contains itself")
        document = self._composite(value, path)
        self._depth -= 1
        return document

    def _composite(self, value: object, path: str) -> Json:
        kind = type(value)
        if kind is list or kind is tuple:
            items = cast("list[object]", value)
            nodes = [self.node(item, f"{path}[{position}]") for position, item in enumerate(items)]
            return ["list" if kind is list else "tuple", *nodes]
        if kind is dict:
            return ["dict", *self._pairs(cast("dict[object, object]", value), path)]
        if is_tensor(value):
            return self._tensor(value, path)
        if isinstance(value, Path):
            return self._path(value, path)
        tag = None if is_module(value) else tag_of_class(kind)
        if tag is None:
            raise NotPortable(path, _shown(value), "values of this type live in the memory of one process")
        if not is_importable(kind):
            reason = "its class is not found under its name in an imported module; define it at the top of a module"
            raise NotPortable(path, _shown(value), reason)
        return self._structure(value, tag, path)

    def _structure(self, value: object, tag: str, path: str) -> Json:
        kind = type(value)
        name = class_name(kind)
        if tag == "enum":
            member = cast(Enum, value)
            if isinstance(member, Flag):
                return ["flag", name, self.node(member.value, f"{path}.value")]
            return ["enum", name, _text(member.name, path)]
        if tag == "model":
            fields, extra, names, private = model_state(cast("BaseModel", value))
            if len(fields) != len(field_names(kind, tag)):
                raise NotPortable(path, _shown(value), "not all of its fields are set")
            parts = [self.node(part, path) for part in (fields, extra, names, private)]
            return ["model", name, *parts]
        if tag == "named":
            parts = self._pairs(dict(zip(field_names(kind, tag), cast("tuple[object, ...]", value), strict=True)), path)
            return ["named", name, *parts]
        if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            raise NotPortable(path, _shown(value), "values on wires are immutable; declare it dataclass(frozen=True)")
        set_fields: dict[object, object] = {
            part: getattr(value, part) for part in field_names(kind, tag) if hasattr(value, part)
        }
        if len(set_fields) != len(field_names(kind, tag)):
            raise NotPortable(path, _shown(value), "not all of its fields are set")
        return ["dataclass", name, *self._pairs(set_fields, path)]

    def _pairs(self, values: dict[object, object], path: str) -> list[Json]:
        nodes: list[Json] = []
        for key, value in values.items():
            if type(key) is not str:
                raise NotPortable(path, _shown(values), f"the key {key!r} is no string")
            nodes += [_text(key, path), self.node(value, f"{path}.{key}")]
        return nodes

    def _tensor(self, tensor: "torch.Tensor", path: str) -> Json:
        if id(tensor) in self._names:
            return ["tensor", self._names[id(tensor)]]
        import torch

        reason = why_without_bytes(tensor)
        if type(tensor) is not torch.Tensor:
            reason = "only plain tensors are stored; give its data"
        elif tensor.requires_grad:
            reason = "it requires a gradient; store its detach()"
        elif dtype_name(tensor) not in SAFETENSORS_NAMES:
            reason = f"safetensors has no dtype {dtype_name(tensor)}"
        if reason is not None:
            raise NotPortable(path, _shown(tensor), reason)
        name = str(len(self.tensors))
        self.tensors[name] = plain(tensor)
        self._names[id(tensor)] = name
        self._alive.append(tensor)
        return ["tensor", name]

    def _path(self, file: Path, path: str) -> Json:
        if type(file) is not type(Path()):
            raise NotPortable(path, _shown(file), "only plain paths are stored; give Path(it)")
        if not file.is_file():
            raise NotPortable(path, _shown(file), f"there is no file {str(file)!r}")
        try:
            digest = self._file_digest(file)
        except OSError as error:
            raise NotPortable(path, _shown(file), f"the file {str(file)!r} cannot be read: {error}") from error
        return ["path", _text(str(file), path), digest]


def _text(text: str, path: str) -> str:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            reason = f"{text!r} holds half of a surrogate pair at position {error.start}, which is no character"
            raise NotPortable(path, "str", reason) from error
    return text


def _shown(value: object) -> str:
    return class_name(type(value)).removeprefix("builtins:").replace(":", ".")
