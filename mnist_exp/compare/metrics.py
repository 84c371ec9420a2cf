"""Which metric is compared, and which of its values are better."""

import re
from collections.abc import Iterable

import pandas as pd

from mnist_exp.compare.statistics import is_share
from mnist_exp.errors import UserError, did_you_mean
from mnist_exp.outside.printing import first_of, plural
from mnist_exp.tracking.runs import Runs, is_finite

DEFAULT = "test/accuracy"
_MINIMISED = ("cost", "seconds", "epoch", "loss", "error")
# Whole words of a metric's name, as other programs have them.
_MINIMISED_WORDS = (
    "mse rmse mae mape rmsle nll perplexity ppl bpb wer cer fid kl brier ece deviance regret "
    "latency runtime duration time memory hamming distance divergence nfe flops"
)
_MAXIMISED_WORDS = (
    "accuracy acc auc auroc auprc roc ap map f1 fbeta precision recall sensitivity specificity "
    "score r2 bleu rouge meteor iou miou jaccard dice ndcg mrr hits reward return psnr ssim mcc "
    "kappa correct correlation likelihood loglikelihood throughput"
)
# The share of a loss that a model explains, as in scikit-learn's `d2_log_loss_score`.
_EXPLAINED = "d2"
# A word before the rest of a name, as in scikit-learn's `neg_log_loss`: its values are negated.
_TURNING = re.compile(r"(?<![a-zA-Z])(?i:neg|negative|minus)(?![a-z])")
_COUNTERS = ("epoch", "step", "global_step")  # logged as metrics by PyTorch Lightning and others


def is_maximised(metric: str) -> bool:
    """Return whether higher values are better, by the metric's name.

    A word for a negated value turns round what the rest of the name says: of `neg_log_loss` higher
    values are better, of `negative_log_likelihood` lower ones.
    """
    name, turns = _name(metric)
    return _is_maximised(name) != turns


def direction_notes(metric: str) -> list[str]:
    """Return a sentence if the metric's name does not surely tell which values are better."""
    name, turns = _name(metric)
    if not turns and _tells(name) and not (_is_maximised(name) and "epoch" in name):
        return []
    better, other = ("Higher", "minimize") if is_maximised(metric) else ("Lower", "maximize")
    return [
        f"{better} values of {metric} are taken for better; --direction {other} turns it round."
    ]


def _name(metric: str) -> tuple[str, bool]:
    """Return the part of a metric's name that tells, and whether a word before it turns it round.

    Nothing is turned round by the word in `f1_negative` and `false_negative_rate`.
    """
    whole = metric.rpartition("/")[2]
    *before, rest = _TURNING.split(whole)
    if before and _tells(rest.lower()):
        return rest.lower(), len(before) % 2 == 1
    return whole.lower(), False


def _tells(name: str) -> bool:
    """Return whether a word of the name says which values are better."""
    words = f"{_MAXIMISED_WORDS} {_EXPLAINED}"
    return not _is_maximised(name) or _has(name, words) or "accuracy" in name


def _is_maximised(name: str) -> bool:
    """Return whether higher values are better, by a name that nothing turns round."""
    if _has(name, _EXPLAINED):
        return True
    fewer = [word for word in _MINIMISED if word in name]
    if _has(name, _MINIMISED_WORDS) or fewer not in ([], ["epoch"]):
        return False
    return not fewer or _is_of_an_epoch(name)


def _is_of_an_epoch(name: str) -> bool:
    """Return whether the name is that of an accuracy at the end of an epoch: `val_acc_epoch`.

    `best_epoch`, `epochs_to_accuracy` and `epoch_of_best_acc` are numbers of epochs.
    """
    is_number = _has(name, "best to of at until") or not _has(name, "epoch")
    return not is_number and (_has(name, _MAXIMISED_WORDS) or "accuracy" in name)


def _has(name: str, words: str) -> bool:
    """Return whether one of the words is a word of the name: `mse` in `val_mse`."""
    return not set(words.split()).isdisjoint(re.findall(r"[a-z]+\d*", name))


def chosen_metric(known: Iterable[str], asked: str | None) -> str:
    """Return the metric that was asked for; else test/accuracy, or the only one that there is.

    Raises UserError if there is no such metric, or none can be chosen. Names of the machine's load,
    which begin with `system/`, and counts of epochs and steps are no choice.
    """
    names = sorted(known)
    if asked in names:
        return asked
    choices = [
        name for name in names if not name.startswith("system/") and name.lower() not in _COUNTERS
    ]
    if asked is None and (DEFAULT in choices or len(choices) == 1):
        return DEFAULT if DEFAULT in choices else choices[0]
    listed = first_of(choices)
    if asked is None:
        near = did_you_mean(DEFAULT, choices)
        raise UserError(f"--metric NAME: needed, as there is no {DEFAULT}{near}\nMetrics: {listed}")
    near = did_you_mean(asked, names)
    raise UserError(f"--metric {asked}: no selected run has it{near}\nMetrics: {listed}")


def has_shares(metric: str, values: pd.Series) -> bool:
    """Return whether a metric's values are shares between 0 and 1, not percents."""
    return is_share(metric) and bool(values[is_finite(values)].between(0, 1).all())


def mixed_kinds(metric: str, values: pd.Series) -> list[str]:
    """Return a line if some accuracies look like shares, and others like percents.

    They may all be percents: a network that guesses one of a hundred classes is right in 1%.
    """
    known = values[is_finite(values)]
    shares, percents = known[known.between(0, 1, inclusive="right")], known[known > 1]
    if not is_share(metric) or shares.empty or percents.empty:
        return []
    low = f"at most 1 in {plural(len(shares), 'run')}, such as {shares.max():.4g}"
    high = f"above 1 in {plural(len(percents), 'run')}, such as {percents.min():.4g}"
    return [f"{metric} is {low}, and {high}: expected either shares or percents in all runs"]


def metrics_of(runs: Runs) -> list[str]:
    """Return the names of the metrics that at least one run has a value of."""
    return [name for name in runs.metrics if runs.metrics[name].notna().any()]
