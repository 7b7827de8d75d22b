"""The token: who has it may ask, who guesses it may not for long."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nodegraph.client import Client, ServerRefused
from nodegraph.server import access as access_module
from nodegraph.server.access import Access
from nodegraph.server.app import ROUTES
from nodegraph.server.defects import TokenNeeded, TooManyAttempts, WrongToken
from nodegraph.server.listening import Address, listen
from nodegraph.server.place import Note, leave_note
from nodegraph.server.tokens import kept_token, made_token, token_of
from nodegraph.settings import Settings

from .conftest import Answered, Served
from .requests import request

TOKEN = "a token of 24 characters"


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guarded(server_settings: Settings, clock: Clock) -> Iterator[Served]:
    """A server that asks for a token."""
    served = Served(server_settings, Access(TOKEN, now=clock))
    yield served
    served.stop()


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def sign_in(served: Served) -> Answered:
    return served.ask("POST", "/session", {"token": TOKEN})


def cookie(answer: Answered) -> dict[str, str]:
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


@pytest.mark.parametrize(
    "path",
    [each.path.replace("{id}", "x").partition("{number")[0] for each in ROUTES if each.path != "/session"]
    + ["/nowhere", "/session/more", "/../v1/jobs", "//jobs"],
)
def test_nothing_is_told_without_the_token(guarded: Served, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        answer = guarded.ask(method, path)
        assert answer.status == 401
        assert answer.json()["code"] == "token_needed"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_programs_send_it_with_every_request(guarded: Served) -> None:
    assert guarded.ask("GET", "/system", headers=bearer()).json()["token_needed"] is True
    assert guarded.ask("POST", "/jobs", request(), bearer()).status == 201
    assert guarded.ask("GET", "/system", headers={"Authorization": f"bearer  {TOKEN} "}).status == 200


@pytest.mark.parametrize("header", [f"Basic {TOKEN}", TOKEN, "Bearer", "", "Bearer\t"])
def test_what_is_no_bearer_token_is_none(guarded: Served, header: str) -> None:
    answer = guarded.ask("GET", "/system", headers={"Authorization": header})
    assert (answer.status, answer.json()["code"]) in [(401, "token_needed"), (401, "wrong_token")]


@pytest.mark.parametrize("token", [TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "", "\xff" * 24, "ü" * 10])
def test_another_token_is_refused(guarded: Served, token: str) -> None:
    answer = guarded.ask("POST", "/session", {"token": token})
    assert (answer.status, answer.json()["code"]) == (401, "wrong_token")
    assert "set-cookie" not in answer.headers


def test_browsers_trade_it_for_a_cookie(guarded: Served) -> None:
    answer = sign_in(guarded)
    assert answer.status == 200
    said = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {each.strip() for each in said.split(";")}
    assert TOKEN not in said
    assert TOKEN not in answer.content.decode()
    assert guarded.ask("GET", "/jobs", headers=cookie(answer)).status == 200
    assert cookie(sign_in(guarded)) != cookie(answer)


def test_a_session_outlives_the_server_but_neither_its_time_nor_its_token(clock: Clock) -> None:
    value, until = Access(TOKEN, now=clock).new_session() or pytest.fail("there is a session")
    assert until.timestamp() == clock() + access_module.SESSION_SECONDS
    Access(TOKEN, now=clock).check("", "", value)
    with pytest.raises(TokenNeeded):
        Access("another token of some length", now=clock).check("", "", value)
    clock.time += access_module.SESSION_SECONDS + 1
    with pytest.raises(TokenNeeded):
        Access(TOKEN, now=clock).check("", "", value)


def test_a_session_cannot_be_made_up(clock: Clock) -> None:
    access = Access(TOKEN, now=clock)
    value, _ = access.new_session() or pytest.fail("there is a session")
    until, number, signature = value.split(".")
    for forged in (
        f"{int(until) + 1}.{number}.{signature}", f"{until}.{number}x.{signature}", f"{until}.{number}.", "..", ".", "x",
        f"{until}.{number}", signature, f"{until}.{number}.{signature}ü", "\udcff", value.upper(), f"{value}.{signature}",
    ):  # fmt: skip
        with pytest.raises(TokenNeeded):
            access.check("", "", forged)


def test_guessing_ends_after_a_few_tries(guarded: Served, clock: Clock) -> None:
    session = cookie(sign_in(guarded))
    for attempt in range(access_module.ATTEMPTS):
        if attempt % 2:
            assert guarded.ask("GET", "/system", headers=bearer(f"guess {attempt}")).status == 401
        else:
            assert guarded.ask("POST", "/session", {"token": f"guess {attempt}"}).status == 401
        clock.time += 1
    for token in ("another guess", TOKEN):  # so that nothing is learnt from the answer
        answer = guarded.ask("GET", "/system", headers=bearer(token))
        assert (answer.status, answer.json()["code"]) == (429, "too_many_attempts")
        assert answer.headers["retry-after"] == "50"
        assert guarded.ask("POST", "/session", {"token": token}).status == 429
    assert guarded.ask("GET", "/system", headers=session).status == 200
    clock.time += 50
    assert guarded.ask("GET", "/system", headers=bearer()).status == 200


def test_addresses_are_counted_apart_and_not_for_ever(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_module, "ADDRESSES", 3)
    access = Access(TOKEN, now=clock)

    def guess(address: str) -> type[Exception]:
        with pytest.raises((WrongToken, TooManyAttempts)) as raised:
            access.check_token(address, "guess")
        return raised.type

    for _ in range(access_module.ATTEMPTS):
        assert guess("192.0.2.1") is WrongToken
        assert guess("2001:db8::1") is WrongToken
    assert guess("192.0.2.1") is TooManyAttempts
    assert guess("::ffff:192.0.2.1") is TooManyAttempts
    assert guess("2001:db8::ffff:2") is TooManyAttempts
    assert guess("2001:db8:0:1::1") is WrongToken
    assert guess("nobody") is WrongToken
    assert len(access._attempts._times) == 3
    access.check_token("192.0.2.2", TOKEN)


def test_the_body_of_a_session_is_short(guarded: Served) -> None:
    assert guarded.ask("POST", "/session", b" " * 70_000).status == 413
    assert guarded.ask("POST", "/session", {"token": "x" * 1001}).status == 422
    assert guarded.ask("POST", "/session", {"token": None}).status == 422
    assert TOKEN not in guarded.ask("POST", "/session", {"token": [TOKEN]}).content.decode()


def test_pages_of_others_gain_nothing_from_a_session(guarded: Served) -> None:
    session = cookie(sign_in(guarded))
    answer = guarded.ask("GET", "/jobs", headers={**session, "Origin": "http://evil.example"})
    assert (answer.status, answer.json()["code"]) == (403, "wrong_host")


def test_the_stream_of_events_asks_for_it_too(guarded: Served) -> None:
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert guarded.ask("GET", "/events", headers=upgrade).status == 401
    with Client(guarded.url, token=TOKEN) as client:
        client.submit(request()["workflow"])
        assert next(client.events(after=0)).kind == "queued"


def test_clients_find_the_token(guarded: Served, server_settings: Settings) -> None:
    configured = server_settings.model_copy(update={"token": Settings(token=TOKEN).token})
    for client in (Client(guarded.url, token=TOKEN), Client(guarded.url, settings=configured)):
        with client:
            assert client.system().token_needed
    with Client(guarded.url, settings=server_settings) as client, pytest.raises(ServerRefused) as refused:
        client.system()
    assert (refused.value.status, refused.value.code) == (401, "token_needed")


def test_a_token_that_was_made_is_sent_to_its_server_alone(server_settings: Settings) -> None:
    token = made_token(server_settings.state)
    served = Served(server_settings, Access(token))
    try:
        with leave_note(server_settings.state, Note(url=served.url, pid=1, output=Path())):
            with Client(settings=server_settings) as client:
                assert client.system().token_needed
            with Client(served.url, settings=server_settings) as client, pytest.raises(ServerRefused):
                client.system()
    finally:
        served.stop()


def test_where_no_token_is_asked_for_nothing_is_to_be_done(served: Served) -> None:
    assert served.ask("GET", "/system").json()["token_needed"] is False
    answer = served.ask("POST", "/session", {"token": "anything"})
    assert (answer.status, answer.json(), "set-cookie" in answer.headers) == (200, {"until": None}, False)
    assert served.ask("GET", "/system", headers=bearer("anything")).status == 200


def test_a_made_token_is_kept_for_its_owner(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert kept_token(state) is None
    token = made_token(state)
    assert len(token) >= 40
    assert made_token(state) == token == kept_token(state)
    assert [each.name for each in state.iterdir()] == ["token"]
    assert (state / "token").stat().st_mode & 0o777 == 0o600
    (state / "token").chmod(0o644)
    made_token(state)
    assert (state / "token").stat().st_mode & 0o777 == 0o600
    for useless in (b"", b"short", b"\xff" * 40):
        (state / "token").write_bytes(useless)
        assert kept_token(state) is None
    assert made_token(state) not in (token, "")


def test_a_configured_token_comes_first(tmp_path: Path) -> None:
    made = made_token(tmp_path)
    assert token_of(Settings(state=tmp_path)) == made
    assert token_of(Settings(state=tmp_path, token=TOKEN)) == TOKEN


def test_settings_do_not_show_the_token() -> None:
    found = Settings(token=TOKEN)
    for shown in (repr(found), str(found), found.model_dump_json(), json.dumps(found.model_dump(mode="json"))):
        assert TOKEN not in shown


Listen = Callable[[str], socket.socket]


def test_an_address_of_this_machine_only() -> None:
    with listen("127.0.0.1", 0) as listening:
        found = Address.of(listening, "127.0.0.1", ["Studio.local."])
    assert (found.is_local, found.names, found.url) == (True, {"studio.local"}, found.here)


def test_every_address_of_this_machine() -> None:
    with listen("0.0.0.0", 0) as listening:
        found = Address.of(listening, "0.0.0.0", [])
        port = listening.getsockname()[1]
    assert (found.is_local, found.here) == (False, f"http://127.0.0.1:{port}")
    assert socket.gethostname().lower() in found.names
    assert "0.0.0.0" not in found.url
    assert found.with_link("secret").link == f"{found.url}/#token=secret"
