"""Who may ask, and what may be sent."""

from __future__ import annotations

import json
import socket
import tracemalloc

import pytest

from nodegraph.server import http, serving
from nodegraph.server.guard import is_ours
from nodegraph.server.listening import NoSuchAddress, PortInUse, listen

from .conftest import Served
from .requests import request, workflow


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:80", "127.1.2.3", "[::1]:8420", "[::1]"])
def test_names_of_this_machine(served: Served, host: str) -> None:
    assert served.ask("GET", "/system", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8420", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.5", "0.0.0.0",
     "localhost@evil.example", "evil.example/localhost", "127.0.0.1:x", "[::1", "", "2130706433", "[::]"],
)  # fmt: skip
def test_names_of_other_machines_are_refused(served: Served, host: str) -> None:
    answer = served.ask("GET", "/system", headers={"Host": host})
    assert (answer.status, answer.json()["code"]) == (403, "wrong_host")
    assert not is_ours(host, "127.0.0.1", ())


@pytest.mark.parametrize(
    ("host", "address", "names", "ours"),
    [
        ("192.168.1.5:8420", "192.168.1.5", (), True),
        ("192.168.1.6:8420", "192.168.1.5", (), False),
        ("[fe80::0:1]:8420", "fe80::1", (), True),
        ("localhost", "192.168.1.5", (), False),
        ("127.0.0.1", "192.168.1.5", (), False),
        ("studio", "192.168.1.5", ("studio",), True),
        ("Studio.:8420", "192.168.1.5", ("studio",), True),
        ("studio.evil.example", "192.168.1.5", ("studio",), False),
        ("me@studio", "192.168.1.5", ("studio",), False),
        ("", "", (), False),
        ("x", "", (), False),
        ("localhost", "::1", (), True),
    ],
)
def test_names_of_a_server_that_others_reach(host: str, address: str, names: tuple[str, ...], ours: bool) -> None:
    assert is_ours(host, address, names) is ours


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "file://"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_origins_are_refused(served: Served, headers: dict[str, str]) -> None:
    for method, path, body in (("POST", "/jobs", request()), ("GET", "/events", None), ("GET", "/jobs", None)):
        answer = served.ask(method, path, body, headers)
        assert (answer.status, answer.json()["code"]) == (403, "wrong_host")
    assert served.ask("GET", "/jobs").json()["jobs"] == []


def test_own_pages_may_ask(served: Served) -> None:
    own = {"Origin": served.url, "Sec-Fetch-Site": "same-origin"}
    assert served.ask("POST", "/jobs", request(), own).status == 201


def test_two_hosts_are_refused(served: Served) -> None:
    answer = exchange(served, b"GET /api/v1/system HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    assert b" 400 " in answer.partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/v1/jobs?search=" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost",
        b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 9000,
        b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nNo colon here",
        b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n: no name",
        b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nX-Zero: a\0b",
        b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: x",
        b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1",
        b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2",
        b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 2",
        b"GET /api/v1/jobs HTTP/9.9\r\nHost: localhost",
        b"G\x01T / HTTP/1.1\r\nHost: localhost",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_http_is_told_so_like_every_error(served: Served, head: bytes) -> None:
    head, _, body = exchange(served, head + b"\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 400")
    assert b"X-Content-Type-Options: nosniff" in head
    assert json.loads(body)["code"] == "bad_request"
    assert served.ask("GET", "/system").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/xml; charset=nonsense"},
        {"Content-Type": ";;;"},
        {"Content-Type": ""},
        {"Content-Type": "multipart/form-data"},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "deflate"},
        {"Content-Encoding": "nonsense"},
        {"Range": "bytes=9-1"},
        {"If-None-Match": '"' * 100},
        {"Accept": "text/html", "Accept-Encoding": "a;q=x,,;"},
        {"Cookie": 'a="\\; nodegraph_session=; =; x' + "=" * 100},
        {"Sec-Fetch-Site": "nonsense"},
        {"Connection": "Upgrade", "Upgrade": "nonsense"},
    ],
)
def test_odd_headers_do_no_harm(served: Served, headers: dict[str, str]) -> None:
    for method, path, body in (("POST", "/jobs", request()), ("GET", "/jobs", None), ("GET", "/events", None)):
        answer = served.ask(method, path, body, headers)
        assert answer.status < 500
        assert answer.json(), path


def test_a_wrong_method_is_told_the_right_ones(served: Served) -> None:
    answer = served.ask("PATCH", "/jobs")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


