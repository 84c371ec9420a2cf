"""The code of a user's own in a run, before TensorFlow loads."""

import pytest

from mnist_exp.experiment import own_code
from mnist_exp.own_code.code import NOTHING_OWN, Own, OwnCode
from mnist_exp.own_code.failures import OwnCodeError


def own(source: str) -> Own:
    return Own(code=OwnCode(sources={"nets.py": source.encode()}, folder="/x"))


def test_no_key_or_token_is_recorded_with_the_code() -> None:
    warned: list[str] = []
    for harmless in ("X = 1", "tokens = load('a')", "url = 'https://example.org/data'"):
        own_code.check_secrets(own(harmless), warned.append)
    own_code.check_secrets(NOTHING_OWN, warned.append)
    assert not warned
    with pytest.raises(OwnCodeError) as caught:
        own_code.check_secrets(own(f"TOKEN = '{'hf_' + 'a1B2' * 8}'"), warned.append)
    assert str(caught.value) == (
        "/x/nets.py: holds a token, and code of your own is recorded with each run\n"
        "Take it from an environment variable"
    )
    own_code.check_secrets(own("token_name = 'bert-base-uncased-2'"), warned.append)
    (said,) = warned
    assert said.startswith("/x/nets.py: holds a password or token, and code of your own is recorde")


def test_a_checkpoint_keeps_every_byte_of_the_code() -> None:
    code = OwnCode(sources={"a/b.py": bytes(range(256))}, folder="/x")
    record = {"run_id": "r", **own_code.in_checkpoint(Own(code=code))}
    assert own_code.is_readable(record)
    recorded = own_code._recorded(record)
    assert recorded.sources == code.sources
    assert recorded.digest == code.digest
    assert own_code.in_checkpoint(NOTHING_OWN) == {}
    for damaged in (3, {}, {"digest": "x"}, {"digest": 1, "sources": {}}, {"sources": {"a": 1}}):
        assert not own_code.is_readable({"own_code": damaged})
