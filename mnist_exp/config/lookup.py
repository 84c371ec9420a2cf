"""Which setting a name means that does not exist: a short name, a last part, or a misspelling."""

import difflib
import math
import re
import shlex
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import takewhile
from pathlib import Path

from mnist_exp.config import keras_names
from mnist_exp.config.group_schemas import OPTIONS
from mnist_exp.config.groups import CONF_DIR, group_names, group_options, own_folders
from mnist_exp.config.meanings import Described, all_settings

# The field's usual names -> ours. A name with several words has them without a sign between them.
_USUAL = {
    "optimizer.learning_rate": "lr learningrate eta alpha stepsize baselr initlr",
    "schedule.epochs": "epochs epoch nepochs numepochs maxepochs nepoch nbepoch trainepochs",
    "schedule.batch_size": "bs batch batchsize trainbatchsize minibatch minibatchsize",
    "schedule.max_steps": "steps step maxsteps nsteps numsteps iterations iters maxiter niter",
    "schedule.stop_at_accuracy": "earlystopping stopat targetaccuracy",
    "model.dropout": "drop dropoutrate droprate pdrop",
    "model.hidden_units": "hidden hiddensize hiddensizes hiddenlayersizes units layers width",
    "model.kernel_size": "kernel kernels kernelsize ksize filtersize",
    "model.filters": "channels convfilters nfilters numfilters",
    "model.dense_units": "dense densesize fc",
    "optimizer.weight_decay": "wd l2 decay",
    "optimizer.beta_1": "b1 beta1",
    "optimizer.beta_2": "b2 beta2",
    "optimizer.epsilon": "eps",
    "seed": "seeds randomseed randomstate manualseed rng rngseed",
    "threads": "nthreads numthreads cores cpus ncores",
    "data.train_limit": "limit ntrain trainsize maxsamples nsamples numsamples subset",
    "data.validation_size": "valsize validationsplit nval",
    "data.dir": "datadir datapath dataroot root path",
    "tracking.uri": "trackinguri mlflowuri store",
    "tracking.experiment": "experimentname",
    "run_name": "name runname title",
    "tags": "tag",
    "resume": "checkpoint ckpt resumefrom ckptpath",
    "model": "net network arch architecture modelname",
    "optimizer": "optim opt optimiser optimizername",
    "loss": "criterion lossfn lossfunction objectivefunction",
    "schedule": "scheduler lrscheduler lrschedule",
    "data": "dataset",
    "init": "initializer initialiser initialization weights weightinit",
    "experiment": "preset exp",
    "sweeps": "sweep study",
    "hydra.sweeper.n_trials": "ntrials trials numtrials",
    "hydra.sweeper.n_workers": "workers nworkers njobs numworkers jobs",
    "hydra.sweeper.direction": "mode",
    "objective": "metric monitor",
    "hydra.run.dir": "outputdir outdir logdir output savedir",
}
_OTHER_NAMES = {
    "hydra.sweeper.sampler": "hydra/sweeper/sampler",
    "hydra.sweeper.pruner": "hydra/sweeper/pruner",
    "sampler": "hydra/sweeper/sampler",
    "pruner": "hydra/sweeper/pruner",
    "launcher": "hydra/launcher",
    "sweeper": "hydra/sweeper",
}
_KEEP = ("keepprob", "keeprate")  # the tutorials' name for 1 - dropout
_NAMED = ("name", "type", "kind", "_target_")  # as in optimizer.type=adam
_RARE = ("init.", "reference.", "bridge.")  # are meant only with their group's name
_SHORTEST = 4  # letters of a misspelling that is looked up: shorter ones resemble many names
_NEAR = 0.75  # how much alike a misspelling has to be, from 0 to 1


def _by_key() -> dict[str, Described]:
    return _all_by_key(own_folders())


@cache
def _all_by_key(_folders: tuple[Path, ...]) -> dict[str, Described]:
    """Return {key: setting} of all, while these are the folders of the user's own options."""
    return {one.key: one for one in all_settings()}


@cache
def _usual() -> dict[str, str]:
    return {name: key for key, names in _USUAL.items() for name in names.split()}


def setting(key: str) -> Described | None:
    """Return what is known of a setting, None if there is none of that name."""
    return _by_key().get(key)


def meant_keys(name: str) -> list[str]:
    """Return the settings or groups that a name means; none, or at most three."""
    lower = name.strip().lower().replace("-", "_")
    if lower in _OTHER_NAMES:
        return [_OTHER_NAMES[lower]]
    if lower in group_names() or lower in _by_key():
        return [lower]
    if _described(name.strip()) is not None:
        return [name.strip()]
    prefix, _, last = lower.replace("/", ".").rpartition(".")
    if prefix in group_names() and last in _NAMED:
        return [prefix]
    if exact := _exact(prefix, last):
        return exact
    return _one_slip(prefix, last) or _near(prefix, last)