def test_answers_forbid_what_browsers_might_do(served: Served) -> None:
    for path in ("/system", "/jobs/none", "/nowhere"):
        found = served.ask("GET", path).headers
        assert found["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in found["content-security-policy"]
        assert found["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in found


MALFORMED = [
    b"",
    b"{",
    b"nonsense",
    b'{"workflow": NaN}',
    b'{"workflow": {"a": 1e999}}',
    b'{"workflow": {"a": -1E+400}}',
    b'{"workflow": {"a": 1' + b"0" * 400 + b".5}}",
    b'{"workflow": {"a": 12345e0305}}',
    b'{"workflow": {"a": ' + b"9" * 299 + b"e10}}",
    b'{"workflow": {"a": -Infinity}}',
    b'"\\ud800"',
    b'{"workflow": "\xff"}',
    b"[" * 1_000_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"workflow": {"a": ' + b"9" * 5000 + b"}}",
    b"{} {}",
    b'{"workflow": {}, "workflow": {}}',
    b'{"workflow": {"nodes": {"a": 1, "a": 2}}}',
    b"\xef\xbb\xbf{}",
    '{"workflow": {}}'.encode("utf-16"),
    '{"workflow": {}}'.encode("utf-32-le"),
    b'{"workflow": {"\xc0\xaf": 1}}',
    b'{"workflow": "\xed\xa0\x80"}',
    b'{"workflow": {"a": 0x10}}',
    b"{'workflow': {}}",
    b'{"workflow": {},}',
    b'{"workflow": {"a": 01}}',
    b'{"workflow": {"a": "\x00"}}',
    b"workflow=x&inputs=y",
]


@pytest.mark.parametrize("content", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_json_is_refused(served: Served, content: bytes) -> None:
    for path in ("/jobs", "/batches", "/jobs/none/move", "/history/prune"):
        answer = served.ask("POST", path, content)
        assert (answer.status, answer.json()["code"]) == (400, "malformed_json"), path


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([], "the body"),
        (None, "the body"),
        ({}, "workflow"),
        ({"workflow": []}, "workflow"),
        ({"workflow": workflow(), "inputs": 3}, "inputs"),
        ({"workflow": workflow(), "priority": 1001}, "priority"),
        ({"workflow": workflow(), "time_limit": -1}, "time_limit"),
        ({"workflow": workflow(), "label": "x" * 201}, "label"),
        ({"workflow": workflow(), "client_key": ""}, "client_key"),
        ({"workflow": workflow(), "unknown": 1}, "unknown"),
        ({"workflow": workflow(), "priority": "1"}, "priority"),
        ({"workflow": workflow(), "priority": True}, "priority"),
        ({"workflow": workflow(), "use_cache": 1}, "use_cache"),
        ({"workflow": workflow(), "time_limit": False}, "time_limit"),
        ({"workflow": workflow(), "label": 5}, "label"),
    ],
)
def test_wrong_fields_are_named(served: Served, body: object, place: str) -> None:
    answer = served.ask("POST", "/jobs", json.dumps(body).encode())
    assert (answer.status, answer.json()["code"]) == (422, "wrong_request")
    assert place in [each["input"] for each in answer.json()["defects"]]


def test_values_nested_as_deeply_as_is_read_do_no_harm(served: Served) -> None:
    for depth in (50, 190, 198):
        nested: object = 1
        for _ in range(depth):
            nested = [nested]
        for body in (request(inputs={"value": nested}), {"workflow": {**workflow(), "layout": {"a": nested}}}):
            answer = served.ask("POST", "/jobs", body)
            assert answer.status in (201, 400, 422), answer.content


def exchange(served: Served, content: bytes, *, more: bytes = b"", times: int = 0) -> bytes:
    """What the server says to bytes on a connection, `more` of them many times; all of it may not be taken."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        try:
            connection.sendall(content)
            for _ in range(times):
                connection.sendall(more)
        except ConnectionError:
            pass
        answer = b""
        try:
            while b"\r\n\r\n" not in answer or (b'"}' not in answer and b"]}" not in answer):
                part = connection.recv(1 << 16)
                if not part:
                    break
                answer += part
        except ConnectionError:
            pass
        return answer


HEAD = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n"


def test_a_body_that_says_it_is_huge_is_refused_before_it_comes(served: Served) -> None:
    answer = exchange(served, HEAD + b"Content-Length: 1000000000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"code": "too_large"' in answer


def test_a_gigabyte_in_pieces_is_refused_early_and_takes_no_memory(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "LINGER_SECONDS", 0.0)
    piece = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    tracemalloc.start()
    try:
        answer = exchange(served, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", more=piece, times=1024)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")  # it may have been hung up on
    assert peak < 3 * http.MAX_BODY_BYTES
    assert served.ask("GET", "/system").status == 200


def test_a_body_one_byte_too_long(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps(request()).encode()
    monkeypatch.setattr(http.read_body, "__defaults__", (len(content),))
    assert served.ask("POST", "/jobs", content).status == 201
    answer = served.ask("POST", "/jobs", content + b" ")
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


def test_what_nobody_foresaw_is_told_without_its_traceback(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(served.table, "counts", fails)
    answer = served.ask("GET", "/system")
    assert (answer.status, answer.json()["code"]) == (500, "internal")
    assert b"secret" not in answer.content
    assert b"Traceback" not in answer.content
    monkeypatch.undo()
    assert served.ask("GET", "/system").status == 200


def test_a_full_disk_is_told_as_such(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/place")

    monkeypatch.setattr(served.table, "submit", full)
    answer = served.ask("POST", "/jobs", request())
    assert (answer.status, answer.json()["code"]) == (507, "no_space")
    assert b"secret" not in answer.content


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "no such name", "a" * 300, ""])
def test_an_address_that_this_machine_has_not(host: str) -> None:
    with pytest.raises(NoSuchAddress, match="--host"):
        listen(host, 0)


def test_a_port_in_use_is_named() -> None:
    with listen("localhost", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} of 127.0.0.1: another program listens there; give another"):
            listen("127.0.0.1", port)
