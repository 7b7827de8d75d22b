"""`nodegraph run`: options from declared inputs, what is printed, and what it ends with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodegraph import Workflow
from nodegraph.cli.common import ExitCode, parse_text
from nodegraph.ports.annotations import port_type
from nodegraph.workflow.model import WorkflowInput

from ..flows import flow, graph, link
from .conftest import Cli

Save = Callable[[Workflow], str]


def declared(**inputs: Any) -> dict[str, Any]:
    return {name: {"to": [to]} if isinstance(to, str) else to for name, to in inputs.items()}


def everything() -> Workflow:
    """A workflow with a declared input of every kind."""
    return flow(
        {
            "j": ("join", {"texts": ["a", "b"], "separator": "-"}),
            "s": ("scaled", {"value": 1.5, "times": 3}),
            "e": ("either", {"a": 1, "b": 2}),
            "r": ("rounded", {"number": link("n.number")}),
            "n": ("number", {"value": 2.5}),
        },
        {"text": "j.text", "scaled": "s.value", "either": "e.result", "rounded": "r.value"},
        declared(
            separator={"to": ["j.separator"], "title": "What lies between"},
            last="j.last",
            value={"to": ["s.value"], "help": "The number."},
            times="s.times",
            mode="s.mode",
            take_a="e.take_a",
            how="r.how",
            texts="j.texts",
            start="n.value",
        ),
    )


def test_outputs_are_printed_by_name(cli: Cli, save: Save) -> None:
    answer = cli("run", save(everything()))
    assert answer.code == ExitCode.DONE
    assert answer.out == "text: a-b\nscaled: 4.5\neither: 1\nrounded: 2\n"
    assert "5 nodes to run, 0 results at hand" in answer.err


def test_declared_inputs_are_options(cli: Cli, save: Save) -> None:
    given_options = ["--separator", "+", "--last", "c", "--value", "2", "--times", "4", "--mode", "negated"]
    more = ["--no-take-a", "--how", "up", "--texts", '["x"]', "--start", "1.1"]
    answer = cli("run", save(everything()), *given_options, *more)
    assert answer.out == "text: x+c\nscaled: -8.0\neither: 2\nrounded: 2\n"


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["--separator", "1"], "text: a1b"),
        (["--separator", "null"], "text: anullb"),
        (["--last", "true"], "text: a-b-true"),
        (["--separator="], "text: ab"),
        (["--separator", "--take-a"], "text: a--take-ab"),
        (["--start=-5"], "rounded: -5"),
        (["--texts", "[]"], "text: \n"),
    ],
)
def test_texts_stay_texts(cli: Cli, save: Save, arguments: list[str], out: str) -> None:
    assert out in cli("run", save(everything()), *arguments).out


def test_help_tells_types_defaults_and_what_for(cli: Cli, save: Save) -> None:
    answer = cli("run", save(everything()), "--help")
    assert answer.code == ExitCode.DONE
    lines = {
        line.split()[0]: " ".join(line.split()) for line in answer.out.splitlines() if line.strip().startswith("-")
    }
    assert lines["--separator"] == "--separator TEXT What lies between (str; default: '-')"
    assert lines["--value"] == "--value NUMBER The number. (float; default: 1.5)"
    assert lines["--times"].startswith("--times INT")
    assert "--mode CHOICE" in lines["--mode"]
    assert "one of 'plain', 'negated'; default: 'plain'" in lines["--mode"]
    assert "--no-take-a" in answer.out
    for option in ("--set", "--up-to", "--output", "--device", "--precision", "--no-cache", "--json"):
        assert option in answer.out


def looping() -> Workflow:
    """A workflow whose declared inputs go to nodes that run a graph."""
    double = graph(
        {"n": ("scaled", {"value": 1.5, "times": 2})}, {"x": "n.value"}, {"x": {"to": ["n.value"], "help": "H."}}
    )
    run = {"graph": "double"}
    return flow(
        {
            "one": ("graph", {}, run),
            "many": ("for_each", {}, {**run, "each": ["x"]}),
            "grown": ("repeat", {"times": 1}, {**run, "carry": ["x"]}),
        },
        {"one": "one.x", "many": "many.x", "grown": "grown.x"},
        declared(one="one.x", many="many.x", rounds="grown.times"),
        graphs={"double": double},
    )


def test_declared_inputs_of_graphs_and_loops_are_options(cli: Cli, save: Save) -> None:
    lines = [" ".join(line.split()) for line in cli("run", save(looping()), "--help").out.splitlines()]
    assert "--one NUMBER H. (float; default: 1.5)" in lines
    assert "--many TEXT H. (list[float]; required)" in lines
    answer = cli("run", "flow.json", "--many", "[1, 2.5]", "--rounds", "2", "--set", "grown.x=4")
    assert answer.out == "one: 3.0\nmany: 2.0, 5.0\ngrown: 16.0\n"
    assert cli("run", "flow.json", "--many", "1").code == ExitCode.INVALID
    assert "many.x: it needs list[float]" in cli("run", "flow.json").err


def test_help_says_what_is_required(cli: Cli, save: Save) -> None:
    workflow = flow({"s": ("scaled", {})}, inputs=declared(factor="s.value"))
    assert "(float; required)" in cli("run", save(workflow), "--help").out
    answer = cli("run", "flow.json")
    assert answer.code == ExitCode.INVALID
    assert "s.value: it needs float" in answer.err
    assert cli("run", "flow.json", "--factor", 2).code == ExitCode.DONE


def test_an_input_named_like_an_option_is_still_there(cli: Cli, save: Save) -> None:
    names = ["output", "json", "set", "help", "up_to", "no_cache"]
    workflow = flow(
        {f"n{name}": ("number", {}) for name in names}, inputs=declared(**{n: f"n{n}.value" for n in names})
    )
    answer = cli("run", save(workflow), *(f"--input-{name.replace('_', '-')}=5" for name in names), "--json")
    assert answer.code == ExitCode.DONE
    assert answer.json()["status"] == "done"


def test_set_writes_any_input(cli: Cli, save: Save) -> None:
    workflow = flow({"s": ("scaled", {"value": 1}), "j": ("join", {"texts": []})}, {"r": "s.value", "t": "j.text"})
    answer = cli(
        "run", save(workflow), "--set", "s.value=3", "--set", "s.mode=negated", "--set", 'j.texts=["a=b", "c"]'
    )
    assert answer.out == "r: -3.0\nt: a=b, c\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s", "is not node.input=value"),
        ("s.value", "is not node.input=value"),
        ("value=3", "is not node.input=value"),
        ("=", "is not node.input=value"),
        (".=1", "there is no node ''"),
        ("scale.value=3", "there is no node 'scale'; did you mean 'scaler'?"),
    ],
)
def test_a_set_that_names_no_input_is_a_usage_error(cli: Cli, save: Save, text: str, words: str) -> None:
    answer = cli("run", save(flow({"scaler": ("scaled", {"value": 1})})), "--set", text)
    assert answer.code == ExitCode.USAGE
    assert "--set" in answer.err
    assert words in answer.err


def test_a_set_of_an_unknown_input_names_those_like_it(cli: Cli, save: Save) -> None:
    answer = cli("run", save(flow({"s": ("scaled", {"value": 1})})), "--set", "s.tims=3")
    assert answer.code == ExitCode.INVALID
    assert "'scaled' has no such input; did you mean 'times'?" in answer.err


def test_an_unknown_option_names_those_like_it(cli: Cli, save: Save) -> None:
    answer = cli("run", save(everything()), "--seperator", "x")
    assert answer.code == ExitCode.USAGE
    assert "No such option" in answer.err
    assert "--separator" in answer.err


@pytest.mark.parametrize("arguments", [["extra"], ["--separator"], ["--device", "gpu"], ["--take-a=maybe"], ["-x"]])
def test_options_used_wrongly(cli: Cli, save: Save, arguments: list[str]) -> None:
    assert cli("run", save(everything()), *arguments).code == ExitCode.USAGE


def test_json_is_one_document(cli: Cli, save: Save) -> None:
    nodes = {"n": ("number", {"value": 2}), "sp": ("split", {"number": link("n.number")}), "m": ("machine", {})}
    answer = cli("run", save(flow(nodes, {"whole": "sp.whole", "number": "n.number", "m": "m.machine"})), "--json")
    found = answer.json()
    assert found.pop("seconds") >= 0
    assert found == {
        "status": "done",
        "outputs": {"whole": 2, "number": "<Number>", "m": "<Machine>"},
        "ran": ["n", "m", "sp"],
        "cached": [],
    }
    assert answer.err == ""
    assert set(cli("run", "flow.json", "--json").json()["cached"]) == {"n", "sp"}


@pytest.mark.parametrize(
    ("nodes", "code", "status"),
    [
        ({"n": ("numbr", {})}, ExitCode.INVALID, "invalid"),
        ({"n": ("number", {}), "f": ("fails", {"number": link("n.number")})}, ExitCode.FAILED, "failed"),
        ({"n": ("read_text", {"file": "gone"})}, ExitCode.INVALID, "invalid"),
    ],
)
def test_errors_are_json_too(cli: Cli, save: Save, nodes: Any, code: ExitCode, status: str) -> None:
    answer = cli("run", save(flow(nodes)), "--json")
    assert answer.code == code
    found = answer.json()
    assert found["status"] == status
    assert bool(found["defects"]) == (status == "invalid")
    assert found["error"]


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "[NaN]",
        "1" + "0" * 400,
        "\ud800",
        "9" * 5000,
        "[" * 500 + "]" * 500,
        "[" * 90_000,
    ],
)
@pytest.mark.parametrize("place", ["f.items", "s.value", "s.times", "j.separator", "b.box"])
def test_values_that_json_does_not_know_are_refused_in_json(cli: Cli, save: Save, place: str, value: str) -> None:
    nodes = {
        "s": ("scaled", {"value": 1}),
        "j": ("join", {"texts": ["a", "b"]}),
        "f": ("first", {"items": [1]}),
        "b": ("area", {"box": {"value": {"width": 1}}}),
    }
    answer = cli("run", save(flow(nodes)), "--json", "--set", f"{place}={value}")
    if place == "j.separator" and value != "\ud800":
        assert answer.code == ExitCode.DONE
    elif (place, value) == ("s.times", "1" + "0" * 400):
        assert answer.json()["error"].startswith("node 's' (scaled) failed: OverflowError")
    else:
        assert answer.code == ExitCode.INVALID
        assert [each["node"] for each in answer.json()["defects"]] == [place[0]]


def test_the_output_folder(cli: Cli, save: Save, tmp_path: Path) -> None:
    nodes = {"n": ("number", {"value": 2}), "w": ("write_number", {"number": link("n.number")})}
    name = save(flow(nodes, {"file": "w.file"}))
    assert Path(cli("run", name).out.removeprefix("file: ").strip()).parent == Path("output")
    answer = cli("run", name, "--output", tmp_path / "there")
    [file] = (tmp_path / "there").iterdir()
    assert answer.out == f"file: {file}\n"
    assert file.read_text() == "2.0"
    assert [each.name for each in Path("output").iterdir()] == [file.name]


def test_an_output_folder_that_cannot_be_written_fails_the_node(cli: Cli, save: Save, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    nodes = {"n": ("number", {"value": 2}), "w": ("write_number", {"number": link("n.number")})}
    answer = cli("run", save(flow(nodes)), "--output", tmp_path / "file")
    assert answer.code == ExitCode.FAILED
    assert "node 'w' (write_number) failed: " in answer.err
    assert "the results of the 1 finished nodes are kept" in answer.err


def test_a_cache_that_cannot_be_used_does_not_stop_a_run(cli: Cli, save: Save, tmp_path: Path) -> None:
    (tmp_path / "cache" / "results").write_text("a file where a folder should be")
    (tmp_path / "cache" / "digests.sqlite").mkdir()
    assert cli("run", save(flow({"n": ("number", {})}, {"r": "n.number"}))).code == ExitCode.DONE


def test_no_cache_neither_reads_nor_writes(cli: Cli, save: Save) -> None:
    name = save(flow({"n": ("number", {})}, {"r": "n.number"}))
    for _ in range(2):
        assert cli("run", name, "--no-cache", "--json").json()["ran"] == ["n"]
    assert cli("run", name, "--json").json()["ran"] == ["n"]
    assert cli("run", name, "--json").json()["ran"] == []


def test_running_up_to_a_node(cli: Cli, save: Save) -> None:
    nodes = {"n": ("number", {}), "f": ("fails", {"number": link("n.number")})}
    assert cli("run", save(flow(nodes, {"r": "f.number"})), "--up-to", "n").code == ExitCode.DONE
    answer = cli("run", "flow.json", "--up-to", "nn")
    assert answer.code == ExitCode.INVALID
    assert "there is no node 'nn' to run up to" in answer.err


def test_a_failure_names_the_node_and_what_is_kept(cli: Cli, save: Save) -> None:
    nodes = {"n": ("number", {"value": 7}), "bad": ("refuses", {"number": link("n.number")})}
    answer = cli("run", save(flow(nodes)))
    assert answer.code == ExitCode.FAILED
    assert "node 'bad' (refuses) failed: number = 7.0: it is odd; give an even one" in answer.err
    assert "the results of the 1 finished nodes are kept" in answer.err
    assert answer.out == ""


def test_a_node_that_exits_does_not_decide_the_exit_code(cli: Cli, save: Save) -> None:
    nodes = {"n": ("number", {}), "bad": ("leaves", {"number": link("n.number")})}
    assert cli("run", save(flow(nodes))).code == ExitCode.FAILED


def test_standard_input(cli: Cli) -> None:
    text = everything().to_json()
    answer = cli("run", "-", "--times", "2", stdin=text)
    assert answer.out.splitlines()[1] == "scaled: 3.0"
    assert "--separator TEXT" in cli("run", "-", "--help", stdin=text).out
    answer = cli("run", "-", stdin=b"\xff{")
    assert (answer.code, answer.out) == (ExitCode.UNREADABLE, "")
    assert answer.err.startswith("nodegraph: standard input: it is no valid JSON: ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "missing.json: cannot be read: No such file or directory"),
        ("", "it is no valid JSON"),
        ("[]", "a workflow is a JSON object, this is list"),
        ('{"format": "nodegraph/9"}', "the format 'nodegraph/9' is not known here"),
        ('{"format": "nodegraph/1", "nodes": 5}', "it is no nodegraph/1 workflow"),
        ("[" * 100_000, "nested too deeply"),
        (
            '{"format": "nodegraph/1", "nodes": {"a": {"type": "first", "inputs": {"items": '
            + "[" * 400
            + "]" * 400
            + "}}}}",
            "",
        ),
    ],
)
def test_unreadable_files(cli: Cli, content: str | None, words: str) -> None:
    if content is not None:
        Path("missing.json").write_text(content, "utf-8")
    for command in ("run", "validate"):
        answer = cli(command, "missing.json")
        assert answer.code == ExitCode.UNREADABLE
        assert "missing.json" in answer.err
        assert words in answer.err
        assert cli(command, "missing.json", "--json").json()["status"] == "unreadable"


@pytest.mark.parametrize("name", ["", ".", "a\0b", "x" * 5000, "\udcff", "~"])
def test_names_that_are_no_files(cli: Cli, name: str) -> None:
    assert cli("run", name).code == ExitCode.UNREADABLE
    assert cli("validate", name).code == ExitCode.UNREADABLE


def test_wrong_settings_are_a_usage_error(cli: Cli, save: Save) -> None:
    Path("nodegraph.toml").write_text("thraeds = 2")
    name = save(everything())
    for arguments in (["run", name], ["validate", name], ["nodes"], ["models"], ["cache", "info"], ["cache", "clear"]):
        answer = cli(*arguments)
        assert answer.code == ExitCode.USAGE
        assert "thraeds" in answer.err


def test_a_pack_that_fails_is_a_warning(cli: Cli, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "bad.py").write_text("raise RuntimeError('no')")
    monkeypatch.setenv("NODEGRAPH_PLUGINS", str(tmp_path / "plugins"))
    answer = cli("run", save(Workflow()))
    assert answer.code == ExitCode.DONE
    assert "nodegraph: warning: the node pack 'bad' cannot be used: importing" in answer.err
    assert cli("run", "flow.json", "--json").json()["status"] == "done"


def test_a_file_from_anywhere_is_imported(cli: Cli, save: Save, tmp_path: Path) -> None:
    workflow = flow({"t": ("read_text", {"file": "a.txt"})}, {"text": "t.text"}, declared(file="t.file"))
    folder = tmp_path / "models" / "note"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("a", "utf-8")
    (folder / "b.txt").write_text("b", "utf-8")
    assert cli("run", save(workflow)).out == "text: a\n"
    assert cli("run", "flow.json", "--file", "b.txt").out == "text: b\n"
    assert cli("run", "flow.json", "--file", folder / "b.txt").out == "text: b\n"
    assert cli("run", "flow.json", "--file", "../a.txt").code == ExitCode.INVALID
    assert "did you mean 'a.txt'" in cli("run", "flow.json", "--file", "aa.txt").err
    (tmp_path / "elsewhere.txt").write_text("secret", "utf-8")
    answer = cli("run", "flow.json", "--file", tmp_path / "elsewhere.txt")
    assert answer.code == ExitCode.UNREADABLE
    assert "lies in none of the note folders" in answer.err
    assert cli("run", "flow.json", "--file", "x" * 5000).code == ExitCode.INVALID


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--help"]])
def test_without_a_workflow_the_help_is_shown(cli: Cli, arguments: list[str]) -> None:
    answer = cli("run", *arguments)
    assert "nodegraph run FLOW.json [OPTIONS]" in answer.out
    assert answer.code == (ExitCode.DONE if arguments == ["--help"] else ExitCode.USAGE)


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "5", 5),
        (int, "5.0", 5.0),
        (int, "x", "x"),
        (float, "5", 5),
        (float, "1e3", 1000.0),
        (bool, "true", True),
        (bool, "True", "True"),
        (str, "5", "5"),
        (str, '"x"', '"x"'),
        (str | None, "null", None),
        (str | None, "x", "x"),
        (int | str, "5", 5),
        (list[int], "[1, 2]", [1, 2]),
        (list[str], "a", "a"),
        (dict[str, int], '{"a": 1}', {"a": 1}),
    ],
)
def test_what_a_text_means_depends_on_the_port(annotation: Any, text: str, value: Any) -> None:
    found = parse_text(port_type(annotation), text)
    assert (found, type(found)) == (value, type(value))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(
            ["--json", "--set", "s.value", "=", "--times", "-", "--", "5", "[", "--help", "--no-cache", "--up-to"]
        )
        | st.text(alphabet=st.characters(codec="utf-8"), max_size=3),
        max_size=5,
    )
)
def test_no_arguments_end_in_a_traceback(cli: Cli, arguments: list[str]) -> None:
    workflow = flow({"s": ("scaled", {"value": 1})}, {"r": "s.value"}, {"times": {"to": ["s.times"]}})
    workflow.save(Path("flow.json"))
    assert cli("run", "flow.json", *arguments).code in set(ExitCode)


def test_the_inputs_of_a_workflow_may_have_any_name(cli: Cli, save: Save) -> None:
    names = ["a b", "", "-", "--x", "é", "a/b", "=", "0", "input_0", "x\ny"]
    inputs = {name: WorkflowInput(to=["s.value"]) for name in names}
    workflow = flow({"s": ("scaled", {"value": 1})}, {"r": "s.value"}).model_copy(update={"inputs": inputs})
    assert cli("run", save(workflow)).code in (ExitCode.DONE, ExitCode.INVALID)
    assert json.loads(Path("flow.json").read_text())["inputs"].keys() == set(names)
