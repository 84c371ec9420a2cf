"""Which settings of other programs tell groups apart."""

from mnist_exp.compare.settings_that_tell import without_names
from tests.compare.made_runs import MODELS, made


def test_names_times_and_results_are_no_settings() -> None:
    unique = [f"2026-03-01T10:0{i}" for i in range(4)]
    runs, notes = without_names(made({"model": MODELS, "created": unique}), of_table=False)
    assert list(runs.params) == ["model"]
    (note,) = notes
    assert note == (
        "Taken for names, times or results, not for settings, because of their many values: "
        "created. --group-by NAME,... chooses the settings."
    )
    rates = made({"model": MODELS, "lr": ["0.1", "0.2", "0.3", "0.4"]})
    assert list(without_names(rates, of_table=True)[0].params) == ["model"]
    kept, notes = without_names(rates, of_table=False)  # what a program logged as a param
    assert list(kept.params) == ["model", "lr"]
    assert notes[0].startswith("Most groups have one run, as the runs differ in model, lr.")
    own = made({"model": MODELS, "created": unique}, config_hash=unique)
    assert without_names(own, of_table=False) == (own, [])
