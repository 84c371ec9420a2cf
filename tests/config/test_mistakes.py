"""What people type who do not know the command yet, and the answer to each."""

import logging
import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mnist_exp.__main__ import main
from mnist_exp.config import lookup
from mnist_exp.config.command_line import read, repaired
from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.config.groups import group_names
from mnist_exp.config.meanings import all_settings
from mnist_exp.config.mistakes import USER_ERRORS, explain
from mnist_exp.config.tree import compose
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.unreadable import is_readable
from tests.config.mistakes import MISTAKES

# Words of the parsers of Hydra and argparse, and of Python's types.
PARSERS_WORDS = re.compile(
    r"_(OPEN|CLOSE|CHAR|VALUE)\b|\b(EQUAL|POPEN|PCLOSE|COLON|COMMA|ESC|WS|INTERPOLATION|FLOAT|INT)\b"
    r"|<EOF>|viable|mismatched|extraneous|token recognition|Exception|DictConfig|ListConfig"
    r"|Traceback|when parsing index|hydra\.cc|NoneType|type str|To append"
)


@pytest.mark.first_cases(10)
@pytest.mark.parametrize(("typed", "first_line"), MISTAKES, ids=[typed for typed, _ in MISTAKES])
def test_a_mistake_gets_the_argument_that_was_meant(
    typed: str,
    first_line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # the command sets it
    monkeypatch.setattr(sys, "argv", ["mnist_exp", *shlex.split(typed)])
    monkeypatch.setattr("mnist_exp.__main__._started", [])  # by tests before
    # Hydra closes all handlers, among them absl's, which closes the stream that pytest captures.
    monkeypatch.setattr(logging, "_handlerList", [])
    monkeypatch.delitem(sys.modules, "mnist_exp.sweeper.run", raising=False)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SystemExit) as ended:
        main()
    answer = str(ended.value.code)
    assert answer.startswith(f"mnist_exp: {first_line}")
    assert len(answer.splitlines()) <= 2
    assert not PARSERS_WORDS.search(answer)
    assert capsys.readouterr().out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def suggestions(answer: str) -> list[str]:
    """Return the overrides of `did you mean ...?`, as a shell passes them on."""
    found = re.search(r"did you mean ([^?]+?)(?:, (?:with|in )[^?]*)?\?", answer)
    ways = found[1].split(" or ")[0] if found else ""
    return [text for text in shlex.split(ways) if text != "-m"]


@pytest.mark.first_cases(12)
@pytest.mark.parametrize("typed", [typed for typed, line in MISTAKES if "did you mean" in line])
def test_what_is_suggested_works(typed: str) -> None:
    with pytest.raises(USER_ERRORS) as caught:
        flags, _ = read(shlex.split(typed))
        compose(flags.overrides)
    meant = suggestions(explain(caught.value, shlex.split(typed)))
    right = [
        text for text in shlex.split(typed) if text.startswith(("experiment=n", "optimizer=r"))
    ]
    if not any("hydra" in text or "VALUE" in text or text.startswith("--") for text in meant):
        compose([*right, *meant])


def test_each_usual_name_means_a_setting_or_a_group() -> None:
    keys = {one.key for one in all_settings()} | set(group_names()) | {"hydra.run.dir"}
    assert set(lookup._USUAL) <= keys
    names = [name for names in lookup._USUAL.values() for name in names.split()]
    assert len(names) == len(set(names))
    assert set(SCHEMAS) <= set(lookup._USUAL)


def slips(name: str) -> set[str]:
    """Return the name with two neighbours swapped, one letter dropped, or one doubled."""
    places = range(len(name))
    swapped = {name[:i] + name[i + 1 : i + 2] + name[i] + name[i + 2 :] for i in places}
    dropped = {name[:i] + name[i + 1 :] for i in places}
    doubled = {name[:i] + name[i] + name[i:] for i in places}
    return (swapped | dropped | doubled) - {name}


