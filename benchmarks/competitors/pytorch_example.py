"""PyTorch's own MNIST example (github.com/pytorch/examples, mnist/main.py).

The network, Adadelta and the schedule are those of the example. Its images are in memory and
already normalised here; the loader of the example reads and transforms each image in every epoch.
"""

import time
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mnist_exp.data import Split

_BATCH_SIZE, _RATE, _RATE_DECAY = 64, 1.0, 0.7


class _Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.conv2(functional.relu(self.conv1(x))))
        x = torch.flatten(self.dropout1(functional.max_pool2d(x, 2)), 1)
        x = self.dropout2(functional.relu(self.fc1(x)))
        return functional.log_softmax(self.fc2(x), dim=1)


def train(train: Split, test: Split, seed: int, epochs: int) -> Iterator[tuple[float, float]]:
    """Yield (test accuracy, seconds of training so far) after each epoch."""
    torch.manual_seed(seed)
    images, labels = _tensors(train)
    test_images, test_labels = _tensors(test)
    model = _Net()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=_RATE)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=_RATE_DECAY)
    seconds = 0.0
    for _ in range(epochs):
        started = time.perf_counter()
        model.train()
        for batch in torch.randperm(len(images)).split(_BATCH_SIZE):
            optimizer.zero_grad()
            functional.nll_loss(model(images[batch]), labels[batch]).backward()
            optimizer.step()
        scheduler.step()
        seconds += time.perf_counter() - started
        model.eval()
        with torch.no_grad():
            right = [
                int((model(x).argmax(1) == y).sum())
                for x, y in zip(test_images.split(1000), test_labels.split(1000), strict=True)
            ]
        yield sum(right) / len(test), seconds


def _tensors(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    pixels = (split.images.astype(np.float32) / 255 - 0.1307) / 0.3081
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    return images, torch.from_numpy(split.labels.astype(np.int64))
