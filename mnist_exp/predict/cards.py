"""What the drawing page says of a run: the settings that matter, its accuracy and its role."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mnist_exp.outside.printing import listed, plural
from mnist_exp.tracking.params import decode

if TYPE_CHECKING:
    from mnist_exp.predict.trained_models import TrainedModel

_SPLITS = {"val/accuracy": "validation", "test/accuracy": "test"}


def card(model: "TrainedModel", roles: Mapping[str, str]) -> dict[str, Any]:
    """Return the card of a run as JSON; `roles` are {latest or best: run id}."""
    accuracies = {
        split: model.metrics[name] for name, split in _SPLITS.items() if name in model.metrics
    }
    return {
        "id": model.run_id,
        "name": model.run_name,
        "roles": [role for role, run_id in roles.items() if run_id == model.run_id],
        "settings": settings_in_words(model.params),
        "accuracies": [f"{split} {value:.4f}" for split, value in accuracies.items()],
    }


def settings_in_words(params: Mapping[str, str]) -> str:
    """Return a run's most telling settings from its params, as far as it has recorded them."""
    values = {key: decode(text) for key, text in params.items()}
    parts = [_network(values), _optimizer(values), _length(values), _data(values)]
    return "; ".join(part for part in parts if part)


def _network(values: Mapping[str, object]) -> str:
    """Return such as `CNN, 3x3 kernels, 32 and 64 filters`; "" for a run that names no kind."""
    match values.get("model.kind"):
        case "softmax":
            text = "softmax regression"
        case "mlp":
            text = f"dense layers of {_listed(values.get('model.hidden_units'))}"
        case "convnet":
            size = values.get("model.kernel_size")
            text = f"CNN, {size}x{size} kernels, {_listed(values.get('model.filters'))} filters"
        case "own":
            text = ", ".join([str(values.get("model.build")), *_options(values, "model")])
        case _:
            return ""
    if values.get("model.dense_units"):
        text += f", dense layer of {values['model.dense_units']}"
    if values.get("model.dropout"):
        text += f", dropout {values['model.dropout']}"
    if values.get("loss.kind") == "self_entropy":
        text += ", with the loss that ignores the labels"
    return text


def _optimizer(values: Mapping[str, object]) -> str:
    rate = values.get("optimizer.learning_rate")
    name = values.get("optimizer.name", values.get("optimizer.kind"))
    return "" if rate is None else f"{name} at {rate:g}"


def _options(values: Mapping[str, object], group: str) -> list[str]:
    """Return such as `depth=8` for each option that code of the user's own is called with."""
    prefix = f"{group}.options."
    return [
        f"{key[len(prefix) :]}={value}" for key, value in values.items() if key.startswith(prefix)
    ]


def _length(values: Mapping[str, object]) -> str:
    parts = []
    for key, unit in (("schedule.epochs", "epoch"), ("schedule.max_steps", "step")):
        count = values.get(key)
        if isinstance(count, int):
            parts.append(plural(count, unit))
    return " or ".join(parts)


def _data(values: Mapping[str, object]) -> str:
    """Return what was trained on, if it is not all of MNIST."""
    limit, folder = values.get("data.train_limit"), values.get("data.dir")
    images = f"{limit:,} images" if isinstance(limit, int) else ""
    return images if folder is None else f"{images or 'images'} of {folder}"


def _listed(value: object) -> str:
    """Return `16, 32 and 64` for a list."""
    if not isinstance(value, list):
        return str(value)
    return listed([str(item) for item in value])
