"""The code of a user's own in a run, before TensorFlow loads."""

from pathlib import Path
from typing import Any

import pytest

from mnist_exp.config.tree import compose
from mnist_exp.experiment import code_of_run
from mnist_exp.own_code.code import NOTHING_OWN, Own, OwnCode
from mnist_exp.own_code.failures import OwnCodeError
from mnist_exp.own_code.finding import find
from mnist_exp.own_code.names import parse
from mnist_exp.own_code.trust import Recorded
from mnist_exp.tracking.job import Origin
from mnist_exp.training.checkpoint import RunState


def own(source: str) -> Own:
    return Own(code=OwnCode(sources={"nets.py": source.encode()}, folder="/x"))


def test_no_key_or_token_is_recorded_with_the_code() -> None:
    warned: list[str] = []
    for harmless in ("X = 1", "tokens = load('a')", "url = 'https://example.org/data'"):
        code_of_run.check_secrets(own(harmless), warned.append)
    code_of_run.check_secrets(NOTHING_OWN, warned.append)
    assert not warned
    with pytest.raises(OwnCodeError) as caught:
        code_of_run.check_secrets(own(f"TOKEN = '{'hf_' + 'a1B2' * 8}'"), warned.append)
    assert str(caught.value) == (
        "/x/nets.py: holds a token, and code of your own is recorded with each run\n"
        "Take it from an environment variable"
    )
    code_of_run.check_secrets(own("token_name = 'bert-base-uncased-2'"), warned.append)
    (said,) = warned
    assert said.startswith("/x/nets.py: holds a password or token, and code of your own is recorde")


def test_a_checkpoint_keeps_every_byte_of_the_code() -> None:
    code = OwnCode(sources={"a/b.py": bytes(range(256))}, folder="/x")
    record = {"run_id": "r", **code_of_run.in_checkpoint(Own(code=code))}
    assert code_of_run.is_readable(record)
    recorded = code_of_run._recorded(record)
    assert recorded.sources == code.sources
    assert recorded.digest == code.digest
    assert code_of_run.in_checkpoint(NOTHING_OWN) == {}
    for damaged in (3, {}, {"digest": "x"}, {"digest": 1, "sources": {}}, {"sources": {"a": 1}}):
        assert not code_of_run.is_readable({"own_code": damaged})


@pytest.mark.parametrize(
    ("path", "is_safe"),
    [
        ("nets.py", True),
        ("p/q/nets.py", True),
        ("..nets.py", True),
        ("../nets.py", False),
        ("p/../../nets.py", False),
        ("/nets.py", False),
        ("p//nets.py", False),
        ("./nets.py", False),
        ("p\\nets.py", False),
        ("nets.so", False),
        ("p/", False),
    ],
)
def test_no_path_of_a_record_leaves_its_folder(path: str, is_safe: bool) -> None:
    sources = {path: b"X = 1\n"}
    code = OwnCode(sources=sources, folder="/x")
    recorded = Recorded(where="run r", place="there", digest=code.digest, sources=sources)
    assert (recorded.code is not None) is is_safe


def test_a_trial_that_is_tried_again_has_the_code_that_its_sweep_has_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    codes: list[OwnCode] = []
    for number in (1, 2):
        Path("nets.py").write_text(f"def net(a, b):\n    return {number}\n")
        read = find([parse("model.build", "nets:net")])
        assert read is not None
        codes.append(read)
    first, found = codes
    config = compose(["model=own", "model.build=nets:net"]).config
    progress: Any = None
    state = RunState(
        progress=progress,
        results=(),
        weights=(),
        optimizer=(),
        record={"run_id": "r", **code_of_run.in_checkpoint(Own(code=first))},
    )
    name = "model.build=nets:net"
    same = Origin(codes={name: first})
    assert code_of_run.of_run(config, state, NOTHING_OWN, same) is first  # the file is another one
    assert code_of_run.of_run(config, None, NOTHING_OWN, same) is first
    for origin in (Origin(), Origin(codes={name: found})):
        with pytest.raises(OwnCodeError, match="resume=r: the source has changed since: nets.py:"):
            code_of_run.of_run(config, state, NOTHING_OWN, origin)
