"""Every broken program is caught with its code, and no good one raises an error."""

import keras
import pytest

from mnist_exp.preflight import PreflightReport, check

from . import zoo

BROKEN = {entry.name: entry for entry in zoo.broken()}
GOOD = {entry.name: entry for entry in (*zoo.presets(), *zoo.variations())}
QUICK = [
    "notebook_softmax_literal",
    "keras_loss_probabilities",
    "rescaling_layer_uint8",
    "batch_norm_dense",
]
QUICK += ["dropout", "zero_readout", "trained_already"]
FIRST_OF_CODE = list({entry.code: name for name, entry in reversed(BROKEN.items())}.values())
SEEDS = range(20)
CODES = (
    "LOSS_IGNORES_LABELS INITIAL_LOSS_UNEXPECTED LOSS_NOT_MINIMISED GRADIENT_ZERO GRADIENT_NON_FINITE "
    "VARIABLE_NOT_TRAINED EXAMPLES_LEAK OUTPUT_ALREADY_PROBABILITIES OUTPUT_NOT_PROBABILITIES INPUT_SCALE "
    "INPUT_IGNORED LABELS_UNRELATED CLASS_IMBALANCE SYMMETRIC_INIT DEAD_UNITS SATURATED_ACTIVATIONS "
    "CANNOT_OVERFIT LEARNING_RATE_TOO_HIGH LEARNING_RATE_TOO_LOW TRAIN_EVAL_MISMATCH LABELS_OUT_OF_RANGE"
)


def report_of(entry: zoo.Entry, seed: int) -> PreflightReport:
    keras.backend.clear_session(free_memory=False)
    case = entry.build(seed)
    return check(case.model, case.loss, case.optimizer, case.images, case.labels, seed=seed)


def test_zoo_has_every_code_and_architecture() -> None:
    assert {entry.code for entry in BROKEN.values()} == set(CODES.split())
    assert {entry.architecture for entry in BROKEN.values()} == {"softmax", "mlp", "cnn"}
    assert len(BROKEN) == len(zoo.broken()) >= 30


@pytest.mark.parametrize("name", FIRST_OF_CODE)
def test_broken_program_is_caught(name: str) -> None:
    report = report_of(BROKEN[name], seed=0)
    assert BROKEN[name].code in report.codes, report


@pytest.mark.parametrize("name", QUICK)
def test_good_program_passes(name: str) -> None:
    assert report_of(GOOD[name], seed=0).errors == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", [entry.name for entry in zoo.variations()])
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
@pytest.mark.parametrize("name", [entry.name for entry in zoo.presets()])
def test_presets_pass_with_every_seed(name: str, seed: int) -> None:
    assert report_of(GOOD[name], seed).errors == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_optimizers_and_initialisations_pass(seed: int) -> None:
    for entry, _ in zoo.grid(range(seed, seed + 1)):
        report = report_of(entry, seed)
        assert report.errors == (), f"{entry.name}: {report}"