def _exact(prefix: str, last: str) -> list[str]:
    """Return what the last part of a name means, in the group that stands before it if any."""
    plain = last.replace("_", "")
    found = [key for key in _by_key() if key.rpartition(".")[2] == last]
    in_group = [key for key in found if prefix and key.startswith(f"{prefix}.")]
    if in_group:
        return in_group[:1] if len(in_group) == 1 else []
    if plain in _usual():
        return [_usual()[plain]]
    if plain in _KEEP:
        return ["model.dropout"]
    if last in _OTHER_NAMES:
        return [_OTHER_NAMES[last]]
    if last in group_names():
        return [last]
    own = [key for key in found if not key.startswith(_RARE)]
    return own if len(own) <= 3 else []


def _one_slip(prefix: str, last: str) -> list[str]:
    """Return what a name of four letters or more means that is one slip of a finger from it.

    The names of groups and settings go before their usual names elsewhere: modle is nearer to model
    than to mode.
    """
    if len(last) < _SHORTEST:
        return []
    group = next((group for group in group_names() if _is_one_slip(prefix, group)), prefix)
    own = {key.rpartition(".")[2]: None for key in _by_key()}
    for names in (dict.fromkeys(group_names()), own, _usual()):
        near = [name for name in names if _is_one_slip(last, name)]
        if keys := list(dict.fromkeys(key for name in near for key in _exact(group, name))):
            return keys if len(keys) <= 3 else []
    return []


def _is_one_slip(typed: str, name: str) -> bool:
    """Return whether at most one letter is wrong, missing or too much, or two are swapped."""
    pairs = zip(typed, name, strict=False)
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    left, right = typed[start:], name[start:]
    one = right in (left, left[1:]) or right[1:] in (left, left[1:])
    return one or (left[:2] == right[1::-1] and left[2:] == right[2:])


def _near(prefix: str, last: str) -> list[str]:
    """Return the setting whose name is spelled most alike, for a name of four letters or more."""
    if len(last) < _SHORTEST:
        return []
    in_group = {key.removeprefix(f"{prefix}."): key for key in _by_key() if prefix in key}
    names = {
        **{name: key for name, key in _usual().items() if len(name) >= _SHORTEST},
        **{key.rpartition(".")[2]: key for key in _by_key() if not key.startswith(_RARE)},
        **{group: group for group in group_names()},
    }
    for candidates, cutoff in ((in_group if prefix else {}, 0.6), (names, _NEAR)):
        if near := difflib.get_close_matches(last, list(candidates), n=1, cutoff=cutoff):
            return [candidates[near[0]]]
    return []


def hint(name: str, value: str | None, arguments: Sequence[str]) -> str:
    """Return `; did you mean ARGUMENTS?` and a line on the setting that the name means.

    The arguments have the value that was typed, and can be copied into a shell. Without anything
    near it is an empty text. `arguments` are all that were typed.
    """
    keys = _of_chosen(name, arguments) or _named(name, value) or meant_keys(name)
    if not keys:
        return ""
    if _plain(name) in _KEEP and value is not None:
        value = _kept(value)
    typed = " or ".join(assignment(key, value, arguments) for key in keys)
    if keys[0] in group_names():
        about = f"\nOptions of {keys[0]}: {', '.join(group_options(keys[0]))}"
    else:
        one = _described(keys[0])
        about = f"\n{one.key}: {one.meaning} {one.facts}" if one is not None else ""
    return f"; did you mean {typed}?{about}"


def _of_chosen(name: str, arguments: Sequence[str]) -> list[str]:
    """Return what GROUP.NAME means if the chosen option passes options on to code, else nothing.

    That is a setting which the option has, or GROUP.options.NAME.
    """
    group, _, last = name.partition(".")
    options = setting(f"{group}.{OPTIONS}")
    if options is None or not last.isidentifier():
        return []
    chosen = _chosen(group, arguments)
    if chosen not in options.values:
        return []
    meant = [one for one in map(setting, meant_keys(name)) if one is not None]
    return [one.key for one in meant if chosen in one.values] or [f"{group}.{OPTIONS}.{last}"]


def _named(name: str, value: str | None) -> list[str]:
    """Return the group that has an option of this name, as for `optimizer.name=adam`."""
    group, _, last = name.lower().partition(".")
    is_option = value is not None and value.lower() in group_options(group)
    return [group] if last in (*_NAMED, "option") and is_option else []


