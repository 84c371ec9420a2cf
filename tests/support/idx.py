"""Files in the format of MNIST."""

import numpy as np


def idx_bytes(values: np.ndarray) -> bytes:
    """An IDX file of unsigned bytes: images [N, H, W] or [N, H, W, C], or labels [N]."""
    magic = 0x800 + values.ndim
    return np.array([magic, *values.shape], ">u4").tobytes() + values.astype(np.uint8).tobytes()
