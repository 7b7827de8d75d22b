"""A small pack whose nodes declare specs, for tests of preflight."""

from __future__ import annotations

from pathlib import Path

from .packs import write_pack

SPECS = """
from __future__ import annotations
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from nodegraph import InvalidInput
from nodegraph.spec import Cost, ModelFacts, Predicted, Spec, SpecContext, Unknown

@dataclass(frozen=True)
class BlockSpec(Spec):
    wire: ClassVar[str] = "nodegraph_plugins.blocks.Block"
    size: int

    @classmethod
    def of(cls, value: Any) -> BlockSpec:
        return cls(len(value.data))

    @property
    def own(self) -> int:
        return self.size

    def __str__(self) -> str:
        return f"block of {self.size}"

def check_even(size: int) -> None:
    if size % 2:
        raise InvalidInput("size", size, "it is odd", "give an even one")

def make(size: int, ctx: SpecContext) -> Predicted:
    check_even(size)
    return Predicted({"block": BlockSpec(size)}, Cost(working=3 * size, work=1e9 * ctx.threads))

def doubled(block: BlockSpec) -> Predicted:
    return Predicted({"block": BlockSpec(2 * block.size)}, Cost(seconds=100.0))

def joined(blocks: list[BlockSpec | Unknown]) -> Predicted:
    known = [each for each in blocks if isinstance(each, BlockSpec)]
    if len(known) < len(blocks):
        return Predicted({"block": next(each for each in blocks if isinstance(each, Unknown))})
    return Predicted({"block": BlockSpec(sum(each.size for each in known))})

def measured(block: BlockSpec) -> Predicted:
    return Predicted()

def counted(block: BlockSpec) -> Predicted:
    return Predicted({"value": block.size})

def kept(block: BlockSpec, name: str) -> Predicted:
    return Predicted({"block": block})

def read(file: Path) -> Predicted:
    size = len(file.read_bytes())
    facts = ModelFacts(input="file", family="blocks", precision="bytes", parameters=size, bytes=size)
    return Predicted({"block": BlockSpec(size)}, models=(facts,))

def fails(block: BlockSpec) -> Predicted:
    raise ZeroDivisionError("no wonder")
"""

NODES = '''
from __future__ import annotations
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from pydantic import Field
from nodegraph import Context, PathOf, node, wire
from . import specs

@wire(portable=True, id="nodegraph_plugins.blocks.Block")
@dataclass(frozen=True)
class Block:
    data: bytes

@node(category="b", spec=specs.make)
def make(size: Annotated[int, Field(ge=0, le=10_000)] = 2) -> Block:
    """Make."""
    specs.check_even(size)
    return Block(bytes(size))

@node(category="b", spec=specs.doubled)
def doubled(block: Block) -> Block:
    """Double."""
    return Block(block.data * 2)

@node(category="b", spec=specs.joined)
def joined(blocks: list[Block]) -> Block:
    """Join."""
    return Block(b"".join(each.data for each in blocks))

@node(category="b", spec=specs.measured)
def measured(block: Block) -> int:
    """Measure."""
    return len(block.data)

@node(category="b", spec=specs.counted)
def counted(block: Block) -> int:
    """Measure, as the spec can too."""
    return len(block.data)

@node(category="b", effect=True, spec=specs.kept)
def kept(block: Block, ctx: Context, name: str = "x") -> Block:
    """Pass on."""
    return block

@node(category="b", spec=specs.read)
def read(file: Annotated[Path, PathOf("block")]) -> Block:
    """Read."""
    return Block(file.read_bytes())

@node(category="b", spec=specs.fails)
def bewildered(block: Block) -> Block:
    """Its spec fails."""
    return block

@node(category="b")
def silent(block: Block) -> Block:
    """It declares no spec."""
    return block
'''


def write_blocks(folder: Path) -> Path:
    """The pack `blocks` in a plugin folder; gives the folder."""
    write_pack(folder, "blocks", {"specs.py": SPECS, "nodes.py": NODES})
    return folder
