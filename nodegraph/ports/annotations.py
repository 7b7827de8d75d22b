"""From Python annotations to port types: the signature is the schema."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from .types import (
    AnyType,
    ChoiceType,
    Limits,
    ListType,
    MapType,
    ModelField,
    ModelType,
    NoneType,
    PathType,
    PortType,
    ScalarType,
    VariableType,
    WireType,
    union,
)
from .widgets import Multiline, PathOf, SeedWidget, Slider, Widget
from .wire import wire_bases, wire_class

_SCALARS: dict[object, Literal["int", "float", "bool", "str"]] = {int: "int", float: "float", bool: "bool", str: "str"}


class NotAPortType(Exception):
    """An annotation that no port can have; the message says why and what to write instead."""


def port_type(annotation: object) -> PortType:
    """The port type that `annotation` stands for.

    Raises NotAPortType with the reason and the remedy.
    """
    base, metadata = _unwrap(annotation)
    if base is Path:
        return _path(metadata)
    limits = _limits(metadata)
    if base in _SCALARS:
        return ScalarType(kind=_SCALARS[base], limits=limits)
    if get_origin(base) is list:
        return ListType(item=port_type(_only_argument(base, "list[Image]")), limits=limits)
    if limits is not None:
        raise NotAPortType(f"limits such as ge= and max_length= mean nothing for {_name(base)}")
    return _plain(base)


def widget(annotation: object) -> Widget | None:
    """The widget that an annotation asks for, looked for inside `| None` too."""
    base, metadata = _unwrap(annotation)
    for item in metadata:
        if isinstance(item, Slider | Multiline | SeedWidget):
            return item
    if get_origin(base) in (Union, types.UnionType):
        return next((found for part in get_args(base) if (found := widget(part))), None)
    return None


def _unwrap(annotation: object) -> tuple[Any, tuple[object, ...]]:
    if get_origin(annotation) is Annotated:
        base, *metadata = get_args(annotation)
        return base, tuple(_flatten(metadata))
    return annotation, ()


def _flatten(metadata: Iterable[object]) -> Iterator[object]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from item.metadata
        elif isinstance(item, annotated_types.GroupedMetadata):
            yield from item
        else:
            yield item


def _limits(metadata: Iterable[object]) -> Limits | None:
    found: dict[str, Any] = {}
    for item in metadata:
        match item:
            case annotated_types.Ge() | annotated_types.Gt() | annotated_types.Le() | annotated_types.Lt():
                name = type(item).__name__.lower()
                found[name] = getattr(item, name)
            case annotated_types.MultipleOf():
                found["multiple_of"] = item.multiple_of
            case annotated_types.MinLen():
                found["min_length"] = item.min_length
            case annotated_types.MaxLen():
                found["max_length"] = item.max_length
            case _ if getattr(item, "pattern", None):
                found["pattern"] = item.pattern  # type: ignore[attr-defined]
    return Limits(**found) if found else None


def _path(metadata: Iterable[object]) -> PathType:
    kind = next((item.kind for item in metadata if isinstance(item, PathOf)), None)
    if kind is None:
        raise NotAPortType('a Path must say which kind of file it is: Annotated[Path, PathOf("image")]')
    return PathType(of=kind)


def _plain(base: Any) -> PortType:
    origin = get_origin(base)
    if base is None or base is type(None):
        return NoneType()
    if base is object or base is Any:
        return AnyType()
    if origin in (Union, types.UnionType):
        return union(port_type(part) for part in get_args(base))
    if origin is Literal:
        return ChoiceType(values=get_args(base))
    if origin is dict:
        return _map(base)
    if isinstance(base, TypeVar):
        return _variable(base)
    cls = origin if origin is not None else base
    if wire_class(cls) is not None:
        return _wire(cls, get_args(base))
    if isinstance(base, type) and issubclass(base, enum.Enum):
        return ChoiceType(values=tuple(member.value for member in base), enum=f"{base.__module__}:{base.__qualname__}")
    if isinstance(base, type) and issubclass(base, BaseModel):
        return _model(base)
    raise NotAPortType(_refusal(base))


def _refusal(base: object) -> str:
    name = _name(base)
    if base in (list, dict, tuple):
        return f"{name} must say what it holds, as in list[Image] or dict[str, float]"
    if get_origin(base) is tuple:
        return f"{name} is no port type; use list[...], or a NamedTuple for several outputs"
    if isinstance(base, str):
        return f"the annotation {name} could not be resolved"
    return f"{name} is no port type; give its class @wire(portable=...)"


def _name(base: object) -> str:
    return base.__name__ if isinstance(base, type) and not get_args(base) else str(base)


def _only_argument(base: Any, example: str) -> Any:
    arguments = get_args(base)
    if len(arguments) != 1:
        raise NotAPortType(f"{base} must say what it holds, as in {example}")
    return arguments[0]


def _map(base: Any) -> MapType:
    key, value = get_args(base)
    if key is not str:
        raise NotAPortType(f"{base}: the keys of a dict must be str")
    return MapType(item=port_type(value))


def _variable(variable: TypeVar) -> VariableType:
    if variable.__constraints__:
        return VariableType(name=variable.__name__, bound=union(map(port_type, variable.__constraints__)))
    bound = variable.__bound__
    return VariableType(name=variable.__name__, bound=port_type(bound) if bound is not None else None)


def _wire(cls: type, arguments: tuple[object, ...]) -> WireType:
    note = wire_class(cls)
    assert note is not None
    return WireType(
        id=note.id,
        bases=wire_bases(cls),
        portable=note.portable,
        arguments=tuple(port_type(each) for each in arguments),
    )


def _model(cls: type[BaseModel]) -> ModelType:
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = []
    for name, info in cls.model_fields.items():
        default = info.get_default(call_default_factory=True, validated_data={})
        fields.append(
            ModelField(
                name=name,
                type=port_type(hints[name]),
                required=info.is_required(),
                default=None if default is PydanticUndefined else to_jsonable_python(default),
                doc=info.description or "",
            )
        )
    return ModelType(id=f"{cls.__module__}:{cls.__qualname__}", fields=tuple(fields))
