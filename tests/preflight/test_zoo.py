"""Every broken program is caught with its code, and no good one raises an error."""

import keras
import pytest

from mnist_exp.preflight import PreflightReport, check
from mnist_exp.preflight.codes import CASES
from tests.support.zoo.broken import broken
from tests.support.zoo.good import grid, presets, variations
from tests.support.zoo.programs import Entry

BROKEN = {entry.name: entry for entry in broken()}
GOOD = {entry.name: entry for entry in (*presets(), *variations())}
# One of each kind of check; the slow tests have all of them.
QUICK = ["notebook_softmax_literal", "batch_norm_dense", "zero_readout"]
QUICK_CODES = ["LOSS_IGNORES_LABELS", "OUTPUT_NOT_PROBABILITIES", "INPUT_SCALE", "SYMMETRIC_INIT"]
QUICK_CODES += ["EXAMPLES_LEAK", "LEARNING_RATE_TOO_HIGH", "CANNOT_OVERFIT"]
FIRST_OF_CODE = {entry.code: name for name, entry in reversed(BROKEN.items())}
SEEDS = range(20)


def report_of(entry: Entry, seed: int) -> PreflightReport:
    keras.backend.clear_session(free_memory=False)
    return check(*entry.build(seed), seed=seed)


def test_zoo_has_every_code_and_architecture() -> None:
    assert {entry.code for entry in BROKEN.values()} <= {code for code, _ in CASES}
    assert {entry.architecture for entry in BROKEN.values()} == {"softmax", "mlp", "cnn", "cnn3x3"}
    assert len(BROKEN) == len(broken()) == 189, "docs/preflight.md names the number"


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("code", QUICK_CODES)
def test_broken_program_is_caught(code: str) -> None:
    report = report_of(BROKEN[FIRST_OF_CODE[code]], seed=0)
    assert code in report.codes, report


@pytest.mark.parametrize("name", QUICK)
def test_good_program_passes(name: str) -> None:
    assert report_of(GOOD[name], seed=0).errors == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", [entry.name for entry in variations()])
def test_every_right_way_to_write_a_program_passes(name: str, seed: int) -> None:
    assert report_of(GOOD[name], seed).errors == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", BROKEN)
def test_every_broken_program_is_caught(name: str, seed: int) -> None:
    report = report_of(BROKEN[name], seed)
    assert BROKEN[name].code in report.codes, report


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", [entry.name for entry in presets()])
def test_presets_pass_with_every_seed(name: str, seed: int) -> None:
    assert report_of(GOOD[name], seed).errors == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_optimizers_and_initialisations_pass(seed: int) -> None:
    for entry, _ in grid(range(seed, seed + 1)):
        report = report_of(entry, seed)
        assert report.errors == (), f"{entry.name}: {report}"
