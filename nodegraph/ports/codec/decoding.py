"""Read a value back from its document and tensors: the inverse of `encode`, bit by bit."""

import base64
import binascii
import dataclasses
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .encoding import Encoded, FileDigest, Json, hash_file
from .errors import CodecError, StaleValue, Undecodable
from .names import field_names, import_class, tag_of_class

if TYPE_CHECKING:
    import torch
    from pydantic import BaseModel

T = TypeVar("T")


def decode(encoded: Encoded, *, file_digest: FileDigest = hash_file) -> object:
    """Return the value that was encoded.

    Raise `StaleValue` where a file in it is gone or has changed, `Undecodable` where the data are no value.
    Of the classes that the document names, only dataclasses, NamedTuples, Enums and pydantic models are accepted.
    """
    decoder = _Decoder(encoded.tensors, file_digest)
    try:
        return decoder.value(encoded.document)
    except RecursionError as error:
        raise Undecodable("the document is nested too deeply") from error


class _Decoder:
    def __init__(self, tensors: "dict[str, torch.Tensor]", file_digest: FileDigest) -> None:
        self._tensors = tensors
        self._file_digest = file_digest

    def value(self, document: Json) -> object:
        if document is None or isinstance(document, bool | int | str):
            return document
        if not isinstance(document, list) or not document or not isinstance(document[0], str):
            raise Undecodable(f"{_short(document)} is no part of a document")
        reader = _READERS.get(document[0])
        if reader is None:
            raise Undecodable(f"the tag {document[0]!r} is not known")
        try:
            return reader(self, document[1:])
        except (ValueError, struct.error, binascii.Error, OverflowError) as error:
            raise Undecodable(f"{_short(document)} cannot be read: {error}") from error

    def pairs(self, items: list[Json]) -> dict[str, object]:
        if len(items) % 2:
            raise Undecodable("a key without a value")
        return {_text(key): self.value(item) for key, item in zip(items[::2], items[1::2], strict=True)}

    def tensor(self, items: list[Json]) -> "torch.Tensor":
        name = _one_text(items)
        if name not in self._tensors:
            raise Undecodable(f"the tensor {name!r} is missing")
        return self._tensors[name]

    def path(self, items: list[Json]) -> Path:
        text, digest = (_text(item) for item in items)
        path = Path(text)
        try:
            found = self._file_digest(path)
        except OSError as error:
            raise StaleValue(f"the file {text!r} of a stored value cannot be read any more: {error}") from error
        if found != digest:
            raise StaleValue(f"the file {text!r} of a stored value has another content now")
        return path

    def enum(self, items: list[Json]) -> object:
        name, member = (_text(item) for item in items)
        kind = _class_with_tag(name, "enum")
        if member not in kind.__members__:  # type: ignore[attr-defined]
            raise Undecodable(f"{name} has no member {member!r}")
        return kind.__members__[member]  # type: ignore[attr-defined]

    def flag(self, items: list[Json]) -> object:
        name, number = items
        return _built(_class_with_tag(_text(name), "enum"), self.value(number))

    def named(self, items: list[Json]) -> object:
        kind, values = self._fields(items, "named")
        return kind._make(values.values())  # type: ignore[attr-defined]

    def dataclass(self, items: list[Json]) -> object:
        kind, values = self._fields(items, "dataclass")
        result = _built(kind, **{f.name: values[f.name] for f in dataclasses.fields(kind) if f.init})
        for name, value in values.items():  # whatever the constructor made of them
            object.__setattr__(result, name, value)
        return result

    def model(self, items: list[Json]) -> object:
        name, *parts = items
        kind = _class_with_tag(_text(name), "model")
        fields, extra, names, private = (self.value(part) for part in parts)
        if not isinstance(fields, dict) or not isinstance(names, list):
            raise Undecodable(f"the state of a {name} is damaged")
        if tuple(fields) != field_names(kind, "model"):
            raise Undecodable(f"{name} has other fields now than {list(fields)}")
        model: BaseModel = object.__new__(kind)
        model.__setstate__(
            {
                "__dict__": fields,
                "__pydantic_extra__": extra,
                "__pydantic_fields_set__": set(names),
                "__pydantic_private__": private,
            }
        )
        return model

    def _fields(self, items: list[Json], tag: str) -> tuple[type, dict[str, object]]:
        if not items:
            raise Undecodable(f"a {tag} without a class")
        kind = _class_with_tag(_text(items[0]), tag)
        values = self.pairs(items[1:])
        expected = field_names(kind, tag)
        if tuple(values) != expected:
            raise Undecodable(f"{items[0]} has the fields {expected} now, the stored value has {tuple(values)}")
        return kind, values


_READERS: dict[str, Callable[[_Decoder, list[Json]], object]] = {
    "int": lambda decoder, items: int(_one_text(items), 16),
    "float": lambda decoder, items: struct.unpack(">d", bytes.fromhex(_one_text(items)))[0],
    "bytes": lambda decoder, items: base64.b64decode(_one_text(items), validate=True),
    "list": lambda decoder, items: [decoder.value(item) for item in items],
    "tuple": lambda decoder, items: tuple([decoder.value(item) for item in items]),
    "dict": _Decoder.pairs,
    "tensor": _Decoder.tensor,
    "path": _Decoder.path,
    "enum": _Decoder.enum,
    "flag": _Decoder.flag,
    "named": _Decoder.named,
    "dataclass": _Decoder.dataclass,
    "model": _Decoder.model,
}


def _class_with_tag(name: str, tag: str) -> type:
    kind = import_class(name)
    if tag_of_class(kind) != tag:
        raise Undecodable(f"{name} is not a {tag} class")
    return kind


def _built(kind: Callable[..., T], *args: object, **fields: object) -> T:
    try:
        return kind(*args, **fields)
    except CodecError:
        raise
    except Exception as error:  # a pack's own constructor runs here
        raise Undecodable(f"{kind!r} refuses the stored fields: {error!r}") from error


def _text(item: Json) -> str:
    if not isinstance(item, str):
        raise Undecodable(f"{_short(item)} stands where a string belongs")
    return item


def _one_text(items: list[Json]) -> str:
    if len(items) != 1:
        raise Undecodable(f"{len(items)} items stand where one belongs")
    return _text(items[0])


def _short(document: object) -> str:
    text = repr(document)
    return text if len(text) <= 80 else f"{text[:77]}..."
