"""Port types as data: what travels on a wire, described so that no node code is needed to reason about it.

Every descriptor is a frozen pydantic model that serialises to JSON. `why_not` decides whether one type may flow into
another; it is the only place where that is decided.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Annotated, Literal, TypeAlias, Union

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Scalar: TypeAlias = bool | int | float | str
Number: TypeAlias = int | float


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Frozen):
    """What a scalar or the length of a list may be; None means no limit."""

    ge: Number | None = None
    gt: Number | None = None
    le: Number | None = None
    lt: Number | None = None
    multiple_of: Number | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


class ScalarType(_Frozen):
    """A whole number, a finite number, a truth value or a text."""

    kind: Literal["int", "float", "bool", "str"]
    limits: Limits | None = None


class NoneType(_Frozen):
    """Nothing given."""

    kind: Literal["none"] = "none"


class AnyType(_Frozen):
    """Every value there is."""

    kind: Literal["any"] = "any"


class ChoiceType(_Frozen):
    """One of a few values; `enum` names the Python class (`module:qualname`) when there is one."""

    kind: Literal["choice"] = "choice"
    values: tuple[Scalar, ...]
    enum: str | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ChoiceType):
            return NotImplemented
        return (self.enum, *map(_typed, self.values)) == (other.enum, *map(_typed, other.values))

    def offers(self, value: object) -> bool:
        """Whether `value` is among the choices; 1, 1.0 and true are three values."""
        return any(_typed(each) == _typed(value) for each in self.values)


class PathType(_Frozen):
    """A file of a kind (checkpoint, image, ...), found in the folders configured for that kind."""

    kind: Literal["path"] = "path"
    of: str


class ListType(_Frozen):
    """Any number of values of one type, in order."""

    kind: Literal["list"] = "list"
    item: PortType
    limits: Limits | None = None


class MapType(_Frozen):
    """Values of one type under text keys."""

    kind: Literal["map"] = "map"
    item: PortType


class UnionType(_Frozen):
    """A value of one of several types; of none of them, what an empty list holds."""

    kind: Literal["union"] = "union"
    members: tuple[PortType, ...]


class VariableType(_Frozen):
    """A type that the wires into a node decide, the same throughout the node."""

    kind: Literal["variable"] = "variable"
    name: str
    bound: PortType | None = None


class WireType(_Frozen):
    """A class made for wires, compared by name; `bases` are the names of the wire classes it extends."""

    kind: Literal["wire"] = "wire"
    id: str
    bases: tuple[str, ...] = ()
    portable: bool = True
    arguments: tuple[PortType, ...] = ()


class ModelField(_Frozen):
    """One field of a pydantic model."""

    name: str
    type: PortType
    required: bool = True
    default: JsonValue = None
    doc: str = ""


class ModelType(_Frozen):
    """A pydantic model, written as a JSON object; `id` is its `module:qualname`."""

    kind: Literal["model"] = "model"
    id: str
    fields: tuple[ModelField, ...]


PortType = Annotated[
    Union[  # noqa: UP007 - forward references need the spelled-out form
        ScalarType,
        NoneType,
        AnyType,
        ChoiceType,
        PathType,
        ListType,
        MapType,
        UnionType,
        VariableType,
        WireType,
        ModelType,
    ],
    Field(discriminator="kind"),
]
for _model in (ListType, MapType, UnionType, VariableType, WireType, ModelField, ModelType):
    _model.model_rebuild()


def _typed(value: object) -> tuple[type, object]:
    return type(value), value


Bindings: TypeAlias = MutableMapping[str, PortType]


def union(members: Iterable[PortType]) -> PortType:
    """The union of `members`, flattened and without repetition; a single member stays itself."""
    flat: list[PortType] = []
    for member in members:
        for each in member.members if isinstance(member, UnionType) else (member,):
            if each not in flat:
                flat.append(each)
    return flat[0] if len(flat) == 1 else UnionType(members=tuple(flat))


@functools.lru_cache(maxsize=4096)
def describe(port: PortType) -> str:
    """A short name for people, such as `list[Image] | None`."""
    match port:
        case ScalarType() | NoneType() | AnyType():
            return port.kind
        case ChoiceType(values=values):
            return "one of " + ", ".join(repr(value) for value in values)
        case PathType(of=kind):
            return f"{kind} file"
        case ListType(item=item):
            return f"list[{describe(item)}]"
        case MapType(item=item):
            return f"dict[str, {describe(item)}]"
        case UnionType(members=members):
            return " | ".join(describe(member) for member in members) or "nothing"
        case VariableType(name=name):
            return name
        case WireType(id=name, arguments=arguments):
            short = name.rpartition(".")[2]
            return f"{short}[{', '.join(describe(each) for each in arguments)}]" if arguments else short
        case ModelType(id=name):
            return name.rpartition(":")[2]


def substitute(port: PortType, bindings: Mapping[str, PortType]) -> PortType:
    """`port` with its type variables replaced; a variable that nothing decided becomes its bound, or `any`."""
    match port:
        case VariableType(name=name, bound=bound):
            return bindings.get(name) or bound or AnyType()
        case ListType(item=item, limits=limits):
            return ListType(item=substitute(item, bindings), limits=limits)
        case MapType(item=item):
            return MapType(item=substitute(item, bindings))
        case UnionType(members=members):
            return union(substitute(member, bindings) for member in members)
        case WireType(arguments=arguments) if arguments:
            return port.model_copy(update={"arguments": tuple(substitute(each, bindings) for each in arguments)})
        case _:
            return port


def has_variable(port: PortType) -> bool:
    """Whether a type variable occurs in `port`."""
    match port:
        case VariableType():
            return True
        case ListType(item=item) | MapType(item=item):
            return has_variable(item)
        case UnionType(members=parts) | WireType(arguments=parts):
            return any(has_variable(part) for part in parts)
        case _:
            return False


def list_type(port: PortType) -> ListType | None:
    """The list type that `port` admits, the first of several; None when it takes no list."""
    match port:
        case ListType():
            return port
        case AnyType():
            return ListType(item=port)
        case UnionType(members=members):
            return next((member for member in members if isinstance(member, ListType)), None)
        case _:
            return None


def item_type(port: PortType) -> PortType:
    """What an item of a list wired into `port` must be."""
    wanted = list_type(port)
    return wanted.item if wanted else port


def admits_blocked(port: PortType) -> bool:
    """Whether an input takes a `Blocked` as a value."""
    members = port.members if isinstance(port, UnionType) else (port,)
    return any(isinstance(each, WireType) and each.id == "nodegraph.Blocked" for each in members)


def path_kinds(port: PortType) -> list[str]:
    """The kinds of files that `port` admits, at any depth."""
    match port:
        case PathType(of=kind):
            return [kind]
        case ListType(item=item) | MapType(item=item):
            return path_kinds(item)
        case UnionType(members=members):
            return [kind for member in members for kind in path_kinds(member)]
        case ModelType(fields=fields):
            return [kind for field in fields for kind in path_kinds(field.type)]
        case _:
            return []


def why_not(source: PortType, target: PortType, bindings: Bindings | None = None) -> str | None:
    """Why a value of type `source` may not flow into `target`; None when it may.

    Values are immutable, so containers are covariant. A whole number may flow into `float`; nothing else is converted.
    `bindings` gathers what the type variables of the target's node stand for; two sources for one variable join to
    their union.
    """
    bindings = {} if bindings is None else bindings
    if source == target or isinstance(target, AnyType):
        return None
    if isinstance(source, UnionType):
        if not source.members:
            _bind_nothing(target, bindings)
        reasons = ((member, why_not(member, target, bindings)) for member in source.members)
        return next((f"it may be {describe(member)}, and {reason}" for member, reason in reasons if reason), None)
    match target:
        case UnionType(members=members):
            return _why_not_any(source, members, bindings)
        case VariableType():
            return _why_not_variable(source, target, bindings)
    return _why_not_plain(source, target, bindings)


def _bind_nothing(target: PortType, bindings: Bindings) -> None:
    """Let the variables in `target` that nothing else decides stand for the type without values."""
    match target:
        case VariableType(name=name):
            bindings.setdefault(name, UnionType(members=()))
        case ListType(item=item) | MapType(item=item):
            _bind_nothing(item, bindings)
        case UnionType(members=parts) | WireType(arguments=parts):
            for part in parts:
                _bind_nothing(part, bindings)


def _why_not_any(source: PortType, members: tuple[PortType, ...], bindings: Bindings) -> str | None:
    closed_first = sorted(members, key=has_variable)
    for member in closed_first:
        trial = dict(bindings)
        if why_not(source, member, trial) is None:
            bindings.update(trial)
            return None
    return f"{describe(source)} is none of {' | '.join(describe(member) for member in members)}"


def _why_not_variable(source: PortType, target: VariableType, bindings: Bindings) -> str | None:
    if target.bound is not None:
        reason = why_not(source, target.bound, bindings)
        if reason is not None:
            return f"{target.name} must be {describe(target.bound)}: {reason}"
    known = bindings.get(target.name)
    bindings[target.name] = source if known is None else union((known, source))
    return None


def _why_not_plain(source: PortType, target: PortType, bindings: Bindings) -> str | None:
    match source, target:
        case ScalarType(kind=given), ScalarType(kind=wanted) if given == wanted or (given, wanted) == ("int", "float"):
            return None
        case ChoiceType(values=values, enum=None), ScalarType(kind=wanted):
            names = {type(value).__name__ for value in values}
            fits = names <= ({"int", "float"} if wanted == "float" else {wanted})
            return None if fits else f"its choices are {', '.join(sorted(names))}, not {wanted}"
        case ChoiceType(values=given, enum=given_enum), ChoiceType(enum=wanted_enum):
            extra = [value for value in given if not target.offers(value)]
            if given_enum == wanted_enum and not extra:
                return None
            return f"it may be {', '.join(map(repr, extra))}, which is not offered" if extra else "they are two enums"
        case ScalarType(), ChoiceType():
            return f"any {source.kind} might arrive, but only {describe(target)[7:]} will do"
        case ListType(item=given), ListType(item=wanted):
            reason = why_not(given, wanted, bindings)
            return f"its items do not fit: {reason}" if reason else None
        case MapType(item=given), MapType(item=wanted):
            reason = why_not(given, wanted, bindings)
            return f"its values do not fit: {reason}" if reason else None
        case WireType(), WireType() if target.id == source.id or target.id in source.bases:
            return _why_not_arguments(source, target, bindings)
        case _, ListType(item=wanted) if why_not(source, wanted, dict(bindings)) is None:
            return f"a list is wanted; write [{describe(source)}] as a list of one"
        case AnyType(), _:
            return f"nothing is known about it, and {describe(target)} is needed"
        case _:
            return f"{describe(source)} is not {describe(target)}"


def _why_not_arguments(source: WireType, target: WireType, bindings: Bindings) -> str | None:
    if source.id != target.id or not target.arguments:
        return None
    for given, wanted in zip(source.arguments, target.arguments, strict=False):
        reason = why_not(given, wanted, bindings)
        if reason:
            return f"{describe(source)} is not {describe(target)}: {reason}"
    return None
