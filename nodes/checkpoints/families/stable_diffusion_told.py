"""What a single file of Stable Diffusion says beside its tensors' names and shapes. Imports no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import InvalidMatch
from ..header import Header

MODEL_KEY = "nodegraph.model"
"""The metadata that hold it, in files that are written here."""

V_MARK, ZERO_TERMINAL_MARK = "v_pred", "ztsnr"
"""Tensors without a number, by which other programs mark what was trained on velocities and on a schedule that ends
in pure noise."""


class Told(BaseModel):
    """What the tensors do not tell.

    prediction: of the denoiser; None where it is not said. zero_terminal: whether its schedule ends in pure noise.
    text_layers: which layer of each text encoder is taken, counted from the end; empty for the version's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prediction: Literal["eps", "v"] | None = None
    zero_terminal: bool = False
    text_layers: tuple[int, ...] = ()

    @classmethod
    def of(cls, header: Header) -> Told:
        """From the metadata, or from the marks where there are none. Raises InvalidMatch where they cannot be read."""
        text = header.metadata.get(MODEL_KEY)
        if text is None:
            v = V_MARK in header.tensors
            return cls(prediction="v" if v else None, zero_terminal=v and ZERO_TERMINAL_MARK in header.tensors)
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            reason = f"its metadata {MODEL_KEY} are wrong{f' at {place}' if place else ''}: {first['msg']}"
            raise InvalidMatch(header.path, reason) from error
