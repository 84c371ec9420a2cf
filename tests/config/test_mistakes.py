"""What people type who do not know the command yet, and the answer to each."""

import logging
import re
import shlex
import sys
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

# Words of the parsers of Hydra and argparse, and of Python's types.
PARSERS_WORDS = re.compile(
    r"_(OPEN|CLOSE|CHAR|VALUE)\b|\b(EQUAL|POPEN|PCLOSE|COLON|COMMA|ESC|WS|INTERPOLATION|FLOAT|INT)\b"
    r"|<EOF>|viable|mismatched|extraneous|token recognition|Exception|DictConfig|ListConfig"
    r"|Traceback|when parsing index|hydra\.cc|NoneType|type str|To append"
)
_RUN = "python -m mnist_exp"
_NOT = "cannot be read as SETTING=VALUE; did you mean"
_EN, _WIDE = "\N{EN DASH}", "\N{FULLWIDTH EQUALS SIGN}"
_SEVERAL = "several values need -m, which runs each: python -m mnist_exp -m"

# (typed, the first line of the answer)
MISTAKES = [
    # Those of a walk through the program as a new user.
    ("optimzer=sgd", "optimzer: no such setting; did you mean optimizer=sgd?"),
    ("optimizer=Adam", "optimizer=Adam: no such option; did you mean optimizer=adam?"),
    ("model=cnn_3x3", "model=cnn_3x3: no such option; did you mean model=cnn3x3?"),
    ("epochs=3", "epochs: no such setting; did you mean schedule.epochs=3?"),
    ("lr=0.1", "lr: no such setting; did you mean optimizer.learning_rate=0.1?"),
    (
        "optimizer.lr=0.1",
        "optimizer.lr: no such setting; did you mean optimizer.learning_rate=0.1?",
    ),
    (
        "--epochs 3",
        "--epochs 3: a setting is written SETTING=VALUE; did you mean schedule.epochs=3?",
    ),
    ("help", f"help: {_RUN} --help explains all settings"),
    (
        "data.train_limit=5000,",
        "data.train_limit=5000,: cannot be read as SETTING=VALUE; did you mean data.train_limit",
    ),
    ("model.filters=16,32", "model.filters=16,32: did you mean 'model.filters=[16,32]'?"),
    (
        "compare --study variants",
        "compare is a command of its own (which runs are better, by how much, and is it luck?): py",
    ),
    ("sweeps=variants", f"sweeps=variants: `-m` is missing; {_RUN} -m sweeps=variants starts a sw"),
    # Short names, and those of other libraries.
    ("epoch=3", "epoch: no such setting; did you mean schedule.epochs=3?"),
    ("EPOCHS=3", "EPOCHS: no such setting; did you mean schedule.epochs=3?"),
    ("training.epochs=3", "training.epochs: no such setting; did you mean schedule.epochs=3?"),
    (
        "trainer.max_epochs=3",
        "trainer.max_epochs: no such setting; did you mean schedule.epochs=3?",
    ),
    ("batch_size=50", "batch_size: no such setting; did you mean schedule.batch_size=50?"),
    ("bs=50", "bs: no such setting; did you mean schedule.batch_size=50?"),
    ("steps=100", "steps: no such setting; did you mean schedule.max_steps=100?"),
    ("--lr=0.1", "--lr=0.1: a setting is written SETTING=VALUE; did you mean optimizer.learning_r"),
    ("-lr 0.1", "-lr 0.1: a setting is written SETTING=VALUE; did you mean optimizer.learning_rat"),
    ("-model=mlp", "-model=mlp: a setting is written SETTING=VALUE; did you mean model=mlp?"),
    ("model.lr=0.1", "model.lr: no such setting; did you mean optimizer.learning_rate=0.1?"),
    (
        "learning-rate=0.1",
        "learning-rate: no such setting; did you mean optimizer.learning_rate=0.1",
    ),
    ("dropout=0.5", "dropout: no such setting; did you mean model.dropout=0.5?"),
    ("keep_prob=0.8", "keep_prob: no such setting; did you mean model.dropout=0.2?"),
    ("wd=0.1", "wd: no such setting; did you mean optimizer=adamw optimizer.weight_decay=0.1?"),
    (
        "momentum=0.9",
        "momentum: no such setting; did you mean optimizer=momentum optimizer.momentu",
    ),
    (
        "optimizer=rmsprop momentum=0.9",
        "momentum: no such setting; did you mean optimizer.momentum",
    ),
    (
        "experiment=notebook_softmax dropout=0.5",
        "dropout: no such setting; did you mean model=cnn3x3 model.dropout=0.5?",
    ),
    ("optim=SGD", "optim: no such setting; did you mean optimizer=sgd?"),
    ("optimizer.name=adam", "optimizer.name: no such setting; did you mean optimizer=adam?"),
    ("random_seed=1", "random_seed: no such setting; did you mean seed=1?"),
    ("random_state=1", "random_state: no such setting; did you mean seed=1?"),
    ("filters=16,32", "filters=16,32: did you mean 'model.filters=[16,32]'?"),
    ("units=[64]", "units: no such setting; did you mean model=mlp 'model.hidden_units=[64]'?"),
    (
        "n_trials=9",
        "n_trials: no such setting; did you mean -m sweeps=NAME hydra.sweeper.n_trials=",
    ),
    (
        "-m hydra.sweeper.n_trial=9",
        "hydra.sweeper.n_trial: no such setting; did you mean -m sweeps",
    ),
    ("sweep=variants", "sweep: no such setting; did you mean -m sweeps=variants?"),
    ("epohcs=3", "epohcs: no such setting; did you mean schedule.epochs=3?"),
    # Signs of Hydra.
    ("+epochs=3", "epochs: no such setting; did you mean schedule.epochs=3?"),
    (
        "+schedule.epochs=3",
        "schedule.epochs: has a value already; schedule.epochs=3 without + chang",
    ),
    ("++x=1", "x: no such setting"),
    ("+model=mlp", "model: has a value already; model=mlp without + changes it"),
    ("~seed", "~seed: a setting cannot be taken away; seed=VALUE changes it"),
    ("~epochs", "~epochs: no such setting to take away; did you mean schedule.epochs=VALUE?"),
    ("a@b=c", "a@b=c: no such group"),
    ("model=null", "model=null: expected GROUP=OPTION, such as model=cnn3x3"),
    # Accidents of a shell, a keyboard or a word processor.
    ("seed = 3", "seed: cannot be read as SETTING=VALUE; did you mean seed=3, without spaces?"),
    ("seed =3", "seed: cannot be read as SETTING=VALUE; did you mean seed=3, without spaces?"),
    ("seed= 3", "3: cannot be read as SETTING=VALUE; did you mean seed=3, without spaces?"),
    ("'seed = 3'", "seed = 3: cannot be read as SETTING=VALUE; did you mean seed=3?"),
    (
        "lr = 3",
        "lr: cannot be read as SETTING=VALUE; did you mean optimizer.learning_rate=3, without sp",
    ),
    ("model.filters=[16, 32]", f"model.filters=[16,: {_NOT} 'model.filters=[16, 32]', in quotes?"),
    (
        "model.filters={8,16}",
        "model.filters={8,16}: cannot be read as SETTING=VALUE; did you mean 'model",
    ),
    ("run_name=my first run seed=1", f"first: {_NOT} 'run_name=my first run', in quotes?"),
    ("“run_name=my run”", f"“run_name=my: {_NOT} 'run_name=my run', in quotes?"),
    ("seed=1 first", "first: cannot be read as SETTING=VALUE; it has no ="),
    ("model.filters=16", "model.filters: expected a list; did you mean 'model.filters=[16]'?"),
    (
        "model.filters=8 model.filters=16",  # what bash makes of model.filters={8,16}
        "model.filters: expected a list; did you mean 'model.filters=[8,16]'?",
    ),
    ("“model.filters=[16,32]”", f"“model.filters=[16,32]”: {_NOT} 'model.filters=[16,32]'?"),
    (
        f"{_EN}epochs 3",
        f"{_EN}epochs 3: a setting is written SETTING=VALUE; did you mean schedule.epochs=3?",
    ),
    ("—multirun seed=1,2", "—multirun: begins with another dash; expected --multirun"),
    (f"seed{_WIDE}3", f"seed{_WIDE}3: cannot be read as SETTING=VALUE; did you mean seed=3?"),
    ("model==mlp", "model==mlp: cannot be read as SETTING=VALUE; did you mean model=mlp?"),
    ("model:mlp", "model:mlp: cannot be read as SETTING=VALUE; did you mean model=mlp?"),
    (
        "model mlp",
        "model: cannot be read as SETTING=VALUE; did you mean model=mlp, without spaces?",
    ),
    (
        "optimizer/adam",
        "optimizer/adam: cannot be read as SETTING=VALUE; did you mean optimizer=adam?",
    ),
    (
        "schedule.epochs=3;",
        "schedule.epochs=3;: cannot be read as SETTING=VALUE; did you mean schedule.",
    ),
    (
        "'seed=3 model=mlp'",
        f"seed=3 model=mlp: {_NOT} seed=3 model=mlp, without quotes around both?",
    ),
    (
        "run_name=a#b",
        "run_name=a#b: cannot be read as SETTING=VALUE; did you mean 'run_name=\"a#b\"'?",
    ),
    (
        "schedule.epochs=[1",
        "schedule.epochs=[1: cannot be read as SETTING=VALUE; the bracket [ is not cl",
    ),
    (
        "seed=interval(1)",
        "seed=interval(1): cannot be read as SETTING=VALUE; interval(1): expected inter",
    ),
    (
        "seed=rnage(3)",
        "seed=rnage(3): cannot be read as SETTING=VALUE; rnage(3): no such function; did ",
    ),
    # Numbers and words.
    (
        "optimizer.learning_rate=0,1",
        "optimizer.learning_rate=0,1: did you mean optimizer.learning_rate=0.1?",
    ),
    ("seed=1,2", f"seed=1,2: {_SEVERAL} seed=1,2"),
    ("model=mlp,softmax", f"model=mlp,softmax: {_SEVERAL} model=mlp,softmax"),
    (
        "data.train_limit=10k",
        "data.train_limit=10k: expected a whole number; did you mean data.train",
    ),
    ("data.train_limit=1,000", "data.train_limit=1,000: did you mean data.train_limit=1000?"),
    (
        "schedule.max_steps=1e3",
        "schedule.max_steps=1000.0: expected a whole number; did you mean sch",
    ),
    ("model.dropout=50%", "model.dropout=50%: expected a number; did you mean model.dropout=0.5?"),
    ("deterministic=ja", "deterministic=ja: expected true or false"),
    (
        "preflight=warning",
        "preflight=warning: expected one of off, warn, error; did you mean preflig",
    ),
    # Words that are no settings at all.
    ("-help", f"-help: {_RUN} --help explains all settings"),
    ("h", f"h: {_RUN} --help explains all settings"),
    ("/?", f"/?: {_RUN} --help explains all settings"),
    ("—help", f"—help: {_RUN} --help explains all settings"),
    ("--help nonsense", f"--help nonsense: no such group or setting; {_RUN} --help lists them all"),
    ("--multirn seed=1", "--multirn: no such flag; did you mean --multirun?"),
    ("--cfg=jbo", "argument --cfg/-c: invalid choice: 'jbo' (choose from "),
    ("train model=mlp", f"train: training needs no such word: {_RUN} model=mlp"),
    ("cnn3x3", "cnn3x3: cannot be read as SETTING=VALUE; did you mean model=cnn3x3?"),
    (
        "blog_cnn3x3",
        "blog_cnn3x3: cannot be read as SETTING=VALUE; did you mean experiment=blog_cnn3x3?",
    ),
    (
        "model=blog_cnn3x3",
        "model=blog_cnn3x3: no such option; did you mean experiment=blog_cnn3x3?",
    ),
    ("experiment=cnn3x3", "experiment=cnn3x3: no such option; did you mean model=cnn3x3?"),
    (
        "notes.txt",
        "notes.txt: cannot be read as SETTING=VALUE; a file here has this name; in the place",
    ),
    (
        "hydra/sweeper=optuna_stduy -m",
        "hydra/sweeper=optuna_stduy: no such option; did you mean hyd",
    ),
    ("hydra.run.dri=x", "hydra.run.dri: no such setting; did you mean hydra.run.dir=x?"),
]


@pytest.mark.parametrize(("typed", "first_line"), MISTAKES, ids=[typed for typed, _ in MISTAKES])
def test_a_mistake_gets_the_argument_that_was_meant(
    typed: str,
    first_line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
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


pieces = st.one_of(
    st.sampled_from([*"=,:;#()[]{}'\"\\$~+@ .-", "choice(", "interval(", "range(", "seed", "lr"]),
    st.sampled_from(
        ["model", "optimizer.lr", "1", "0,1", "null", "${", "tag(log,", "“", "”", _WIDE]
    ),
    st.text(max_size=4),
)
texts = st.lists(pieces, min_size=1, max_size=6).map("".join)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
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


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
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


def test_options_of_an_own_folder_are_near_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "wide.yaml").write_text("defaults: [cnn3x3]\nfilters: [64]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setattr(sys, "argv", ["mnist_exp", "--config-dir", "mine", "model=wdie"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == (
        "mnist_exp: model=wdie: no such option; did you mean model=wide?\n"
        "Options: cnn3x3, cnn5x5, mlp, softmax, wide"
    )
