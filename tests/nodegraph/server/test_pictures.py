"""Pictures that people send: only whole, harmless pictures are kept, and every one of them once."""

from __future__ import annotations

import hashlib
import struct
import threading
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from nodegraph.recipe import COMMENT_PREFIX, EXIF_IFD, METADATA_KEY, USER_COMMENT, recipe_text
from nodegraph.server import uploads
from nodegraph.server.uploads import plain_name

from .conftest import Answered, Served
from .requests import workflow


def encoded(kind: str = "PNG", size: tuple[int, int] = (30, 20), mode: str = "RGB", **options: Any) -> bytes:
    """A picture with a gradient."""
    target = BytesIO()
    Pillow.linear_gradient("L").resize(size).convert(mode).save(target, kind, **options)
    return target.getvalue()


def upload(served: Served, content: bytes, query: str = "") -> Answered:
    return served.ask("POST", f"/uploads{query}", content)


@pytest.mark.parametrize(("kind", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_a_picture_is_kept_as_it_was_sent(served: Served, kind: str, ending: str) -> None:
    content = encoded(kind)
    found = upload(served, content, "?name=my%20fox.gif").json()
    digest = hashlib.sha256(content).hexdigest()
    assert found == {
        "file": f"uploads/{digest[:12]}-my_fox.{ending}",
        "width": 30,
        "height": 20,
        "bytes": len(content),
        "sha256": digest,
    }
    assert (served.settings.input / found["file"]).read_bytes() == content
    shown = served.ask("GET", f"/inputs/{quote(found['file'], safe='')}")
    assert (shown.status, shown.content) == (200, content)
    assert shown.headers["content-type"] == f"image/{kind.lower()}"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    nodes = {"n": {"type": "load_image", "inputs": {"file": found["file"]}}}
    checked = served.ask("POST", "/validate", {"workflow": {"format": "nodegraph/1", "nodes": nodes}})
    assert checked.json() == {"defects": []}


def test_the_same_picture_is_one_file(served: Served) -> None:
    first = upload(served, encoded(), "?name=a").json()
    assert upload(served, encoded(), "?name=b&kind=mask").json() == first
    answers: list[Answered] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(upload(served, encoded(mode="L"), f"?name={n}")))
        for n in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({each.json()["file"] for each in answers}) == 1
    assert len(list((served.settings.input / "uploads").iterdir())) == 2
    (served.settings.input / first["file"]).write_bytes(b"something else")
    again = upload(served, encoded(), "?name=a").json()
    assert again["file"] != first["file"]
    assert (served.settings.input / again["file"]).read_bytes() == encoded()


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\fox.png", "fox"),
        ("<script>.png", "script"),
        ("été 1.jpeg", "t_1"),
        ("..", ""),
        (".png", "png"),
        ("a" * 200, "a" * 60),
        ("a\0b\n.png", "a_b"),
        ("", ""),
    ],
)
def test_names_become_plain(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_a_picture_without_a_name_is_called_after_its_kind(served: Served) -> None:
    assert upload(served, encoded(mode="L"), "?kind=mask").json()["file"].endswith("-mask.png")
    assert upload(served, encoded(), "?name=...").json()["file"].endswith("-image.png")
    assert upload(served, encoded(), "?kind=video").json()["code"] == "wrong_request"


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes and many pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b"")


