from __future__ import annotations

import errno
import os
import struct
import tempfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms

from nodegraph import InvalidInput
from nodegraph.recipe import read_recipe
from nodegraph.testing import RecordingContext, local_context
from nodes.image.grid import image_grid
from nodes.image.load import load_image
from nodes.image.pixels import from_pillow, raw_bytes, to_bytes, to_pillow
from nodes.image.save import ImageNotWritten, save_image
from nodes.image.transform import resize_image, scale_image
from nodes.types import Image

SMALL = Pillow.new("RGB", (3, 2), (255, 128, 0))


def saved(path: Path, picture: Pillow.Image, **options: object) -> Path:
    picture.save(path, **options)  # type: ignore[arg-type]
    return path


def first(path: Path) -> list[int]:
    """The first pixel of a loaded picture, in 255ths."""
    return to_bytes(load_image(path).image.pixels)[0, :, 0, 0].tolist()


def noise_image(*shape: int) -> Image:
    return Image(pixels=torch.rand(*shape, generator=torch.Generator().manual_seed(0)))


# conversions


def test_every_byte_survives() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(levels.float() / 255.0), levels)
    picture = Pillow.frombytes("RGB", (16, 16), bytes(range(256)) * 3)
    assert to_pillow(from_pillow(picture)).tobytes() == picture.tobytes()


@given(st.floats(0, 1, width=32))
def test_rounding_is_to_the_nearest_level(value: float) -> None:
    level = int(to_bytes(torch.tensor(value)))
    assert abs(level - value * 255) <= 0.5 + 1e-4


def test_raw_bytes_follow_the_axes() -> None:
    values = torch.arange(6, dtype=torch.uint8).reshape(2, 3)
    assert raw_bytes(values.T) == bytes([0, 3, 1, 4, 2, 5])


# loading


def test_colour_modes(tmp_path: Path) -> None:
    assert first(saved(tmp_path / "rgb.png", SMALL)) == [255, 128, 0]
    assert first(saved(tmp_path / "l.png", SMALL.convert("L"))) == [151, 151, 151]
    assert first(saved(tmp_path / "1.png", Pillow.new("1", (2, 2), 1))) == [255, 255, 255]
    assert first(saved(tmp_path / "p.gif", SMALL.quantize())) == [255, 128, 0]
    cmyk = first(saved(tmp_path / "cmyk.tif", Pillow.new("CMYK", (2, 2), (0, 127, 255, 0))))
    assert cmyk == [255, 128, 0]
    assert min(first(saved(tmp_path / "lab.tif", Pillow.new("LAB", (2, 2), (255, 128, 128))))) >= 254


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    deep = Pillow.frombytes("I;16", (2, 1), struct.pack("<2H", 257, 65535))
    for name in ("deep.png", "deep.tif"):
        pixels = load_image(saved(tmp_path / name, deep), "grey").image.pixels.flatten()
        assert pixels.tolist() == pytest.approx([257 / 65535, 1.0], abs=1e-7)
    real = Pillow.frombytes("F", (2, 1), struct.pack("<2f", 0.3, 7.0))
    assert from_pillow(real).flatten().tolist() == pytest.approx([0.3, 1.0])


def test_transparency(tmp_path: Path) -> None:
    half = saved(tmp_path / "a.png", Pillow.new("RGBA", (2, 2), (255, 0, 0, 51)))
    found = load_image(half)
    assert to_bytes(found.image.pixels)[0, :, 0, 0].tolist() == [255, 204, 204]
    assert found.mask.values[0, 0, 0, 0].item() == pytest.approx(0.8)
    assert to_bytes(load_image(half, "rgba").image.pixels)[0, :, 0, 0].tolist() == [255, 0, 0, 51]
    assert not load_image(saved(tmp_path / "o.png", SMALL)).mask.values.any()
    palette = SMALL.quantize(2)
    palette.info["transparency"] = palette.getpixel((0, 0))
    assert load_image(saved(tmp_path / "p.png", palette, transparency=palette.getpixel((0, 0)))).mask.values.all()
    grey = Pillow.new("LA", (1, 1), (10, 0))
    assert load_image(saved(tmp_path / "la.png", grey)).mask.values.item() == 1.0


