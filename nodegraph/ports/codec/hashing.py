"""SHA-256 of what a value is: type-tagged, the same in every process, for portable and for resident values.

Each part is written as its tag, its length and its bytes, so no two different values write the same bytes.
"""

import hashlib
import struct
from enum import Enum, Flag
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, cast

from .encoding import FileDigest, hash_file
from .errors import NotHashable
from .names import DEEPEST, class_name, field_names, model_state, tag_of_class
from .tensors import dtype_name, is_module, is_tensor, plain, raw, why_without_bytes

if TYPE_CHECKING:
    import torch
    from pydantic import BaseModel

PLAIN_NAMES = {"torch:dtype", "torch:device", "torch:memory_format", "torch:layout"}
"""Types whose str() says all there is to say."""


def content_hash(value: object, *, file_digest: FileDigest = hash_file) -> str:
    """Return the SHA-256 of a value's content, in hexadecimal; raise `NotHashable` where a part of it has none.

    Equal content and types give equal hashes in every process. A path counts as the content of its file, whatever its
    name. A network counts as its class, the simple attributes of its modules, and its parameters and buffers; whether
    it is training does not count. Functions and classes count as their names.
    """
    hasher = _Hasher(file_digest)
    hasher.add(value, "value")
    return hasher.hexdigest()


class _Hasher:
    def __init__(self, file_digest: FileDigest) -> None:
        self._sha = hashlib.sha256()
        self._file_digest = file_digest
        self._depth = 0

    def hexdigest(self) -> str:
        return self._sha.hexdigest()

    def add(self, value: object, path: str) -> None:
        kind = type(value)
        if value is None or kind is bool or kind is int:
            tag = "none" if value is None else "bool" if kind is bool else "int"
            self._put(tag, b"" if value is None else b"%x" % cast(int, value))
        elif kind is str:
            self._text("str", cast(str, value), path)
        elif kind is float:
            self._put("float", struct.pack(">d", value))
        elif kind is bytes:
            self._put("bytes", cast(bytes, value))
        else:
            self._depth += 1
            if self._depth > DEEPEST:
                raise NotHashable(path, _shown(value), f"it is nested deeper than {DEEPEST} levels, or contains itself")
            self._composite(value, path)
            self._depth -= 1

    def _composite(self, value: object, path: str) -> None:
        kind = type(value)
        if kind is list or kind is tuple:
            items = cast("list[object]", value)
            self._put("list" if kind is list else "tuple", b"%d" % len(items))
            for position, item in enumerate(items):
                self.add(item, f"{path}[{position}]")
        elif kind is dict:
            self._pairs("dict", cast("dict[object, object]", value), path)
        elif is_tensor(value):
            self._tensor(value, path)
        elif is_module(value):
            self._module(value, path)
        elif isinstance(value, Path):
            self._path(value, path)
        elif class_name(kind) in PLAIN_NAMES:
            self._text(class_name(kind), str(value), path)
        elif tag := tag_of_class(kind):
            self._structure(value, tag, path)
        else:
            self._callable(value, path)

    def _structure(self, value: object, tag: str, path: str) -> None:
        kind = type(value)
        self._text(tag, class_name(kind), path)
        if tag == "enum":
            member = cast(Enum, value)
            self.add(member.value if isinstance(member, Flag) else member.name, path)
        elif tag == "model":
            for part in model_state(cast("BaseModel", value)):
                self.add(part, path)
        elif tag == "named":
            names = field_names(kind, tag)
            self._pairs("fields", dict(zip(names, cast("tuple[object, ...]", value), strict=True)), path)
        else:
            present = {name: getattr(value, name) for name in field_names(kind, tag) if hasattr(value, name)}
            self._pairs("fields", cast("dict[object, object]", present), path)

    def _callable(self, value: object, path: str) -> None:
        if isinstance(value, partial):
            self._put("partial", b"")
            for part in (value.func, value.args, value.keywords):
                self.add(part, path)
        elif isinstance(value, MethodType):
            self._text("method", value.__name__, path)
            self.add(value.__self__, path)
        elif isinstance(value, type):
            self._text("class", class_name(value), path)
        elif isinstance(value, FunctionType | BuiltinFunctionType):
            if "<" in value.__qualname__:
                reason = "a function inside a function may hold any state; move it to the top of its module"
                raise NotHashable(path, _shown(value), reason)
            self._text("function", f"{value.__module__}:{value.__qualname__}", path)
        else:
            reason = "nothing says which of its attributes are its content; make it a dataclass"
            raise NotHashable(path, _shown(value), reason)

    def _pairs(self, tag: str, values: dict[object, object], path: str) -> None:
        self._put(tag, b"%d" % len(values))
        for key, value in values.items():
            self.add(key, f"{path}, its key {key!r}")
            self.add(value, f"{path}.{key}")

    def _tensor(self, tensor: "torch.Tensor", path: str) -> None:
        reason = why_without_bytes(tensor)
        if reason is not None:
            raise NotHashable(path, _shown(tensor), reason)
        self._put("tensor", f"{dtype_name(tensor)}{list(tensor.shape)}".encode())
        numbers = plain(tensor)
        memory = raw(numbers)
        self._sha.update(b"%d:" % len(memory))
        self._sha.update(memory)

    def _module(self, network: "torch.nn.Module", path: str) -> None:
        self._text("module", class_name(type(network)), path)
        for name, module in network.named_modules(remove_duplicate=False):
            settings = {key: value for key, value in vars(module).items() if _is_setting(key, value)}
            self._text("submodule", name, path)
            self._text("class", class_name(type(module)), path)
            self._pairs("settings", cast("dict[object, object]", dict(sorted(settings.items()))), path)
        for name, parameter in network.named_parameters(remove_duplicate=False):
            self._text("parameter", name, path)
            self._tensor(parameter, f"{path}.{name}")
        for name, buffer in network.named_buffers(remove_duplicate=False):
            self._text("buffer", name, path)
            self._tensor(buffer, f"{path}.{name}")

    def _path(self, file: Path, path: str) -> None:
        try:
            digest = self._file_digest(file)
        except OSError as error:
            raise NotHashable(path, _shown(file), f"the file {str(file)!r} cannot be read: {error}") from error
        self._put("path", digest.encode("ascii"))

    def _text(self, tag: str, text: str, path: str) -> None:
        try:
            self._put(tag, text.encode("utf-8"))
        except UnicodeEncodeError as error:
            reason = f"{text!r} holds half of a surrogate pair at position {error.start}, which is no character"
            raise NotHashable(path, "str", reason) from error

    def _put(self, tag: str, content: bytes) -> None:
        self._sha.update(b"%s %d:%s" % (tag.encode("ascii"), len(content), content))


def _is_setting(name: str, value: object) -> bool:
    """Whether a module's attribute says how it computes: plain public data, such as a number of heads."""
    if name.startswith("_") or name == "training":
        return False
    if isinstance(value, tuple | list):
        return all(_is_setting(name, item) for item in value)
    return value is None or isinstance(value, bool | int | float | str | Enum)


def _shown(value: object) -> str:
    return class_name(type(value)).removeprefix("builtins:").replace(":", ".")
