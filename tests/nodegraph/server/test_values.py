"""Looking into results over HTTP: what the workers say, told so that browsers keep it, and without this machine's folders."""

from __future__ import annotations

import asyncio

import pytest

from nodegraph.client import ServerRefused
from nodegraph.jobs.looks import Looks, WorkerLost
from nodegraph.jobs.messages import Look, Looked
from nodegraph.ports.glimpse import Glimpse

from .conftest import Served

KEY = "ab" * 32


class Eye:
    """A worker as the server sees it. It answers as it is told, or never."""

    awake = True

    def __init__(self, **answer: object) -> None:
        self.answer, self.asked = answer, []  # type: ignore[var-annotated]

    async def look(self, wanted: Look) -> Looked:
        self.asked.append(wanted)
        if self.answer.get("lost"):
            raise WorkerLost("it was lost")
        if self.answer.get("never"):
            await asyncio.Event().wait()
        return Looked(ticket=wanted.ticket, **self.answer)  # type: ignore[arg-type]


def seen_by(served: Served, *eyes: Eye) -> None:
    served.nobody.looks = Looks(eyes)


def test_a_value_is_told_and_need_not_be_sent_again(served: Served) -> None:
    path = str(served.settings.output / "a.png")
    eye = Eye(glimpses={"image": Glimpse(type="Path", text=path, value=[path], numbers={"n": 1})})
    seen_by(served, eye)
    answer = served.ask("GET", f"/values/{KEY}")
    assert answer.status == 200
    assert answer.json()["outputs"]["image"]["value"] == ["output/a.png"]
    assert str(served.settings.output) not in answer.content.decode()
    again = served.ask("GET", f"/values/{KEY}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, len(eye.asked)) == (304, 1)
    with served.client() as client:
        assert client.value(KEY).outputs["image"].numbers == {"n": 1}


def test_a_picture_is_given_in_the_size_that_is_asked_for(served: Served) -> None:
    eye = Eye(type="image/webp", picture=b"RIFF")
    seen_by(served, eye)
    answer = served.ask("GET", f"/values/{KEY}/image/picture?item=2&size=128")
    assert (answer.status, answer.content, answer.headers["content-type"]) == (200, b"RIFF", "image/webp")
    assert "immutable" in answer.headers["cache-control"]
    assert (eye.asked[0].key, eye.asked[0].output, eye.asked[0].item, eye.asked[0].size) == (KEY, "image", 2, 128)
    tags = {served.ask("GET", f"/values/{KEY}/image/picture{query}").headers["etag"] for query in ("", "?item=1")}
    assert len({*tags, answer.headers["etag"]}) == 3
    headers = {"If-None-Match": answer.headers["etag"]}
    assert served.ask("GET", f"/values/{KEY}/image/picture?item=2&size=128", headers=headers).status == 304
    with served.client() as client:
        assert client.picture(KEY, "image", 1, 64) == b"RIFF"


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ({"state": "gone"}, 404, "value_gone"),
        ({"state": "no picture"}, 404, "no_picture"),
        ({"state": "failed", "reason": "on purpose"}, 500, "look_failed"),
        ({"lost": True}, 503, "worker_lost"),
        ({"never": True}, 504, "look_timed_out"),
    ],
)
def test_what_goes_wrong_is_told(
    served: Served, monkeypatch: pytest.MonkeyPatch, answer: dict[str, object], status: int, code: str
) -> None:
    monkeypatch.setattr("nodegraph.jobs.looks.LONGEST", 0.1)
    seen_by(served, Eye(**answer))
    found = served.ask("GET", f"/values/{KEY}/image/picture")
    assert (found.status, found.json()["code"]) == (status, code)
    with served.client() as client, pytest.raises(ServerRefused) as refused:
        client.value(KEY)
    assert refused.value.code == code


def test_all_workers_are_asked_until_one_has_it(served: Served) -> None:
    eyes = [Eye(state="gone"), Eye(glimpses={"n": Glimpse(type="int", text="1")}), Eye(state="gone")]
    seen_by(served, *eyes)
    assert served.ask("GET", f"/values/{KEY}").status == 200
    assert [len(each.asked) for each in eyes] == [1, 1, 0]


@pytest.mark.parametrize("path", ["/values/abc", f"/values/{'AB' * 32}", "/values/..%2f..", f"/values/{'a' * 65}"])
def test_what_is_no_key_is_no_path(served: Served, path: str) -> None:
    assert served.ask("GET", path).status == 404


@pytest.mark.parametrize("query", ["item=-1", "size=1", "size=100000", "item=x", "sise=3"])
def test_a_wrong_query_is_refused(served: Served, query: str) -> None:
    assert served.ask("GET", f"/values/{KEY}/image/picture?{query}").status == 422
