"""`mnist_exp.load_model`: the trained network of a recorded run."""

from typing import TYPE_CHECKING, Any

from mnist_exp.api.mistakes import InTwoLines
from mnist_exp.errors import require_texts

if TYPE_CHECKING:
    import keras


def load_model(run: Any = "latest", uri: str | None = None) -> "keras.Model":
    """Return the trained Keras network of a recorded run, as `RunResult.model` does.

    It takes float images [N, H, W, C] in [0, 1], and gives logits [N, K].

    run: a result of `run`, the id of a run, `latest`, or `best`, as `python -m mnist_exp.predict`
        has them
    uri: the store, as `tracking.uri`; that of the result, if not given

    Raises UserError if there is no such run, or it has no model that can be loaded: trials of
    studies log none, and neither do runs whose network has parts that only a notebook defines.
    """
    run_id = getattr(run, "run_id", run)
    require_texts("load_model", run=run_id, uri=uri)
    with InTwoLines():
        from mnist_exp.predict.trained_models import Models
        from mnist_exp.training import keras_state

        with keras_state.restored():
            store = getattr(run, "uri", None) if uri is None else uri
            return Models(store).load_network(str(run_id))
