"""The code of a user's own in a study: the same in all its trials, whatever the file holds."""

import pickle
from pathlib import Path

import optuna
import pytest

from mnist_exp.config.tree import compose
from mnist_exp.errors import ConfigError
from mnist_exp.own_code.code import OwnCode
from mnist_exp.own_code.loading import load
from mnist_exp.studies.own_code import codes_of, refuse_changes
from mnist_exp.sweeper.errors import SweepError


def code_of(*files: str) -> list[OwnCode]:
    sources = {f"{name}.py": f"X = {text}\n".encode() for name, _, text in map(_parts, files)}
    return [OwnCode(sources=sources, folder="/x")]


def _parts(text: str) -> tuple[str, str, str]:
    return text.partition("=")


@pytest.mark.parametrize(
    ("later", "changed"),
    [
        (("a=1", "b=2"), None),
        (("a=1  # a comment", "b=2"), None),
        (("a=2", "b=2"), "a.py"),
        (("a=2", "b=3"), "a.py and b.py"),
        (("a=1",), "b.py"),
        (("a=1", "b=2", "c=3"), "c.py"),
        ((), "a.py and b.py"),
    ],
)
def test_a_study_goes_on_with_the_same_code_alone(
    later: tuple[str, ...], changed: str | None
) -> None:
    study = optuna.create_study()
    refuse_changes(study, code_of("a=1", "b=2"))
    if changed is None:
        refuse_changes(study, code_of(*later))
        return
    with pytest.raises(SweepError) as caught:
        refuse_changes(study, code_of(*later) if later else [])
    first, second = str(caught.value).split("\n")
    assert first.startswith(f"study {study.study_name}: code of your own has changed since its ")
    assert f"trials: {changed}; what they ran is in their artifacts own_code/" in first
    assert second.endswith("hydra.sweeper.study_name=NAME starts another study")


def test_a_study_without_code_of_ones_own_notes_nothing() -> None:
    study = optuna.create_study()
    refuse_changes(study, [])
    assert study.user_attrs == {}


def test_workers_get_what_the_command_has_read(workdir: Path) -> None:
    (workdir / "nets.py").write_text("def net(a, b, size=1):\n    return size, 1\n")
    config = compose(["model=own", "model.build=nets:net", "+model.options.size=3"]).config
    codes = codes_of(config)
    (code,) = codes.values()
    load("nets:net", "model.build", code)  # in the parent, too
    (workdir / "nets.py").write_text("raise AssertionError\n")
    (sent,) = pickle.loads(pickle.dumps(codes)).values()
    assert load("nets:net", "model.build", sent)(0, 0) == (1, 1)
    assert sent.digest == code.digest
    (workdir / "nets.py").write_text("def net(a, b): ...\n")
    with pytest.raises(ConfigError, match="has no function nett"):
        codes_of(compose(["model=own", "model.build=nets:nett"]).config)
    assert codes_of(compose([]).config) == {}
