"""The pages that browsers load: what is given, and what they may do."""

from __future__ import annotations

import gzip
import http.client
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from nodegraph.server import pages
from nodegraph.server.access import Access
from nodegraph.server.negotiation import takes_gzip
from nodegraph.settings import Settings

from .conftest import Answered, Served

SCRIPT = b"const pages = 'of some length'; " * 100


def load(served: Served, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answered:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.request(method, path, headers=dict(headers or {}))
    response = connection.getresponse()
    found = Answered(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    connection.close()
    return found


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the build leaves it."""
    folder = tmp_path / "editor"
    (folder / "assets" / "fonts").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>editor</title>")
    (folder / "run.html").write_text("<!doctype html><title>run</title>")
    (folder / "assets" / "index-1a2b.js").write_bytes(SCRIPT)
    (folder / "assets" / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / "style-1a2b.css").write_text("a {}")
    (folder / "assets" / "fonts" / "text.woff2").write_bytes(b"font")
    monkeypatch.setattr(pages, "EDITOR", folder)
    return folder


def test_the_editor_and_the_page_of_a_workflow(editor: Path, serve: object, served: Served) -> None:
    for path, title in (("/", "editor"), ("/run/fox", "run"), ("/run/portraits/fox", "run"), ("/run/a%20b%2Fc", "run")):
        answer = load(served, path)
        assert (answer.status, f"<title>{title}</title>" in answer.content.decode()) == (200, True)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"


def test_what_a_page_may_do(editor: Path, served: Served) -> None:
    answer = load(served, "/")
    policy = dict(each.strip().partition(" ")[::2] for each in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "default-src 'none'; frame-ancestors" in served.ask("GET", "/system").headers["content-security-policy"]


def test_files_are_kept_for_ever_since_their_names_change(editor: Path, served: Served) -> None:
    answer = load(served, "/assets/index-1a2b.js")
    assert (answer.status, answer.content) == (200, SCRIPT)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert load(served, "/assets/fonts/text.woff2").headers["content-type"] == "font/woff2"


def test_a_compressed_file_is_given_to_who_takes_it(editor: Path, served: Served) -> None:
    plain = load(served, "/assets/index-1a2b.js")
    packed = load(served, "/assets/index-1a2b.js", {"Accept-Encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
    assert gzip.decompress(packed.content) == plain.content
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"]
    alone = load(served, "/assets/style-1a2b.css", {"Accept-Encoding": "gzip"})
    assert (alone.content, "content-encoding" in alone.headers) == (b"a {}", False)


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("gzip", True),
        ("GZip;q=0.5", True),
        ("br, gzip;q=0.001", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*, gzip;q=0", False),
        ("gzipped", False),
    ],
)
def test_who_takes_gzip(header: str, takes: bool) -> None:
    request = make_mocked_request("GET", "/", {"Accept-Encoding": header})
    assert takes_gzip(request) is takes


def test_what_is_known_is_not_sent_again(editor: Path, served: Served) -> None:
    for path in ("/", "/run/x", "/assets/style-1a2b.css"):
        tag = load(served, path).headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            answer = load(served, path, {"If-None-Match": known})
            assert (answer.status, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert load(served, path, {"If-None-Match": '"other"'}).status == 200
    (editor / "index.html").write_text("new")
    assert load(served, "/", {"If-None-Match": load(served, "/run/x").headers["etag"]}).content == b"new"


def test_nothing_outside_the_folder_is_given(editor: Path, served: Served, tmp_path: Path) -> None:
    (tmp_path / "secret.js").write_text("secret")
    (editor / "secret.js").write_text("secret")
    assets = editor / "assets"
    (assets / "link.js").symlink_to(tmp_path / "secret.js")
    (assets / "folder").symlink_to(tmp_path)
    (assets / "loop.js").symlink_to(assets / "loop.js")
    (assets / ".hidden.js").write_text("secret")
    (assets / "program.py").write_text("secret")
    (assets / "folder.js").mkdir()
    os.mkfifo(assets / "pipe.js")
    for name in (
        "link.js", "folder/secret.js", "loop.js", ".hidden.js", "program.py", "folder.js", "pipe.js", "gone.js", "../secret.js",
        "..%2Fsecret.js", "%2e%2e/secret.js", "..%5Csecret.js", "%2Fetc%2Fpasswd", "x%00.js", "a" * 5000 + ".js", ".", "fonts",
        "%2e%2e%2f%2e%2e%2fsecret.js", "..%252Fsecret.js", "//etc/passwd", "index-1a2b.js%00.css", "%ff.js",
    ):  # fmt: skip
        answer = load(served, f"/assets/{name}")
        assert (answer.status, answer.json()["code"]) == (404, "no_such_path"), name
        assert b"secret;" not in answer.content
        assert str(tmp_path) not in answer.content.decode()


def test_a_compressed_sibling_that_leads_out_is_not_given(editor: Path, served: Served, tmp_path: Path) -> None:
    (tmp_path / "secret.gz").write_bytes(gzip.compress(b"secret"))
    (editor / "assets" / "style-1a2b.css.gz").symlink_to(tmp_path / "secret.gz")
    assert load(served, "/assets/style-1a2b.css", {"Accept-Encoding": "gzip"}).content == b"a {}"


def test_an_editor_that_is_not_built_says_how(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "EDITOR", tmp_path / "nowhere")
    for path in ("/", "/run/fox"):
        answer = load(served, path)
        assert (answer.status, "make web" in answer.content.decode()) == (200, True)
        assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert load(served, "/assets/x.js").status == 404


def test_pages_need_no_token_but_show_nothing(editor: Path, server_settings: Settings) -> None:
    served = Served(server_settings, Access("a token of 24 characters"))
    try:
        for path in ("/", "/run/x", "/assets/index-1a2b.js", "/api/docs"):
            assert load(served, path).status == 200
        for path in ("/api", "/api/v1", "/favicon.ico", "/api/v1/docs", "/run/", "//", "/assets"):
            assert load(served, path).status == 401
    finally:
        served.stop()


VISIT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def test_a_link_on_another_page_may_lead_here_but_nothing_else(editor: Path, served: Served) -> None:
    assert load(served, "/", VISIT).status == 200
    assert load(served, "/run/x", VISIT).status == 200
    assert load(served, "/api/v1/jobs", VISIT).status == 403
    for changed in ({"Sec-Fetch-Mode": "no-cors"}, {"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Dest": "script"}, {"Origin": "http://evil.example"}):  # fmt: skip
        assert load(served, "/", {**VISIT, **changed}).status == 403
    assert load(served, "/", {**VISIT, "Host": "evil.example"}).status == 403
    assert load(served, "/", VISIT, "POST").status in (403, 405)


def test_only_the_head_of_a_page(editor: Path, served: Served) -> None:
    answer = load(served, "/", method="HEAD")
    assert (answer.status, answer.content, int(answer.headers["content-length"]) > 0) == (200, b"", True)
