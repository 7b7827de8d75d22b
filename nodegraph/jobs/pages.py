"""Rows of a SQLite file without SQLite, for where the pages that lead to them are damaged.

After https://www.sqlite.org/fileformat2.html, sections 1.5 (free pages), 1.6 (pages of trees, cells, overflow) and 2.1
(records).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

LEAF: Final = 0x0D
"""The kind of page that holds rows of a table."""

Value: TypeAlias = int | float | str | bytes | None

_WHOLE_NUMBERS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Bytes of whole numbers by their serial type."""


class Pages:
    """The pages of a file that was closed, numbered from 1."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            is_empty = not path.stat().st_size
            self._content = b"" if is_empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        size = int.from_bytes(self._content[16:18])
        self._size = {1: 65536}.get(size, size) if size == 1 or (size.bit_count() == 1 and size >= 512) else 4096
        self._count = len(self._content) // self._size

    def rows(self, columns: int) -> Iterator[tuple[int, list[Value]]]:
        """The row numbers and values of all rows of so many columns, of whatever table, but of pages that are free."""
        free = self._free_pages()
        for number in range(1, self._count + 1):
            if number not in free:
                yield from self._rows_of(number, columns)

    def _rows_of(self, number: int, columns: int) -> Iterator[tuple[int, list[Value]]]:
        page = self._page(number)
        start = 100 if number == 1 else 0
        if page[start] != LEAF:
            return
        cells = int.from_bytes(page[start + 3 : start + 5])
        for index in range(min(cells, self._size // 4)):
            place = start + 8 + 2 * index
            try:
                rowid, record = self._cell(page, int.from_bytes(page[place : place + 2]))
                values = list(_values(record, columns))
            except (IndexError, ValueError, struct.error):
                continue  # a cell that was overwritten
            if len(values) == columns:
                yield rowid, values

    def _cell(self, page: bytes, place: int) -> tuple[int, bytes]:
        length, place = _varint(page, place)
        rowid, place = _varint(page, place)
        if length > len(self._content):
            raise ValueError("a record is longer than the file")
        most = self._size - 35
        if length <= most:
            return _signed(rowid), page[place : place + length]
        least = (self._size - 12) * 32 // 255 - 23
        here = least + (length - least) % (self._size - 4)
        here = here if here <= most else least
        parts = [page[place : place + here]]
        following = int.from_bytes(page[place + here : place + here + 4])
        missing = length - here
        while missing > 0:
            overflow = self._page(following)
            following = int.from_bytes(overflow[:4])
            parts.append(overflow[4 : 4 + missing])
            missing -= self._size - 4
        return _signed(rowid), b"".join(parts)

    def _page(self, number: int) -> bytes:
        if not 1 <= number <= self._count:
            raise ValueError("there is no such page")
        return self._content[(number - 1) * self._size : number * self._size]

    def _free_pages(self) -> set[int]:
        """The pages whose rows were deleted."""
        free: set[int] = set()
        trunk = int.from_bytes(self._content[32:36])
        while 1 <= trunk <= self._count and trunk not in free:
            page = self._page(trunk)
            free.add(trunk)
            count = min(int.from_bytes(page[4:8]), self._size // 4 - 2)
            free |= {int.from_bytes(page[8 + 4 * index : 12 + 4 * index]) for index in range(count)}
            trunk = int.from_bytes(page[:4])
        return free


def _values(record: bytes, columns: int) -> Iterator[Value]:
    end, place = _varint(record, 0)
    kinds: list[int] = []
    while place < end and len(kinds) <= columns:
        kind, place = _varint(record, place)
        kinds.append(kind)
    if len(kinds) != columns or place != end:
        return
    for kind in kinds:
        size = _WHOLE_NUMBERS.get(kind, 8 if kind == 7 else (kind - 12) // 2 if kind >= 12 else 0)
        content = record[place : place + size]
        if len(content) != size or kind in (10, 11):
            raise ValueError("a record ends too early")
        place += size
        yield _value(kind, content)


def _value(kind: int, content: bytes) -> Value:
    if kind == 0:
        return None
    if kind in (8, 9):
        return kind - 8
    if kind in _WHOLE_NUMBERS:
        return int.from_bytes(content, signed=True)
    if kind == 7:
        number: float = struct.unpack(">d", content)[0]
        return number
    return content.decode("utf-8") if kind % 2 else content


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """A number of 1 to 9 bytes, and the place after it."""
    value = 0
    for _ in range(8):
        byte = content[place]
        place += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place
    return value << 8 | content[place], place + 1


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number
