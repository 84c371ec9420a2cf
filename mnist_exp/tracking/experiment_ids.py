"""Experiments of a store by their names."""

from typing import Any

from mnist_exp.errors import UserError, did_you_mean
from mnist_exp.outside.paging import all_pages
from mnist_exp.outside.printing import first_of


def experiment_ids(client: Any) -> dict[str, str]:
    """Return the id of each experiment that is not deleted, by its name."""
    return {each.name: str(each.experiment_id) for each in all_pages(client.search_experiments)}


def experiment_id(client: Any, name: str) -> str:
    """Return the id of the experiment of this name. Raises UserError if there is none."""
    ids = experiment_ids(client)
    if name not in ids:
        raise UserError(
            f"--experiment {name}: no such experiment{did_you_mean(name, ids)}\n"
            f"Experiments: {first_of(sorted(ids))}"
        )
    return ids[name]
