"""What can go wrong when values are written, read or hashed: one class per defect."""


class CodecError(Exception):
    """A value could not be written, read or hashed."""


class _RefusedError(CodecError):
    """A value has no such form. `path` says where in the value, `kind` which type stands there."""

    attempted: str

    def __init__(self, path: str, kind: str, reason: str) -> None:
        super().__init__(path, kind, reason)
        self.path = path
        self.kind = kind
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.attempted} {self.path} of type {self.kind}: {self.reason}"


class NotPortable(_RefusedError):
    """The value cannot be written to disk or sent to another process."""

    attempted = "cannot store"


class NotHashable(_RefusedError):
    """The value has no content hash."""

    attempted = "cannot hash"


class Undecodable(CodecError):
    """Stored data are no value: damaged, or written for classes that are different now."""


class StaleValue(CodecError):
    """Stored data were right once, but a file that they name is gone or has another content."""
