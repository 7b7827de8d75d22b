"""`make tour-pictures`: the pictures of docs/tour.md, from the screenshots that tests/browser/test_tour.py keeps."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image as Pillow

ROOT = Path(__file__).parent.parent
SCREENSHOTS = ROOT / "output" / "screenshots"
PICTURES = ROOT / "docs" / "pictures" / "tour"


def main() -> int:
    """Take the tour, then keep its pictures as WebP."""
    status = pytest.main([str(ROOT / "tests" / "browser" / "test_tour.py")])
    if status:
        return int(status)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for path in sorted(SCREENSHOTS.glob("tour-*.png")):
        with Pillow.open(path) as screenshot:
            target = PICTURES / f"{path.stem.removeprefix('tour-')}.webp"
            screenshot.convert("RGB").save(target, quality=82, method=6)
    return 0


if __name__ == "__main__":
    sys.exit(main())
