"""Where results are kept: a memory tier, a disk tier that survives restarts, and both together.

A result is the outputs of one node by name, under the key of its recipe: 64 hexadecimal digits.
"""

from .database import UnusableIndex
from .disk import DiskInfo, DiskTier, InvalidKey
from .memory import MemoryInfo, MemoryTier
from .store import ResultStore, Tier

__all__ = [
    "DiskInfo",
    "DiskTier",
    "InvalidKey",
    "MemoryInfo",
    "MemoryTier",
    "ResultStore",
    "Tier",
    "UnusableIndex",
]
