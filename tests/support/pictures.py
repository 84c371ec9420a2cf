"""Pictures of MNIST's digits as people might have them, and files that are damaged."""

import struct
import zlib

import numpy as np

from benchmarks.picture_kinds import KINDS, dark_on_light, encoded, large, noisy

__all__ = ["KINDS", "dark_on_light", "difference", "encoded", "large", "noisy", "png_header"]


def png_header(width: int, height: int) -> bytes:
    """The start of a PNG file of that size, as far as its first pixels."""

    def chunk(content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
        )

    header = chunk(b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT" + zlib.compress(bytes(100)))


def difference(image: np.ndarray, expected: np.ndarray) -> float:
    """Return the mean difference of two images' pixels, of 255."""
    return float(np.abs(image.astype(float) - expected).mean())
