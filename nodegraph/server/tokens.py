"""The token that a server makes for itself where none is configured: in the state folder, for its owner alone."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..settings import Settings

FILE = "token"
LEAST = 16
"""Characters of a token."""


def token_of(settings: Settings) -> str | None:
    """The token that is configured, else the one that a server made for itself, if there is one."""
    return configured(settings) or kept_token(settings.state)


def configured(settings: Settings) -> str | None:
    """The token that the settings name."""
    return settings.token.get_secret_value() if settings.token is not None else None


def kept_token(state: Path) -> str | None:
    """The token in a state folder; None where there is none that can be used."""
    try:
        found = (state / FILE).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return found if len(found) >= LEAST else None


def made_token(state: Path) -> str:
    """The token in a state folder, made where there is none. Raises OSError where the folder cannot be written."""
    path = state / FILE
    if (found := kept_token(state)) is not None:
        path.chmod(0o600)
        return found
    token = secrets.token_urlsafe(32)
    state.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=state, prefix=f".{FILE}-")  # for its owner alone
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
        raise
    return token
