"""`experiment=speedrun` in PyTorch: the same network, images, optimizer and schedule, tuned.

All images are in one tensor, channels last; Adam's update is one kernel, and the model computes
under autocast to bfloat16 in training. `torch.compile` is used where `compiled` asks for it.
"""

import time
from collections.abc import Iterator

import torch
from torch import nn

from benchmarks.competitors.pytorch import network, tensors
from mnist_exp.config.group_schemas import OneCycleScheduleConfig
from mnist_exp.config.optimizer_schemas import AdamConfig
from mnist_exp.config.schema import Config
from mnist_exp.data import Split


def train(
    config: Config, train: Split, test: Split, seed: int, *, compiled: bool
) -> Iterator[tuple[float, float]]:
    """Yield (test accuracy, seconds of training so far) after each epoch that was begun.

    What `torch.compile` takes is no part of the time, as TensorFlow's compiling is none of ours.
    """
    torch.manual_seed(seed)
    size, steps = config.schedule.batch_size, config.schedule.total_steps(len(train))
    images, labels = tensors(train)
    test_images, test_labels = tensors(test)
    module = network(config)
    module.apply(_initialize)
    optimizer, scheduler = _optimizer(config, module, steps)
    model = torch.compile(module) if compiled else module
    loss_function = nn.CrossEntropyLoss()

    def step(batch: torch.Tensor) -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(images[batch])
        loss_function(logits.float(), labels[batch]).backward()

    step(torch.arange(size))  # compiles; no weight changes
    seconds, done = 0.0, 0
    while done < steps:
        started = time.perf_counter()
        for batch in torch.randperm(len(images)).split(size)[: steps - done]:
            step(batch)
            optimizer.step()
            scheduler.step()
            done += 1
        seconds += time.perf_counter() - started
        with torch.no_grad():
            right = int((module(test_images).argmax(1) == test_labels).sum())
        yield right / len(test), seconds


def _optimizer(
    config: Config, module: nn.Module, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    adam, schedule = config.optimizer, config.schedule
    assert isinstance(adam, AdamConfig)
    assert isinstance(schedule, OneCycleScheduleConfig)
    optimizer = torch.optim.Adam(
        module.parameters(), betas=(adam.beta_1, adam.beta_2), eps=adam.epsilon, fused=True
    )
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=adam.learning_rate,
        total_steps=steps + 1,  # it is called once more after the last step
        pct_start=schedule.warmup_fraction,
        div_factor=1 / schedule.initial_fraction,
        final_div_factor=schedule.initial_fraction / schedule.final_fraction,
        cycle_momentum=False,
    )
    return optimizer, scheduler


def _initialize(layer: nn.Module) -> None:
    """Draw the weights as `init=he` does."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    elif isinstance(layer, nn.Linear):  # the readout
        nn.init.xavier_uniform_(layer.weight)
    if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
