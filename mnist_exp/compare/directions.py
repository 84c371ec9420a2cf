"""Tell by a metric's name which of its values are better."""

import re
from typing import NamedTuple

_PARTS = ("cost", "seconds", "epoch", "loss", "error")  # of a word that says that less is better
# Whole words, as other programs have them; with a number behind them, too: fpr95, map50.
_LESS = (
    "mse rmse mae mape smape rmsle msle nrmse nll bpb bpc bpd bitsper perplexity ppl crossentropy "
    "xent ce err wer cer eer fpr fnr fid kid fvd lpips kl kld brier ece crps deviance regret "
    "aic bic mpjpe epe hd latency runtime duration time elapsed memory mem hamming distance "
    "divergence nfe flops gap std stddev bouldin"
)
_DOUBTFUL = {"gap", "err", "mem"}  # a global average precision, an expected reciprocal rank ...
_MORE = (
    "accuracy acc auc auroc auprc roc ap map f fbeta precision recall sensitivity specificity "
    "score r bleu rouge meteor iou miou jaccard dice ndcg mrr hits reward return psnr ssim mcc "
    "kappa correct correlation likelihood loglikelihood throughput efficiency savings reduction "
    "survival survived saved improvement fps elo"
)
_NUMBERED = {"f", "r"}  # words only with a number behind them: f1, r2
# The share of a loss that a model explains, as in scikit-learn's `d2_log_loss_score`.
_EXPLAINED = "d2"
_LAST = ("loss", "error", "cost")  # as the last word they decide: dice_loss
# What follows says when or where it was measured, not what: acc_at_best_loss, test_acc_best_epoch.
_WHERE = ("at", "of", "for", "by", "best")  # after `best` or at the end it is not sure
_UNTIL = r"(epochs?|steps?|iterations?|updates?|time|seconds|minutes|hours|samples)_(to|until)_"
# Of what more a second is better.
_RATE = (
    r"(^|_)(epochs?|steps?|images?|samples?|examples?|tokens?|frames?|batches|its?|iterations?|"
    r"queries|requests|words|trials?)_per_(s|sec|second|min|minute|hour)$"
)
# A word before the rest of a name, as in scikit-learn's `neg_log_loss`: its values are negated.
_TURNING = re.compile(r"(?<![a-zA-Z])(?i:neg|negative|minus)(?![a-z])")


class Direction(NamedTuple):
    """Which values are better, and whether the name leaves no doubt."""

    higher: bool
    sure: bool


def is_maximised(metric: str) -> bool:
    """Return whether higher values are better, by the metric's name.

    A word for a negated value turns round what the rest of the name says: of `neg_log_loss` higher
    values are better, of `negative_log_likelihood` lower ones.
    """
    return _direction(metric).higher


def direction_notes(metric: str) -> list[str]:
    """Return a sentence if the metric's name does not surely tell which values are better."""
    found = _direction(metric)
    if found.sure:
        return []
    better, other = ("Higher", "minimize") if found.higher else ("Lower", "maximize")
    return [
        f"{better} values of {metric} are taken for better; --direction {other} turns it round."
    ]


def _direction(metric: str) -> Direction:
    """Return what the last part of the name says, or the whole name if that says nothing.

    Nothing is turned round by the word in `f1_negative` and `false_negative_rate`.
    """
    last = metric.rpartition("/")[2]
    *before, rest = _TURNING.split(last)
    if before and (found := _said(_words(rest))):
        return Direction(found.higher != (len(before) % 2 == 1), sure=False)
    return _said(_words(last)) or _said(_words(metric)) or Direction(higher=True, sure=False)


def _words(name: str) -> list[str]:
    """Return the words of a name in small letters: of `testRMSE@epoch3` test, rmse, at, epoch3."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.replace("@", "_at_")).lower()
    joined = apart.replace("cross_entropy", "crossentropy").replace("bits_per", "bitsper")
    joined = joined.replace("io_u", "iou")
    return re.findall(r"[a-z]+\d*", joined)


def _said(words: list[str]) -> Direction | None:
    """Return what the words say, or None if none of them says anything.

    Where some words say that more is better and others that less is, the last of them decides, and
    it is not sure.
    """
    name = "_".join(words)
    kinds = [_kind(word) for word in words]
    known = [kind for kind in kinds if kind is not None]
    is_explained = words[-1:] == [_EXPLAINED] or (_EXPLAINED in words and words[-1] == "score")
    if is_explained or re.search(_RATE, name):
        return Direction(higher=True, sure=True)
    if re.match(f"(.*_)?{_UNTIL}", name) and True in known:
        return Direction(higher=False, sure=True)
    for i, word in enumerate(words):
        is_when = i == len(words) - 1 and re.fullmatch(r"epoch\d*", word)
        if (is_when or word in _WHERE) and (head := _said(words[:i])):
            doubtful = len(set(known)) > 1 and word not in ("at", "of", "for", "by")
            return Direction(head.higher, sure=head.sure and not doubtful)
    if len(set(known)) < 2 or words[-1] in _LAST:
        return Direction(known[-1], sure=_DOUBTFUL.isdisjoint(words)) if known else None
    if "score" in words:  # of anything: brier_score
        known = [
            kind
            for kind, word in zip(kinds, words, strict=True)
            if word != "score" and kind is not None
        ]
    return Direction(known[-1], sure=False)


def _kind(word: str) -> bool | None:
    """Return True for a word of which more is better, False for less, None for others."""
    bare = word.rstrip("0123456789")
    if any(part in word for part in _PARTS) or bare in _LESS.split():
        return False
    if "accuracy" in word or (bare in _MORE.split() and not (bare == word and bare in _NUMBERED)):
        return True
    return None
