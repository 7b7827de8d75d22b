"""Values as data: written to JSON and tensors bit by bit, read back, hashed by content, measured in bytes.

`encode` and `decode` carry portable values between processes and to disk. `content_hash` also covers resident values.
Nothing here imports torch before a value needs it: while torch is not loaded, no value can be a tensor.
"""

from .container import pack, unpack
from .decoding import decode
from .encoding import Encoded, encode
from .errors import CodecError, NotHashable, NotPortable, StaleValue, Undecodable
from .hashing import content_hash
from .size import Footprint, footprint, size_in_bytes

__all__ = [
    "CodecError",
    "Encoded",
    "Footprint",
    "NotHashable",
    "NotPortable",
    "StaleValue",
    "Undecodable",
    "content_hash",
    "decode",
    "encode",
    "footprint",
    "pack",
    "size_in_bytes",
    "unpack",
]
