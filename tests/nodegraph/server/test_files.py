"""Files that jobs wrote: only those in the output folder, and never as active content."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nodegraph.jobs.model import JobFile

from .conftest import Answered, Served
from .requests import finish, request

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 300_000


def written(path: Path | str, content: bytes = b"") -> JobFile:
    return JobFile(path=str(path), bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def download(served: Served, file: JobFile) -> Answered:
    """The file of a job that says it wrote this."""
    assert served.ask("POST", "/jobs", request()).status == 201
    job = finish(served.table, file)
    return served.ask("GET", f"/jobs/{job}/files/0")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "output").mkdir()
    return tmp_path / "output"


def test_a_picture_is_shown(served: Served, output: Path) -> None:
    (output / "sub").mkdir()
    (output / "sub" / "a cat.png").write_bytes(PNG)
    answer = download(served, written(output / "sub" / "a cat.png", PNG))
    assert (answer.status, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == "inline; filename=\"a_cat.png\"; filename*=UTF-8''a%20cat.png"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<script>alert(1)</script>"),
        ("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"),
        ("picture.png", b"<html><script>alert(1)</script>"),
        ("notes.txt", b"hello"),
        ("empty", b""),
    ],
)
def test_everything_else_is_to_be_saved(served: Served, output: Path, name: str, content: bytes) -> None:
    (output / name).write_bytes(content)
    answer = download(served, written(output / name, content))
    assert (answer.status, answer.content) == (200, content)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; ")


def test_a_name_cannot_break_out_of_its_header(served: Served, output: Path) -> None:
    name = 'a"\r\nX-Evil: 1; ü.bin'
    (output / name).write_bytes(b"x")
    answer = download(served, written(output / name, b"x"))
    assert answer.status == 200
    assert "x-evil" not in answer.headers
    assert 'filename="a___X-Evil__1___.bin"' in answer.headers["content-disposition"]


def test_results_name_files_as_they_are_in_the_output_folder(served: Served, output: Path, tmp_path: Path) -> None:
    served.ask("POST", "/jobs", request())
    job = finish(served.table, written(output / "a.png"), written(tmp_path / "state" / "secret"))
    answer = served.ask("GET", f"/jobs/{job}/results")
    assert [each["name"] for each in answer.json()["files"]] == ["a.png", "state/secret"]
    assert [each["url"] for each in answer.json()["files"]] == [f"/api/v1/jobs/{job}/files/{n}" for n in (0, 1)]
    assert str(tmp_path) not in served.ask("GET", f"/jobs/{job}").content.decode()
    assert served.ask("GET", f"/jobs/{job}/files/2").status == 404
    assert served.ask("GET", f"/jobs/{job}/files/-1").status == 404


def test_nothing_outside_the_output_folder_is_given(served: Served, output: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(PNG)
    (tmp_path / "output-other").mkdir()
    (tmp_path / "output-other" / "a.png").write_bytes(PNG)
    (output / "link.png").symlink_to(secret)
    (output / "folder").symlink_to(tmp_path)
    (output / "loop").symlink_to(output / "loop")
    os.mkfifo(output / "pipe")
    for path in (
        secret,
        output / ".." / "secret.png",
        output / "link.png",
        output / "folder" / "secret.png",
        output / "loop",
        output / "pipe",
        output,
        output / "gone.png",
        tmp_path / "output-other" / "a.png",
        "/etc/passwd",
        "/dev/zero",
        "a\0b",
        "",
    ):
        answer = download(served, written(path))
        assert (answer.status, answer.json()["code"]) == (404, "no_such_file"), path
        assert str(tmp_path) not in answer.content.decode()


def test_a_link_inside_the_folder_is_followed(served: Served, output: Path) -> None:
    (output / "real.png").write_bytes(PNG)
    (output / "link.png").symlink_to(output / "real.png")
    assert download(served, written(output / "link.png", PNG)).content == PNG


def test_a_compressed_sibling_is_not_given_instead(served: Served, output: Path) -> None:
    (output / "a.png").write_bytes(PNG)
    (output / "a.png.gz").symlink_to("/etc/passwd")
    served.ask("POST", "/jobs", request())
    job = finish(served.table, written(output / "a.png", PNG))
    assert served.ask("GET", f"/jobs/{job}/files/0", headers={"Accept-Encoding": "gzip"}).content == PNG


def ready(served: Served, output: Path, content: bytes, name: str = "a.png") -> str:
    """The path of a file that a job wrote."""
    (output / name).write_bytes(content)
    served.ask("POST", "/jobs", request())
    return f"/jobs/{finish(served.table, written(output / name, content))}/files/0"


def picture(width: int, height: int, **saved: object) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (width, height), (255, 0, 0)).save(target, "PNG", **saved)  # type: ignore[arg-type]
    return target.getvalue()


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-0", 206, (0, 1)),
        ("bytes=2-4", 206, (2, 5)),
        ("bytes=7-", 206, (7, 10)),
        ("bytes=7-100", 206, (7, 10)),
        ("bytes=-3", 206, (7, 10)),
        ("bytes=-100", 206, (0, 10)),
        ("bytes=10-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-4", 200, None),
        ("bytes=0-1,3-4", 200, None),
        ("bytes=-", 200, None),
        ("bytes=a-b", 200, None),
        ("lines=0-1", 200, None),
    ],
)
def test_a_part_of_a_file(served: Served, output: Path, asked: str, status: int, part: tuple[int, int] | None) -> None:
    content = b"0123456789"
    path = ready(served, output, content)
    answer = served.ask("GET", path, headers={"Range": asked})
    assert answer.status == status
    if status == 206:
        first, end = part or (0, 0)
        assert answer.content == content[first:end]
        assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/10"
    elif status == 416:
        assert (answer.json()["code"], answer.headers["content-range"]) == ("wrong_range", "bytes */10")
    else:
        assert (answer.content, answer.headers["accept-ranges"]) == (content, "bytes")


def test_a_part_of_another_version_is_not_given(served: Served, output: Path) -> None:
    path = ready(served, output, b"0123456789")
    headers = served.ask("GET", path).headers
    for condition, status in [
        (headers["etag"], 206),
        (headers["last-modified"], 206),
        ('"other"', 200),
        (f"W/{headers['etag']}", 200),
        ("Wed, 01 Jan 2020 00:00:00 GMT", 200),
    ]:
        answer = served.ask("GET", path, headers={"Range": "bytes=0-1", "If-Range": condition})
        assert answer.status == status, condition


def test_a_file_is_known_by_its_content_until_something_writes_to_it(served: Served, output: Path) -> None:
    path = ready(served, output, PNG)
    answer = served.ask("GET", path)
    assert answer.headers["etag"] == f'"{hashlib.sha256(PNG).hexdigest()}"'
    assert "immutable" in answer.headers["cache-control"]
    assert served.ask("GET", path, headers={"If-None-Match": answer.headers["etag"]}).status == 304
    assert served.ask("GET", path, headers={"If-Modified-Since": answer.headers["last-modified"]}).status == 304
    known = {"If-None-Match": '"other"', "If-Modified-Since": answer.headers["last-modified"]}
    assert served.ask("GET", path, headers=known).status == 200
    (output / "a.png").write_bytes(PNG + b"more")
    again = served.ask("GET", path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.content) == (200, PNG + b"more")
    assert again.headers["cache-control"] == "private, no-cache"


def test_the_head_of_a_file(served: Served, output: Path) -> None:
    path = ready(served, output, PNG)
    answer = served.ask("HEAD", path)
    assert (answer.status, answer.content, answer.headers["content-length"]) == (200, b"", str(len(PNG)))
    assert answer.headers["content-type"] == "image/png"


def test_a_picture_to_be_saved(served: Served, output: Path) -> None:
    answer = served.ask("GET", ready(served, output, PNG) + "?download=1")
    assert answer.headers["content-disposition"].startswith('attachment; filename="a.png"')
    assert answer.headers["content-type"] == "image/png"


def test_a_thumbnail(served: Served, output: Path) -> None:
    path = ready(served, output, picture(800, 400))
    answer = served.ask("GET", f"{path}/thumbnail?size=100")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(answer.content)).size == (100, 50)
    assert served.ask("GET", f"{path}/thumbnail").status == 200
    headers = {"If-None-Match": answer.headers["etag"]}
    assert served.ask("GET", f"{path}/thumbnail?size=100", headers=headers).status == 304
    assert served.ask("GET", f"{path}/thumbnail?size=0").status == 422
    other = ready(served, output, b"no picture", "b.txt")
    refused = served.ask("GET", f"{other}/thumbnail")
    assert (refused.status, refused.json()["code"]) == (415, "not_a_picture")


def test_the_workflow_of_a_picture(served: Served, output: Path) -> None:
    recipe = {"nodegraph": "1", "workflow": request()["workflow"], "node": "n"}
    info = PngInfo()
    info.add_text("nodegraph", json.dumps(recipe))
    path = ready(served, output, picture(8, 8, pnginfo=info))
    answer = served.ask("GET", f"{path}/workflow")
    assert (answer.status, answer.json()["node"]) == (200, "n")
    assert answer.json()["workflow"]["nodes"].keys() == {"n"}
    refused = served.ask("GET", ready(served, output, picture(8, 8), "b.png") + "/workflow")
    assert (refused.status, refused.json()["code"]) == (422, "no_recipe")
