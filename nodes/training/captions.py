"""What a picture may be called: its captions, with and without its style, in several wordings."""

from __future__ import annotations

import torch

from .icon_data import IconEntry

TEMPLATES: tuple[str, ...] = (
    "{caption}",
    "{article} {caption}",
    "{style} {caption}",
    "{caption}, {style} style",
    "{article} {caption} icon",
    "{article} {caption} icon, {style} style",
    "{article} {caption} in {style} style",
    "an icon of {article} {caption}",
)
"""Wordings of a caption. Half of them name the style, so that style words choose the look, and prompts without work."""


def word_caption(entry: IconEntry, template: str, which: int = 0) -> str:
    """One of an icon's captions in a wording. which: index of the caption."""
    caption = entry.captions[which]
    return template.format(caption=caption, style=entry.style, article="an" if caption[0] in "aeiou" else "a")


def draw_caption(entry: IconEntry, draw: torch.Generator, *, empty: float = 0.1) -> str:
    """A random caption of an icon in a random wording; the plain wordings without and with style are the likeliest.

    empty: probability of no caption at all, for classifier-free guidance (Ho & Salimans 2022).
    """
    if float(torch.rand((), generator=draw)) < empty:
        return ""
    pick = int(torch.randint(2 * len(TEMPLATES), (), generator=draw))
    template = TEMPLATES[pick] if pick < len(TEMPLATES) else TEMPLATES[(0, 2)[pick % 2]]
    which = 0 if len(entry.captions) == 1 else int(torch.randint(len(entry.captions), (), generator=draw))
    return word_caption(entry, template, which)


def all_wordings(entries: tuple[IconEntry, ...]) -> list[str]:
    """Every caption of every icon in every wording: what a tokenizer is trained on."""
    return [
        word_caption(entry, template, which)
        for entry in entries
        for which in range(len(entry.captions))
        for template in TEMPLATES
    ]