def animation(kind: str) -> bytes:
    frames = [Pillow.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    target = BytesIO()
    frames[0].save(target, kind, save_all=True, append_images=frames[1:])
    return target.getvalue()


def text_bomb() -> bytes:
    info = PngInfo()
    info.add_text("a", "x" * 5_000_000, zip=True)
    return encoded(pnginfo=info)


WHOLE, JPEG, WEBP = encoded(size=(200, 150)), encoded("JPEG", (200, 150)), encoded("WEBP", (200, 150))
HTML = b"<html><script>alert(1)</script></html>"
HOSTILE = {
    "empty": (b"", 415, "it is empty"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", 415, "an SVG drawing"),
    "xml": (b"<?xml version='1.0'?><svg></svg>", 415, "an SVG drawing"),
    "html": (HTML, 415, "a web page"),
    "gif": (encoded("GIF"), 415, "a GIF"),
    "text": (b"hello", 415, "no picture"),
    "zip": (b"PK\x03\x04" + bytes(100), 415, "a ZIP"),
    "only the beginning": (WHOLE[:8], 415, "no picture"),
    "truncated png": (WHOLE[: len(WHOLE) // 2], 415, "damaged or ends too early"),
    "truncated jpeg": (JPEG[: len(JPEG) // 2], 415, "damaged or ends too early"),
    "truncated webp": (WEBP[: len(WEBP) // 2], 415, ""),
    "damaged": (WHOLE[:60] + bytes(80) + WHOLE[140:], 415, "damaged"),
    "bomb": (bomb(60_000, 60_000), 413, "pixels"),
    "small bomb": (bomb(9_000, 8_000), 413, "9,000 x 8,000 pixels"),
    "text bomb": (text_bomb(), 415, ""),
    "animated png": (animation("PNG"), 415, "an animation"),
    "animated webp": (animation("WEBP"), 415, "an animation"),
    "png and html": (WHOLE + HTML, 415, "follow the picture"),
    "jpeg and html": (JPEG + HTML, 415, "follow the picture"),
    "jpeg and zip": (JPEG + b"PK\x03\x04" + bytes(100), 415, "follow the picture"),
    "webp and html": (WEBP + HTML, 415, "follow the picture"),
    "html and png": (HTML + WHOLE, 415, "a web page"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_harmless_picture_is_refused(served: Served, name: str) -> None:
    content, status, words = HOSTILE[name]
    answer = served.ask("POST", "/uploads", content, {"Content-Type": "image/png"})
    assert (answer.status, answer.json()["code"]) == (status, "not_a_picture" if status == 415 else "picture_too_large")
    assert words in answer.json()["error"]
    assert not (served.settings.input / "uploads").exists()


def test_too_many_bytes_are_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from nodegraph.server.routes import pictures

    monkeypatch.setattr(pictures, "MOST_BYTES", 1000)
    answer = upload(served, encoded(size=(300, 300), compress_level=0))
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


def test_what_cameras_put_behind_a_jpeg_is_left_out(served: Served) -> None:
    for rest in (bytes(50), JPEG, b"\0\0\0\x18ftypmp42" + HTML, b"notes" + HTML + b"SEFT"):
        found = upload(served, JPEG + rest).json()
        assert found["bytes"] == len(JPEG)
        assert (served.settings.input / found["file"]).read_bytes() == JPEG


def test_metadata_stay_and_orientation_counts(served: Served) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    content = encoded("JPEG", exif=exif.tobytes(), progressive=True)
    found = upload(served, content).json()
    assert (found["width"], found["height"]) == (20, 30)
    assert (served.settings.input / found["file"]).read_bytes() == content
    answer = served.ask("GET", f"/inputs/{quote(found['file'], safe='')}/thumbnail?size=16")
    with Pillow.open(BytesIO(answer.content)) as small:
        assert (small.format, small.size) == ("WEBP", (11, 16))


def test_a_folder_that_cannot_be_written_is_told(served: Served) -> None:
    served.settings.input.write_text("a file")
    answer = upload(served, encoded())
    assert (answer.status, answer.json()["code"]) == (503, "not_written")
    assert str(served.settings.input) not in answer.content.decode()


def test_pictures_to_read_are_listed(served: Served, tmp_path: Path) -> None:
    sent = upload(served, encoded()).json()["file"]
    folder = served.settings.input
    (folder / "mine.gif").write_bytes(encoded("GIF", (7, 5)))
    (folder / "notes.txt").write_text("no picture")
    (folder / "bomb.png").write_bytes(bomb(60_000, 60_000))
    (folder / "away.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "secret.png").write_bytes(encoded())
    found = {each["file"]: each for each in served.ask("GET", "/inputs").json()["files"]}
    assert found.keys() == {sent, "mine.gif", "bundled:apple"}
    assert [*found][-1] == "bundled:apple"
    assert (found["mine.gif"]["width"], found["mine.gif"]["height"]) == (7, 5)
    (folder / "mine.gif").write_bytes(encoded("GIF", (9, 9)))
    (again,) = [each for each in served.ask("GET", "/inputs").json()["files"] if each["file"] == "mine.gif"]
    assert (again["width"], again["bytes"]) == (9, (folder / "mine.gif").stat().st_size)


def test_nothing_else_can_be_read(served: Served, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(encoded())
    served.settings.input.mkdir()
    (served.settings.input / "away.png").symlink_to(tmp_path / "secret.png")
    for name in ("away.png", "../secret.png", "/etc/passwd", "..", ".", "gone.png", "bundled:gone", "a\0b", ""):
        for rest in ("", "/thumbnail"):
            answer = served.ask("GET", f"/inputs/{quote(name, safe='') or '%20'}{rest}")
            assert (answer.status, answer.json()["code"]) == (404, "unknown_input"), name
            assert str(tmp_path) not in answer.content.decode()


def test_thumbnails_are_small_and_kept(served: Served) -> None:
    name = quote(upload(served, encoded(size=(400, 100))).json()["file"], safe="")
    first = served.ask("GET", f"/inputs/{name}/thumbnail?size=64")
    with Pillow.open(BytesIO(first.content)) as small:
        assert (small.format, small.size) == ("WEBP", (64, 16))
    assert len(list((served.settings.cache / "thumbnails").iterdir())) == 1
    assert served.ask("GET", f"/inputs/{name}/thumbnail?size=64").content == first.content
    known = {"If-None-Match": first.headers["etag"]}
    assert served.ask("GET", f"/inputs/{name}/thumbnail?size=64", headers=known).status == 304
    assert served.ask("GET", f"/inputs/{name}/thumbnail", headers=known).status == 200
    for size in ("0", "5000", "x"):
        assert served.ask("GET", f"/inputs/{name}/thumbnail?size={size}").json()["code"] == "wrong_request"
    (served.settings.input / "broken.png").write_bytes(WHOLE[:200])
    assert served.ask("GET", "/inputs/broken.png/thumbnail").json()["code"] == "not_a_picture"


def with_recipe(kind: str, recipe: dict[str, Any]) -> bytes:
    text = recipe_text(recipe)
    if kind == "PNG":
        info = PngInfo()
        info.add_text(METADATA_KEY, text)
        return encoded(pnginfo=info)
    exif = Pillow.Exif()
    exif.get_ifd(EXIF_IFD)[USER_COMMENT] = COMMENT_PREFIX + text.encode("ascii")
    return encoded(kind, exif=exif.tobytes())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_recipe_of_a_picture(served: Served, kind: str) -> None:
    recipe = {"nodegraph": "0.1", "workflow": workflow(7), "node": "n", "item": 1, "fields": {"index": 2}}
    answer = served.ask("POST", "/recipes", with_recipe(kind, recipe))
    assert answer.status == 200, answer.content
    found = answer.json()
    assert found["workflow"]["nodes"]["n"]["inputs"] == {"value": 7}
    assert (found["node"], found["item"], found["fields"], found["files"]) == ("n", 1, {"index": 2}, {})


def test_pictures_without_a_recipe_say_so(served: Served) -> None:
    deep = "[" * 100_000
    wrong: list[tuple[bytes, int, str]] = [
        (encoded(), 422, "no_recipe"),
        (with_recipe("PNG", {"workflow": workflow()}), 422, "no_recipe"),
        (with_recipe("PNG", {"nodegraph": "1", "workflow": {"nodes": 3}}), 422, "workflow_format_error"),
        (HTML, 415, "not_a_picture"),
        (bomb(60_000, 60_000), 413, "picture_too_large"),
        (b"", 415, "not_a_picture"),
    ]
    info = PngInfo()
    info.add_text(METADATA_KEY, deep)
    for content, status, code in [*wrong, (encoded(pnginfo=info), 422, "no_recipe")]:
        answer = served.ask("POST", "/recipes", content)
        assert (answer.status, answer.json()["code"]) == (status, code)


def test_the_limit_is_that_of_the_contract() -> None:
    assert uploads.MOST_BYTES == 64 * 2**20