def test_pictures_are_turned_upright(tmp_path: Path) -> None:
    picture = Pillow.new("RGB", (4, 2), "black")
    picture.putpixel((0, 0), (255, 255, 255))
    exif = Pillow.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90 degrees clockwise
    found = load_image(saved(tmp_path / "turned.png", picture, exif=exif)).image
    assert (found.width, found.height) == (2, 4)
    assert to_bytes(found.pixels)[0, :, 0, 1].tolist() == [255, 255, 255]


def test_colour_profiles_are_followed(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert first(saved(tmp_path / "srgb.png", SMALL, icc_profile=srgb)) == [255, 128, 0]
    assert first(saved(tmp_path / "broken.png", SMALL, icc_profile=b"no profile")) == [255, 128, 0]
    swapped = srgb.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"????", b"gXYZ", 1)
    found = first(saved(tmp_path / "swapped.png", SMALL, icc_profile=swapped))
    assert found == pytest.approx([128, 255, 0], abs=2)
    alpha = Pillow.new("RGBA", (1, 1), (255, 128, 0, 255))
    assert first(saved(tmp_path / "alpha.png", alpha, icc_profile=swapped)) == found


def test_animations(tmp_path: Path) -> None:
    frames = [Pillow.new("RGB", (2, 2), colour) for colour in ("red", "lime", "blue")]
    path = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert len(load_image(path).image) == 1
    every = to_bytes(load_image(path, frames="all").image.pixels)[:, :, 0, 0].tolist()
    assert every == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF"])
