"""What a file is that was saved in place of another."""

from pathlib import Path

# How files begin, in small letters, which downloads and archives leave.
_BEGINNINGS = {
    b"<!doctype html": "a web page; download the file itself",
    b"<html": "a web page; download the file itself",
    b"<": "an XML file or a web page; download the file itself",
    b"version https://git-lfs": "a Git LFS pointer; `git lfs pull` fetches the file itself",
    b"{": "a JSON text",
    b"[": "a JSON text",
    b"\x93numpy": "a NumPy array; np.savez puts four of them into one .npz file",
    b"pk\x03\x04": "a ZIP archive; unpack it",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"bzh": "a bzip2 archive; unpack it",
    b"\xfd7zxz": "an xz archive; unpack it",
    b"(\xb5/\xfd": "a Zstandard archive; unpack it",
    b"rar!": "a RAR archive; unpack it",
    b"\x1f\x8b": "a gzip file; unpack it",
    b"\x1f\x9d": "a .Z archive; unpack it",
    b"par1": "a Parquet table; a folder with train-*.parquet and test-*.parquet is read",
    b"\x89png": "a PNG picture; a folder with train/CLASS/ and test/CLASS/ is read",
    b"\xff\xd8\xff": "a JPEG picture; a folder with train/CLASS/ and test/CLASS/ is read",
    b"\x89hdf": "an HDF5 file; its arrays are read from an .npz file that np.savez writes",
    b"matlab": "a MATLAB file; scipy.io.loadmat reads it, and np.savez writes an .npz file",
    b"\x80": "a Python pickle, which may run any code and is never loaded",
}
# Of files that begin as anything.
_ENDINGS = {
    ".csv": "a CSV table; its pixels are read from an .npz file that np.savez writes",
    ".tsv": "a TSV table; its pixels are read from an .npz file that np.savez writes",
    ".tar": "a tar archive; unpack it",
    ".tgz": "a tar archive; unpack it",
    ".tar.gz": "a tar archive; unpack it",
    ".pkl": "a Python pickle, which may run any code and is never loaded",
    ".pickle": "a Python pickle, which may run any code and is never loaded",
    ".pt": "a PyTorch file, which may run any code and is never loaded",
    ".pth": "a PyTorch file, which may run any code and is never loaded",
    ".tfrecord": "TensorFlow records; tensorflow_datasets reads them, and np.savez writes an .npz",
    ".arrow": "an Arrow table; `datasets` reads it, and to_parquet writes Parquet files",
    ".bin": "a binary file, as that of CIFAR-10; np.savez writes its arrays as an .npz file",
}


def kind_of(start: bytes) -> str | None:
    """Return what a file with these first bytes is; None for an IDX file and if it is not clear.

    An IDX file begins with two bytes that are 0.
    """
    if not start or start[0] == 0:
        return None
    start = start[:200].removeprefix(b"\xef\xbb\xbf").lstrip()
    for begin, kind in _BEGINNINGS.items():
        if start.lower().startswith(begin):
            return kind
    text = start.decode("latin-1").splitlines()[:1]
    if text and text[0].isascii() and text[0].isprintable():
        return f"a text that begins with {text[0][:60]!r}"
    return None


def kind_of_file(path: Path) -> str:
    """Return what a file is, by its name's ending or its first bytes. Raises OSError."""
    name = path.name.lower()
    for ending, kind in _ENDINGS.items():
        if name.endswith(ending) or f"{ending}-" in name:  # mnist-train.tfrecord-00000-of-00001
            return kind
    with path.open("rb") as file:
        return kind_of(file.read(200)) or "a file of an unknown kind"
