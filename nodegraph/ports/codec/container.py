"""An encoded value as bytes: a safetensors file whose metadata hold the document; without tensors, the document alone.

Written here and not by the safetensors package because that one copies, and needs numpy. Any safetensors reader opens
it. Reading checks every length before it allocates, and gives each tensor memory of its own, aligned as by torch.
"""

import io
import json
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from .encoding import Encoded, Json
from .errors import Undecodable
from .tensors import SAFETENSORS_NAMES, TORCH_NAMES, dtype_name, empty, item_size, raw

if TYPE_CHECKING:
    import torch

FORMAT = "nodegraph-value/1"
MARK = b"nodegraph-value/1\n"
"""No safetensors file starts so: as the length of a header it would be larger than any disk."""
LENGTH_BYTES = 8
CHUNK = 1 << 24

_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode


def chunks(encoded: Encoded) -> Iterator[bytes | memoryview]:
    """Yield the bytes of the safetensors file. The tensors' own memory is passed on, not copied."""
    header: dict[str, object] = {
        "__metadata__": {"format": FORMAT, "document": _to_json(encoded.document)},
    }
    order = sorted(encoded.tensors.items(), key=lambda item: (-item[1].element_size(), int(item[0])))
    offset = 0
    for name, tensor in order:
        end = offset + math.prod(tensor.shape) * tensor.element_size()
        dtype = SAFETENSORS_NAMES[dtype_name(tensor)]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = _to_json(header).encode("utf-8")
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(LENGTH_BYTES, "little") + text
    for _, tensor in order:
        yield raw(tensor)


def pack(encoded: Encoded) -> bytes:
    """Return an encoded value as one string of bytes: without tensors, its marked document alone."""
    if encoded.tensors:
        return b"".join(chunks(encoded))
    return MARK + _to_json(encoded.document).encode("utf-8")


def unpack(data: bytes) -> Encoded:
    """Return the encoded value from its bytes; raise `Undecodable` where they are damaged."""
    if not data.startswith(MARK):
        return read(io.BytesIO(data), len(data))
    try:
        return Encoded(document=json.loads(data[len(MARK) :]), tensors={})
    except (ValueError, RecursionError) as error:
        raise Undecodable(f"the document cannot be read: {error!r}") from error


def read(stream: BinaryIO, size: int, digest: Callable[[bytes | memoryview], object] | None = None) -> Encoded:
    """Read an encoded value of `size` bytes from a stream; `digest` is shown all bytes in order.

    Where a checksum is known, compare it before using the result: lengths and names are checked here, contents are not.
    """
    show = digest or (lambda data: None)
    start = stream.read(LENGTH_BYTES)
    show(start)
    length = int.from_bytes(start, "little")
    if len(start) != LENGTH_BYTES or length > size - LENGTH_BYTES:
        raise Undecodable(f"the header does not fit into {size} bytes")
    text = stream.read(length)
    show(text)
    document, layout = _parse_header(text)
    places = _placed(layout, size - LENGTH_BYTES - length)
    tensors: dict[str, torch.Tensor] = {}
    for name, dtype, shape in places:
        tensors[name] = empty(dtype, shape)
        _fill(stream, raw(tensors[name]), show)
    if stream.read(1):
        raise Undecodable(f"there is more behind the {size} bytes")
    return Encoded(document=document, tensors=tensors)


def _parse_header(text: bytes) -> tuple[Json, dict[str, object]]:
    try:
        header = json.loads(text)
        metadata = header.pop("__metadata__")
        if metadata["format"] != FORMAT:
            raise Undecodable(f"the format is {metadata['format']!r}, this version reads {FORMAT!r}")
        return cast(Json, json.loads(metadata["document"])), header
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Undecodable(f"the header cannot be read: {error!r}") from error


def _placed(layout: dict[str, object], size: int) -> list[tuple[str, str, list[int]]]:
    """Return name, dtype and shape of each tensor in the order of its bytes, which must fill `size` without gaps."""
    found: list[tuple[int, int, str, str, list[int]]] = []
    try:
        for name, entry in layout.items():
            fields = cast("dict[str, object]", entry)
            begin, end = cast("list[int]", fields["data_offsets"])
            shape = [int(side) for side in cast("list[int]", fields["shape"])]
            found.append((int(begin), int(end), name, TORCH_NAMES[cast(str, fields["dtype"])], shape))
    except (ValueError, LookupError, TypeError) as error:
        raise Undecodable(f"the header describes no tensors: {error!r}") from error
    offset = 0
    for begin, end, name, dtype, shape in sorted(found):
        wrong = min(shape, default=0) < 0 or end - begin != math.prod(shape) * item_size(dtype)
        if begin != offset or wrong:
            raise Undecodable(f"the tensor {name!r} does not lie where the header says")
        offset = end
    if offset != size:
        raise Undecodable(f"{size - offset} bytes belong to no tensor")
    return [(name, dtype, shape) for _, _, name, dtype, shape in sorted(found)]


def _fill(stream: BinaryIO, memory: memoryview, show: Callable[[bytes | memoryview], object]) -> None:
    position = 0
    while position < len(memory):
        part = memory[position : position + CHUNK]
        count = stream.readinto(part) if hasattr(stream, "readinto") else 0
        if not count:
            raise Undecodable(f"{len(memory) - position} bytes are missing")
        show(part[:count])
        position += count