def test_every_frame_of_every_kind(tmp_path: Path, kind: str) -> None:
    frames = [Pillow.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    path = saved(tmp_path / "a", frames[0], format=kind, save_all=True, append_images=frames[1:], **options)
    every = to_bytes(load_image(path, frames="all").image.pixels)[:, :, 0, 0].tolist()
    assert every == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert first(path) == [255, 0, 0]


def test_frames_that_are_partly_transparent_keep_their_masks(tmp_path: Path) -> None:
    frames = [Pillow.new("RGBA", (2, 2), (255, 0, 0, alpha)) for alpha in (255, 0)]
    path = saved(tmp_path / "a.png", frames[0], save_all=True, append_images=frames[1:])
    found = load_image(path, "rgba", frames="all")
    assert found.mask.values.flatten(1).amax(1).tolist() == [0.0, 1.0]
    assert found.mask.values.flatten(1).amin(1).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("kind", ["TIFF", "MPO"])
def test_pictures_of_several_sizes_in_one_file_are_refused(tmp_path: Path, kind: str) -> None:
    path = saved(tmp_path / "a", SMALL, format=kind, save_all=True, append_images=[Pillow.new("RGB", (5, 2))])
    assert load_image(path).image.width == 3
    with pytest.raises(InvalidInput, match="differ in size: 3 x 2, but number 2 is 5 x 2; load the first alone"):
        load_image(path, frames="all")


def test_a_later_page_cannot_be_huge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = Pillow.new("1", (12_000, 12_000))
    path = saved(tmp_path / "a.tif", Pillow.new("1", (4, 4)), save_all=True, append_images=[huge], compression="group4")
    assert path.stat().st_size < 10_000
    unpacked: list[tuple[int, int]] = []

    def noted(picture: Pillow.Image) -> torch.Tensor:
        unpacked.append(picture.size)
        return from_pillow(picture)

    monkeypatch.setattr("nodes.image.load.from_pillow", noted)
    with pytest.raises(InvalidInput, match="number 2 is 12000 x 12000"):
        load_image(path, frames="all")
    assert unpacked == [(4, 4)]


def test_a_damaged_later_page(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", SMALL, save_all=True, append_images=[SMALL])
    before, width, after = path.read_bytes().rpartition(struct.pack("<HHI", 256, 4, 1))
    path.write_bytes(before + bytes(len(width)) + after)
    assert width
    assert len(load_image(path).image) == 1
    with pytest.raises(InvalidInput, match=r"damaged or cut off \(Missing dimensions\)"):
        load_image(path, frames="all")


def test_too_many_frames_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.gif", SMALL, save_all=True, append_images=[Pillow.new("RGB", (3, 2))])
    monkeypatch.setattr("nodes.image.files.MAX_PIXELS", 11)
    assert len(load_image(path).image) == 1
    with pytest.raises(InvalidInput, match=r"3 x 2 x 2 frames"):
        load_image(path, frames="all")


def test_cmyk_jpegs_are_not_negatives(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", Pillow.new("CMYK", (8, 8), (0, 127, 255, 0)), quality=100)
    assert first(path) == pytest.approx([255, 128, 0], abs=3)


def test_sixteen_bit_colour_is_read_with_eight(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(png(1, 1, depth=16, data=struct.pack(">x3H", 0x8040, 0, 0xFFFF)))
    assert first(path) == [128, 0, 255]


TURNS = {1: (0, 0), 2: (3, 0), 3: (3, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 3), 8: (0, 3)}
"""Where the picture's first pixel goes (x, y), by the orientation in the EXIF data of a picture 4 wide and 2 high."""


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_all_eight_orientations(tmp_path: Path, kind: str, orientation: int) -> None:
    picture = Pillow.new("RGB", (32, 16))
    picture.paste((255, 255, 255), (0, 0, 8, 8))
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    found = load_image(saved(tmp_path / "a", picture, format=kind, exif=exif), "grey").image
    assert (found.width, found.height) == ((32, 16) if orientation < 5 else (16, 32))
    corner = int(found.pixels.unfold(2, 8, 8).unfold(3, 8, 8).mean((4, 5)).argmax())
    assert divmod(corner, found.width // 8)[::-1] == TURNS[orientation]


def png(width: int, height: int, depth: int = 8, data: bytes = bytes(100)) -> bytes:
    """A PNG whose header promises a size; its data are a few zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def eps() -> bytes:
    target = BytesIO()
    SMALL.save(target, "EPS")
    return target.getvalue()


def jpeg() -> bytes:
    target = BytesIO()
    to_pillow(noise_image(1, 1, 64, 64).pixels[0]).save(target, "JPEG")
    return target.getvalue()


WRONG = {
    "empty": (b"", "the file is empty"),
    "text": (b"hello", "it is no picture"),
    "web page": (b"<!DOCTYPE html><html></html>", "it is no picture"),
    "huge": (png(40_000, 40_000), "more than 64 million pixels"),
    "large": (png(9_000, 9_000), "more than 64 million pixels"),
    "nothing": (png(0, 0), "damaged|no picture"),
    "truncated": (jpeg()[:700], "damaged or cut off"),
    "short": (png(64, 64), "damaged or cut off"),
    "head only": (png(8, 8)[:20], "no picture|damaged"),
    "half a png": (png(8, 8)[:45], "damaged"),
    "postscript": (eps(), "it is no picture, or of a kind that is not known; use PNG"),
    "vector": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "it is no picture, or of a kind"),
    "safetensors": (struct.pack("<Q", 2) + b"{}", "it is no picture"),
}


@pytest.mark.parametrize("name", WRONG)
def test_files_that_are_no_pictures(tmp_path: Path, name: str) -> None:
    content, message = WRONG[name]
    path = tmp_path / "file.png"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=message) as caught:
        load_image(path)
    assert caught.value.input_name == "file"


def sound(kind: str, picture: Pillow.Image, **options: object) -> bytes:
    target = BytesIO()
    picture.save(target, kind, **options)  # type: ignore[arg-type]
    return target.getvalue()


TINY = to_pillow(noise_image(1, 3, 6, 8).pixels[0])
SOUND = [
    jpeg(), png(16, 2), sound("JPEG", TINY.convert("CMYK")), sound("GIF", TINY, save_all=True, append_images=[SMALL]),
    sound("WEBP", TINY), sound("TIFF", TINY, compression="tiff_lzw"), sound("BMP", TINY.quantize()),
]  # fmt: skip


@given(st.data())
def test_damaged_bytes_never_escape(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SOUND)))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.png"
    path.write_bytes(bytes(content))
    with suppress(InvalidInput):
        assert len(load_image(path, frames="all").image) >= 1


# saving


@pytest.mark.parametrize("kind", ["png", "webp", "jpeg"])
def test_saved_pictures_carry_their_recipe(ctx: RecordingContext, kind: str) -> None:
    image = noise_image(2, 3, 8, 8)
    saved_image = save_image(image, ctx, "folder/picture", kind)  # type: ignore[arg-type]
    assert saved_image.image is image
    assert [Path(each).name[:12] for each in saved_image.files] == ["picture-000-", "picture-001-"]
    assert all(Path(each).parent.name == "folder" for each in saved_image.files)
    for number, name in enumerate(saved_image.files):
        recipe = read_recipe(Path(name))
        assert recipe == {"format": "nodegraph/1", "item": number}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_is_exact_to_the_nearest_level(ctx: RecordingContext, channels: int) -> None:
    image = noise_image(1, channels, 5, 7)
    found = load_image(Path(save_image(image, ctx).files[0]), "rgba" if channels == 4 else "rgb").image
    wanted = image.pixels if channels > 1 else image.pixels.expand(-1, 3, -1, -1)
    assert torch.equal(to_bytes(found.pixels), to_bytes(wanted))


@pytest.mark.parametrize("kind", ["png", "webp", "jpeg"])
def test_saving_again_gives_the_same_bytes(ctx: RecordingContext, kind: str) -> None:
    path = Path(save_image(noise_image(1, 3, 8, 8), ctx, format=kind).files[0])  # type: ignore[arg-type]
    before = path.read_bytes()
    assert Path(save_image(noise_image(1, 3, 8, 8), ctx, format=kind).files[0]) == path  # type: ignore[arg-type]
    assert path.read_bytes() == before


def test_a_recipe_with_any_text_is_kept(ctx: RecordingContext, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = {"text": 'é☃\n"\\', "long": "x" * 200_000}
    monkeypatch.setattr(type(ctx), "provenance", lambda _: recipe)
    for kind in ("png", "webp"):
        path = Path(save_image(noise_image(1, 3, 8, 8), ctx, format=kind).files[0])  # type: ignore[arg-type]
        assert read_recipe(path) == {**recipe, "item": 0}
    path = Path(save_image(noise_image(1, 3, 8, 8), ctx, format="jpeg").files[0])
    assert read_recipe(path) is None
    assert "too long" in ctx.logged[-1]


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FullFile:
    """A file on a full disk: `fails` says whether it is writing or closing that notices."""

    def __init__(self, descriptor: int, fails: str) -> None:
        self._descriptor, self._fails = descriptor, fails

    def __enter__(self) -> FullFile:
        return self

    def write(self, content: bytes) -> None:
        os.write(self._descriptor, content[:20])
        if self._fails == "write":
            full()

    def flush(self) -> None:
        """Nothing is held back."""

    def __exit__(self, kind: object, *_: object) -> None:
        os.close(self._descriptor)
        if kind is None:
            full()


FULL: dict[str, tuple[object, str, Callable[..., object]]] = {
    "no folder": (Path, "mkdir", full),
    "no file": (tempfile, "mkstemp", full),
    "half a file": (os, "fdopen", lambda descriptor, _: FullFile(descriptor, "write")),
    "not synced": (os, "fsync", full),
    "not closed": (os, "fdopen", lambda descriptor, _: FullFile(descriptor, "close")),
    "no name": (Path, "replace", full),
}


@pytest.mark.parametrize("when", FULL)
def test_a_full_disk_leaves_nothing(ctx: RecordingContext, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    old = Path(save_image(noise_image(1, 3, 8, 8), ctx).files[0])
    before = old.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(*FULL[when])
        with pytest.raises(ImageNotWritten, match="No space left on device; nothing was left behind; free some space"):
            save_image(noise_image(1, 3, 9, 9), ctx)
    assert [each.name for each in old.parent.iterdir()] == [old.name]
    assert old.read_bytes() == before


def test_pictures_written_before_the_disk_was_full_stay(ctx: RecordingContext, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def replace_but_the_third(source: Path, target: Path) -> Path:
        if target.name.startswith("image-002"):
            full()
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", replace_but_the_third)
    with pytest.raises(ImageNotWritten, match=r"image-002-0000000000\.png could not be written"):
        save_image(noise_image(4, 3, 8, 8), ctx)
    [folder] = {path.parent for path in Path(ctx.output_file("x", ".png")).parent.iterdir()}
    names = sorted(each.name for each in folder.iterdir())
    assert names == ["image-000-0000000000.png", "image-001-0000000000.png"]
    assert all(load_image(folder / name).image.width == 8 for name in names)


def test_an_output_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("")
    with pytest.raises(ImageNotWritten, match=r"output could not be written: (Not a directory|File exists)"):
        save_image(noise_image(1, 3, 8, 8), local_context(tmp_path))
    assert (tmp_path / "output").read_text() == ""


NAMES = ["../../up", "/etc/up", "a/../../up", "..", "...", "nul\0", "a\\b", ".hidden", "~", "a\nb", "é" * 100, "\ud800"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_name_leads_out_of_the_output_folder(tmp_path: Path, ctx: RecordingContext, name: str) -> None:
    [file] = save_image(noise_image(1, 1, 2, 2), ctx, name).files
    assert Path(file).resolve().is_relative_to(tmp_path / "output")
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [Path(file)]


def test_names_that_are_too_long_are_refused(ctx: RecordingContext) -> None:
    assert save_image(noise_image(1, 1, 2, 2), ctx, "a" * 100 + "/" + "b" * 100).files
    with pytest.raises(InvalidInput, match="more than 200 bytes"):
        save_image(noise_image(1, 1, 2, 2), ctx, "é" * 101)


def test_what_a_format_cannot_hold_is_refused(ctx: RecordingContext) -> None:
    with pytest.raises(InvalidInput, match="JPEG cannot hold transparency"):
        save_image(noise_image(1, 4, 2, 2), ctx, format="jpeg")
    with pytest.raises(InvalidInput, match="16383"):
        save_image(noise_image(1, 1, 1, 16_384), ctx, format="webp")


# resizing


@pytest.mark.parametrize("method", ["nearest", "box", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_resizing_keeps_flat_colours(method: str, channels: int) -> None:
    flat = Image(pixels=torch.full((2, channels, 5, 4), 0.25))
    for width, height in ((9, 3), (1, 1), (4, 5)):
        found = resize_image(flat, width, height, method)  # type: ignore[arg-type]
        assert found.pixels.shape == (2, channels, height, width)
        torch.testing.assert_close(found.pixels, torch.full_like(found.pixels, 0.25), rtol=0, atol=1e-6)


def test_nearest_repeats_pixels_exactly() -> None:
    image = noise_image(1, 3, 4, 4)
    found = scale_image(image, 4, "nearest").pixels
    assert torch.equal(found, image.pixels.repeat_interleave(4, 2).repeat_interleave(4, 3))


def test_hidden_colours_do_not_bleed() -> None:
    pixels = torch.zeros(1, 4, 1, 2)
    pixels[0, 0, 0, 0] = 1.0  # red, but transparent
    pixels[0, 2:, 0, 1] = 1.0  # blue and opaque
    found = resize_image(Image(pixels=pixels), 1, 1, "box").pixels.flatten().tolist()
    assert found == pytest.approx([0.0, 0.0, 1.0, 0.5])


def test_overshoot_is_clamped_and_too_large_refused() -> None:
    step = torch.zeros(1, 1, 1, 16)
    step[..., 8:] = 1.0
    assert resize_image(Image(pixels=step), 64, 4).pixels.shape == (1, 1, 4, 64)
    with pytest.raises(InvalidInput, match="stay below"):
        scale_image(noise_image(1, 1, 2, 1_000), 40)


# sheets


def test_a_sheet_holds_every_picture_in_its_place() -> None:
    image = noise_image(5, 3, 4, 6)
    sheet = image_grid(image, columns=2, gap=1).pixels
    assert sheet.shape == (1, 3, 3 * 5 + 1, 2 * 7 + 1)
    for index in range(5):
        top, left = 1 + index // 2 * 5, 1 + index % 2 * 7
        assert torch.equal(sheet[0, :, top : top + 4, left : left + 6], image.pixels[index])
    assert bool((sheet[:, :, 0] == 1).all())


def test_captions_are_written_below_and_cut() -> None:
    image = Image(pixels=torch.ones(2, 3, 16, 48))
    sheet = image_grid(image, columns=1, gap=0, captions=["cat", "long " * 1_000], caption_height=12).pixels
    assert sheet.shape == (1, 3, 56, 48)
    assert float(sheet[:, :, 16:28].min()) < 0.5
    assert float(sheet[:, :, 44:].min()) < 0.5
    assert float(sheet[:, :, 28:44].min()) == 1.0
    with pytest.raises(InvalidInput, match="there are 2 pictures"):
        image_grid(image, captions=["cat"])