def _described(key: str) -> Described | None:
    """Return what is known of a setting, or of the options that it is one of."""
    group, _, rest = key.partition(".")
    return setting(f"{group}.{OPTIONS}" if rest.startswith(f"{OPTIONS}.") else key)


def assignment(key: str, value: str | None, arguments: Sequence[str] = ()) -> str:
    """Return the arguments that set a key to a value, ready for a shell.

    Where the chosen option lacks the setting, one that has it is chosen as well.
    """
    argument = shlex.quote(f"{key}={_fitting(key, value)}")
    of_study = any(text.startswith(("sweeps=", "hydra/sweeper=")) for text in arguments)
    if key.startswith("hydra.sweeper.") and not of_study:
        return f"-m sweeps=NAME {argument}"
    if key.startswith("hydra/sweeper") or key == "sweeps":
        return f"-m {argument}"
    group, one = key.partition(".")[0], _described(key)
    if one is None or "." not in key or group not in group_names():
        return argument
    chosen = _chosen(group, arguments)
    if chosen in one.values or chosen not in group_options(group):
        return argument
    return f"{group}={next(iter(one.values))} {argument}"


def _chosen(group: str, arguments: Sequence[str]) -> str:
    """Return the option of a group, from what was typed, from the preset, or the default."""
    typed = dict(text.lstrip("+").partition("=")[::2] for text in arguments)
    if group in typed:
        return typed[group]
    files = [CONF_DIR / "experiment" / f"{typed.get('experiment')}.yaml", CONF_DIR / "config.yaml"]
    for file in filter(Path.is_file, files):
        pattern = rf"^  - (?:override /)?{group}: (\w+)"
        if found := re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE):
            return found[1]
    return ""


def _kept(value: str) -> str:
    """Return the fraction that is dropped for one that is kept."""
    try:
        return f"{1 - float(value):g}"
    except ValueError:
        return value


def _fitting(key: str, value: str | None) -> str:
    """Return the value in the form of the setting: a list in brackets, an option by its name."""
    if value is None:
        return "VALUE"
    one = setting(key)
    if key in group_names():
        return next((name for name in group_options(key) if name == value.lower()), value)
    if one is not None and one.type is list and not value.startswith("["):
        return f"[{value.strip('(){}')}]"
    if key in ("loss.name", "optimizer.name"):
        return next(iter(keras_names.meant(value, keras_names.usable(key[:-5]))), value)
    if one is not None and one.type in (int, float):
        return number_meant(value, whole=one.type is int) or value
    return value


def options_within(group: str, name: str, options: Sequence[str]) -> list[str]:
    """Return `GROUP=OPTION`, at most three, of the group's options that begin so or contain it.

    An option of this very name, but for capital letters, is returned alone.
    """
    lower = name.lower()
    within = [option for option in options if lower and lower in option]
    begin = [option for option in within if option.startswith(lower)]
    found = [option for option in within if option == lower] or begin or within
    return [f"{group}={option}" for option in found[:3]]


def options_named(name: str) -> list[str]:
    """Return `GROUP=OPTION` for each group that has an option of this name."""
    lower = name.lower().removesuffix(".yaml")
    groups = [group for group in group_names() if lower in group_options(group)]
    return [f"{'-m ' if group == 'sweeps' else ''}{group}={lower}" for group in groups]


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").rpartition(".")[2].replace("_", "")


def near(name: str, options: Sequence[str], cutoff: float = 0.5) -> str:
    """Return the option that is spelled most alike, or an empty text."""
    return next(iter(difflib.get_close_matches(name.lower(), options, n=1, cutoff=cutoff)), "")


def number_meant(text: str, *, whole: bool) -> str | None:
    """Return the number that a text such as `10k`, `0,1`, `1,000` or `50%` means, or None."""
    plain = re.sub(r"(?<=\d)[\s_'](?=\d)", "", unicodedata.normalize("NFKC", text).strip())
    if whole and re.fullmatch(r"\d{1,3}(,\d{3})+", plain):
        plain = plain.replace(",", "")
    match = re.fullmatch(r"([+-]?\d*[.,]?\d+(?:e[+-]?\d+)?)\s*(%|[kK]\b|M\b|[A-Za-z]*)", plain)
    if match is None:
        return None
    factor = {"%": 0.01, "k": 1e3, "K": 1e3, "M": 1e6}.get(match[2], 1)
    number = float(match[1].replace(",", ".")) * factor
    if whole and match[2] == "" and re.fullmatch(r"[+-]?\d+", match[1]):
        return match[1]  # of any size
    if not math.isfinite(number) or (whole and (not number.is_integer() or abs(number) > 2**53)):
        return None
    return str(int(number)) if whole else f"{number:g}"