def test_each_name_is_found_with_one_slip_of_a_finger() -> None:
    """Except a slip of less than four letters, or one that is a name itself: `mode` of `model`."""
    keys = {one.key for one in all_settings()}
    names = {*group_names(), *(key.rpartition(".")[2] for key in keys)}
    known = {*names, *lookup._usual(), *lookup._OTHER_NAMES, *lookup._KEEP}
    within = {name for name in keys if name.partition(".")[0] in group_names()}
    asked = 0
    for name in sorted(names | within):
        before, dot, last = name.rpartition(".")
        meant = [key for key in lookup.meant_keys(name) if key.rpartition(".")[2] == last]
        for slip in slips(last):
            if len(slip) >= 4 and not {slip, slip.replace("_", "")} & known:
                assert set(meant) <= set(lookup.meant_keys(f"{before}{dot}{slip}")), (name, slip)
                asked += len(meant)
    assert asked > 1000


pieces = st.one_of(
    st.sampled_from([*"=,:;#()[]{}'\"\\$~+@ .-", "choice(", "interval(", "range(", "seed", "lr"]),
    st.sampled_from(
        [
            "model",
            "optimizer.lr",
            "1",
            "0,1",
            "null",
            "${",
            "tag(log,",
            "“",
            "”",
            "\N{FULLWIDTH EQUALS SIGN}",
        ]
    ),
    st.text(max_size=4),
)
texts = st.lists(pieces, min_size=1, max_size=6).map("".join)


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(texts, texts)
@example("model={16,", "32}")
@example("seed=1,", "=")
def test_no_word_of_a_parser_reaches_a_person(first: str, second: str) -> None:
    """On the command line, in Python, and in the search space of a sweep."""
    typed = [first, f"seed={second}"]
    for ask in (
        lambda: read(typed),
        lambda: compose(typed),
        lambda: SearchSpace.parse(typed),
        lambda: SearchSpace.parse([f"hydra.sweeper.params.seed={second}"]),
    ):
        try:
            ask()
        except USER_ERRORS as error:
            answer = explain(error, typed)
            assert 0 < len(answer.splitlines()) <= 2
            own = answer.replace(first, "").replace(second, "")
            assert not PARSERS_WORDS.search(own), answer


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(texts, st.lists(texts, max_size=2), st.lists(texts, max_size=2))
def test_what_is_repaired_can_be_read(text: str, before: list[str], after: list[str]) -> None:
    if meant := repaired(text, [*before, text, *after]):
        assert all(map(is_readable, suggestions(meant)))


@pytest.mark.parametrize(
    ("text", "whole", "number"),
    [
        ("10k", True, "10000"),
        ("1M", True, "1000000"),
        ("1.5k", True, "1500"),
        ("1,000", True, "1000"),
        ("1,5", True, None),
        ("12_000", True, "12000"),
        ("1e3", True, "1000"),
        ("3 epochs", True, "3"),
        ("\N{FULLWIDTH DIGIT THREE}", True, "3"),
        ("0.5", True, None),
        ("0,1", False, "0.1"),
        ("50%", False, "0.5"),
        ("1,2,3", False, None),
        ("abc", False, None),
        ("", False, None),
        ("1e999", False, None),
    ],
)
def test_a_number_with_a_unit_or_a_comma(text: str, whole: bool, number: str | None) -> None:
    assert lookup.number_meant(text, whole=whole) == number


@pytest.mark.skipif(
    find_spec("hydra_plugins.hydra_submitit_launcher") is not None, reason="it is installed"
)
def test_a_launcher_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # the command sets it
    monkeypatch.setattr(sys, "argv", ["mnist_exp", "-m", "hydra/launcher=submitit_slurm"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == (
        "mnist_exp: hydra/launcher=submitit_slurm: not installed; it comes with this project's "
        "extra `slurm`"
    )


def test_options_of_an_own_folder_are_near_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "wide.yaml").write_text("defaults: [cnn3x3]\nfilters: [64]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # the command sets it
    monkeypatch.setattr(sys, "argv", ["mnist_exp", "--config-dir", "mine", "model=wdie"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == (
        "mnist_exp: model=wdie: no such option; did you mean model=wide?\n"
        "Options: cnn3x3, cnn5x5, mlp, own, softmax, wide"
    )
