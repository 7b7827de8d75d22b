"""Files that jobs wrote: only those in the output folder, and never as active content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

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
