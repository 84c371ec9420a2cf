"""A picture of a digit as people have it -> 28x28 pixels as MNIST has them.

How MNIST was made (LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist): "The original black and white (bilevel)
images from NIST were size normalized to fit in a 20x20 pixel box while preserving their aspect ratio. The resulting
images contain grey levels as a result of the anti-aliasing technique used by the normalization algorithm. the images
were centered in a 28x28 image by computing the center of mass of the pixels, and translating the image so as to
position this point at the center of the 28x28 field." NIST's images were scans of one digit each, free of paper and
light. What comes before that here makes such a scan of a photo or a drawing.

A copy of this file travels with every logged model, which loads where mnist_exp is not installed: it imports numpy and
Pillow only.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .picture_files import PictureError, read_grey

SIZE, BOX = 28, 20  # of MNIST's images, and of the box that their ink fits
_WORKING = (
    4 * BOX
)  # longest side of the ink's box while noise is told from ink: four pixels for one of MNIST
_CELLS = 256  # of the longer side, in which the page's pieces of ink are looked for
_LEAST_CONTRAST = (
    0.08  # between ink and paper, of the range from black to white; below that a page is empty
)
_SMALLEST_PART = 0.04  # of all the ink; a smaller piece that touches no other is dust
_THIN = 0.03  # of a page's side: what a line at its edge or across it is thinner than
_LARGE = (
    0.08  # of the page's longer side: an inner piece that makes those at the edges surroundings
)
_FEWEST = 6  # pixels of the longer side, that a digit can be read with
_TINY = 0.025  # of the page's longer side; smaller ink is lost in what is done to the page
_FILLED = 0.73  # of the box around a shape about as wide as high: no strokes; 2 in 10,000 of MNIST's digits
_APART = 0.18  # of the larger one's height: the gap that makes two pieces two digits

Box = tuple[int, int, int, int]  # top, left, bottom, right; the last two are the first beyond it


def from_bytes(content: bytes) -> NDArray[np.uint8]:
    """A picture's file of any size, polarity, colour and rotation -> [28, 28], ink 255 on 0, as in MNIST.

    Raises PictureError for a file that is no picture, is damaged, too large, or shows nothing or several digits.
    """
    return from_grey(read_grey(content))


def from_grey(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A grey picture [H, W] from 0 (black) to 1 (white), ink dark or light -> [28, 28] as `from_bytes`."""
    whole = grey.shape
    for _ in range(3):
        grey = _inner(grey)
        ink = _without_rules(_ink(grey))
        ink, kept = _digit_of_page(ink)
        plate = _plate(kept)
        if plate is None:
            break
        grey = _crop(grey, plate)
    if _side(kept) < max(_FEWEST, _TINY * max(whole)):
        raise PictureError(
            f"the ink is {_side(kept)} of the picture's {max(whole)} pixels, too small: cut it out"
        )
    return _scan(_crop(ink, _box(kept, margin=0.1)))


def _scan(ink: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The ink of one digit with some paper around it -> [28, 28]."""
    ink = _resized(ink, _WORKING) if max(ink.shape) > _WORKING else ink
    kept = _digit(_mask(ink))
    around = _grown(kept)
    # What is left of noise and of the paper's texture is as strong in the ink's place as it is elsewhere.
    noise = 2 * _deviation(ink[~around])
    ink = np.where(around, np.maximum(ink - noise, 0), 0)
    ink = _resized(_crop(ink, _box(kept)), BOX, both_ways=True)
    if ink.max() <= 0.02:
        raise _nothing()
    # A thin pen's line is narrower than a pixel now, and would be fainter than any line in MNIST.
    ink /= np.quantile(ink[ink > 0], 0.95) if (ink > 0.02).sum() > 5 else ink.max()
    shape = ink > 0.5
    shape = shape[_slices(_box(shape))]
    if min(shape.shape) >= 0.6 * max(shape.shape) and shape.mean() > _FILLED:
        raise PictureError("a filled shape: a digit is drawn with lines")
    return _centred(np.round(255 * np.clip(ink, 0, 1)).astype(np.uint8))


def _nothing() -> PictureError:
    return PictureError(
        "the page is empty: there is no ink that stands out from the paper, or it is too small for its page"
    )


def _inner(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """The page without bands of the other kind of pixels along its edges: lines, a scanner's black, title bars."""
    for _ in range(4):
        other = grey < _otsu(grey)
        if other[_zone(other.shape)].mean() > 0.5:
            other = ~other
        box = (
            _band(other),
            _band(other.T),
            len(other) - _band(other[::-1]),
            other.shape[1] - _band(other.T[::-1]),
        )
        if box == (0, 0, *grey.shape):
            break
        grey = _crop(grey, box)
    return grey


def _zone(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where a page is paper mostly: its outer quarter, but for the outermost twentieth."""
    zone = np.zeros(shape, bool)
    for part, value in ((0.04, True), (0.25, False)):
        rows, columns = (max(int(np.ceil(part * n)), 1) for n in shape)
        zone[rows:-rows, columns:-columns] = value
    return zone if zone.any() else ~zone


def _band(other: NDArray[np.bool_]) -> int:
    """How many of the first rows are a band: a thin one, or a wider one that nothing is attached to."""
    height = len(other)
    share = other.mean(axis=1)
    full = share >= 0.9
    if not full[0]:
        return 0
    width = int(np.argmin(full)) if not full.all() else height
    if width > 0.4 * height:
        return 0
    soft = width
    while soft < height and soft - width <= max(1, 0.01 * height) and share[soft] > 0.05:
        soft += 1  # the band's edge may be blurred
    attached = share[min(soft, height - 1)] > 0.02
    return width + 1 if attached and width <= max(1, _THIN * height) else 0 if attached else soft


def _ink(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much ink each pixel has: 0 for paper, 1 for the ink's own colour, whichever of the two is darker."""
    smooth = _blurred(grey)
    dark = smooth < _otsu(smooth)
    if _explained(smooth, dark) < 0.85:  # not two colours but light and shadow, too
        uneven = smooth - _surroundings_of(smooth)
        dark = uneven < _otsu(uneven)
    # Paper is most of a picture, of its outer part, and of its corners.
    inverted = dark.mean() + dark[_zone(dark.shape)].mean() + _corners(dark) > 1.5
    sign = 1 if inverted else -1
    background = sign * _background(sign * smooth)
    ink = sign * (grey - background)
    ink = np.minimum(ink, sign * (grey - _paper(grey, dark if inverted else ~dark)))
    if not inverted:  # in a shadow ink and paper are both darker
        ink /= np.clip(background / max(float(background.max()), 0.01), 0.25, 1)
    smooth = _blurred(ink)
    strongest = (
        float(np.quantile(smooth[smooth > smooth.max() / 2], 0.5)) if smooth.max() > 0 else 0.0
    )
    if strongest < _LEAST_CONTRAST:
        raise _nothing()
    return np.clip(ink / strongest, 0, 1).astype(np.float32)


def _explained(values: NDArray[np.float32], flags: NDArray[np.bool_]) -> float:
    """The share of the variance that lies between the values that are set and those that are not."""
    share = float(flags.mean())
    if not 0 < share < 1:
        return 0.0
    apart = float(values[flags].mean() - values[~flags].mean())
    return share * (1 - share) * apart**2 / max(float(values.var()), 1e-12)


def _corners(flags: NDArray[np.bool_]) -> float:
    """The share that is set of the four corners, a tenth of each side."""
    rows, columns = (max(1, n // 10) for n in flags.shape)
    return float(
        np.mean(
            [
                flags[r, c].mean()
                for r in (slice(rows), slice(-rows, None))
                for c in (slice(columns), slice(-columns, None))
            ]
        )
    )


def _surroundings_of(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median brightness of the third of the page around each pixel: that of the paper, lit or in a shadow."""
    small = np.asarray(Image.fromarray(grey).resize((32, 32), Image.Resampling.BOX))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(small, 9, mode="reflect"), (19, 19))
    medians = np.median(windows, axis=(2, 3)).astype(np.float32)
    wide = Image.fromarray(medians).resize(grey.shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(wide, np.float32)


def _background(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The paper's brightness everywhere, where ink is brighter, by what surrounds it: shadows have edges.

    An opening, which takes away all that is narrower than 0.4 of the page.
    """
    small = _resized(values, 128) if max(values.shape) > 128 else values
    length = max(3, round(0.4 * max(small.shape)))
    for choose in (np.minimum, np.maximum):
        for axis in (0, 1):
            small = _running(small, length, axis, choose)
    wide = Image.fromarray(small).resize(values.shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(wide, np.float32)


def _running(
    values: NDArray[np.float32], length: int, axis: int, choose: Callable[..., NDArray[np.float32]]
) -> NDArray[np.float32]:
    """The least or greatest of the `length` values around each; the page's edge goes on outside of it."""
    before = length // 2
    padding = [(0, 0), (0, 0)]
    padding[axis] = (before, length - 1 - before)
    values, have = np.pad(values, padding, mode="edge"), 1
    while have < length:
        step = min(have, length - have)
        one, other = [slice(None)] * 2, [slice(None)] * 2
        one[axis], other[axis] = slice(None, -step), slice(step, None)
        values = choose(values[tuple(one)], values[tuple(other)])
        have += step
    return values


def _paper(grey: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The paper's brightness everywhere, a quadratic surface through the pixels that are paper: light is uneven."""
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in grey.shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    chosen = np.flatnonzero(where)
    chosen = chosen[:: max(1, len(chosen) // 3_000)]
    flat = np.full_like(grey, np.median(grey.reshape(-1)[chosen]))
    if len(chosen) < 200:
        return flat
    at, values = terms.reshape(-1, 6)[chosen].astype(np.float64), grey.reshape(-1)[chosen]
    for _ in range(3):  # what is far from the surface is no paper
        coefficients = np.linalg.solve(at.T @ at + 1e-6 * np.eye(6), at.T @ values)
        off = np.abs(values - at @ coefficients)
        near = off <= 2.5 * max(float(np.median(off)), 0.004)
        at, values = at[near], values[near]
        if len(values) < 200:
            return flat
    return terms @ coefficients.astype(np.float32)


def _without_rules(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """The page without thin lines that cross all of it, in both directions, and with the strokes that cross them."""
    return _without_rows(_without_rows(ink).T).T


def _without_rows(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = ink.shape
    side = max(1, width // 32)
    level = np.minimum(
        np.quantile(ink, 0.25, axis=1),
        np.minimum(ink[:, :side].mean(axis=1), ink[:, -side:].mean(axis=1)),
    )
    level = np.where(level > 0.1, np.quantile(ink, 0.5, axis=1), 0)
    cleaned = ink.copy()
    for start, end in _runs(level > 0):
        if end - start > max(1, _THIN * height):
            continue
        above, below = ink[max(start - 1, 0)], ink[min(end, height - 1)]
        for row in range(start, end):
            cleaned[row] = np.clip((ink[row] - level[row]) / max(1 - level[row], 0.3), 0, 1)
            cleaned[row] = np.maximum(cleaned[row], np.minimum(above, below))
    return cleaned


def _runs(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """(start, end) of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _mask(ink: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where ink is, told from noise by the spread of the pixels around 0."""
    smooth = _blurred(ink)
    paper = smooth[smooth < _otsu(smooth)]
    return smooth > min(max(0.15, 4 * _deviation(paper)), 0.6)


@dataclass(frozen=True)
class _Piece:
    """Cells with ink that touch one another: their label, how many pixels have ink, and their box in cells."""

    label: int
    area: float
    box: Box

    @property
    def sides(self) -> tuple[int, int]:
        """The shorter and the longer one."""
        height, width = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return min(height, width), max(height, width)


def _digit_of_page(ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(The page without what surrounds the digit, where the digit's ink is). Raises PictureError if nothing is left."""
    mask = _mask(ink)
    cells, step = _cells(mask, _CELLS)
    drawn = _edge_bands(cells > 0)
    drawn |= _box_lines(np.where(drawn, 0, cells))
    cells[drawn] = 0
    labels = _labels(cells > 0)
    pieces = _pieces(labels, cells)
    surroundings = _surroundings(pieces, labels)
    digit = _without_dust([piece for piece in pieces if piece not in surroundings])
    kept = _pixels(_cells_of(digit, labels), step, mask.shape) & mask
    gone = _grown(_pixels(_cells_of(surroundings, labels) | drawn, step, mask.shape)) & ~_grown(
        kept
    )
    return np.where(gone, 0, ink).astype(np.float32), kept


def _digit(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without its small pieces. Raises PictureError if nothing is left, or several digits are."""
    cells, step = _cells(mask, 128)
    labels = _labels(cells > 0)
    pieces = _without_dust(_pieces(labels, cells))
    digit = _only_group(pieces, labels)
    return _pixels(_cells_of(digit, labels), step, mask.shape) & mask


def _cells(mask: NDArray[np.bool_], longest: int) -> tuple[NDArray[np.int64], int]:
    """(How many pixels with ink each cell has, the cells' side in pixels); at most `longest` cells a side."""
    step = -(-max(mask.shape) // longest)
    height, width = (-(-n // step) for n in mask.shape)
    padded = np.zeros((height * step, width * step), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return padded.reshape(height, step, width, step).sum(axis=(1, 3)), step


def _pixels(cells: NDArray[np.bool_], step: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.kron(cells, np.ones((step, step), bool))[: shape[0], : shape[1]]


def _cells_of(pieces: list[_Piece], labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    return np.isin(labels, [piece.label for piece in pieces])


def _labels(flags: NDArray[np.bool_]) -> NDArray[np.int32]:
    """A number above 0 for each cell that is set, the same for cells that are connected, corners included."""
    height, width = flags.shape
    padded = np.zeros((height + 2, width + 2), np.int32)
    labels = padded[1:-1, 1:-1]
    labels[:] = np.where(flags, np.arange(1, height * width + 1).reshape(height, width), 0)
    while (
        True
    ):  # each takes the largest label around it, and that one's own, until every piece has one
        before = labels.copy()
        wide = np.maximum(np.maximum(padded[:, :-2], padded[:, 2:]), padded[:, 1:-1])
        around = np.maximum(np.maximum(wide[:-2], wide[2:]), wide[1:-1])
        np.copyto(labels, around, where=flags)
        labels[:] = np.concatenate([[0], labels.ravel()])[labels]
        if np.array_equal(before, labels):
            return labels.copy()


def _pieces(labels: NDArray[np.int32], cells: NDArray[np.int64]) -> list[_Piece]:
    """The pieces with three pixels or more, the largest first; of very many the largest hundred."""
    rows, columns = np.nonzero(labels)
    if not len(rows):
        return []
    chosen = labels[rows, columns]
    order = np.argsort(chosen, kind="stable")
    rows, columns, chosen = rows[order], columns[order], chosen[order]
    starts = np.flatnonzero(np.diff(chosen, prepend=0))
    areas = np.add.reduceat(cells[rows, columns], starts)
    found = []
    for index in np.argsort(-areas, kind="stable")[:100]:
        if areas[index] < 3:
            break
        end = starts[index + 1] if index + 1 < len(starts) else len(chosen)
        r, c = rows[starts[index] : end], columns[starts[index] : end]
        box = int(r.min()), int(c.min()), int(r.max()) + 1, int(c.max()) + 1
        found.append(_Piece(int(chosen[starts[index]]), float(areas[index]), box))
    return found


def _without_dust(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces that are more than a few hundredths of them all, or all if none is. Raises PictureError for none."""
    if not pieces:
        raise _nothing()
    least = _SMALLEST_PART * sum(piece.area for piece in pieces)
    return [piece for piece in pieces if piece.area >= least] or pieces


def _only_group(pieces: list[_Piece], labels: NDArray[np.int32]) -> list[_Piece]:
    """The pieces near one another that are the digit, without small ones far from it.

    Raises PictureError if pieces apart from one another are about as large.
    """
    ink = _cells_of(pieces, labels)
    reach = round(_APART * max(piece.sides[1] for piece in pieces))
    near = ink.astype(np.float32)
    for axis in (0, 1):
        near = np.pad(near, [(reach, reach) if axis == i else (0, 0) for i in (0, 1)])
        near = _running(near, reach + 1, axis, np.maximum)
        near = near[reach : -reach or None] if axis == 0 else near[:, reach : -reach or None]
    grouped = _labels(near > 0)
    groups: dict[int, list[_Piece]] = {}
    for piece in pieces:
        row, column = np.argwhere(labels == piece.label)[0]
        groups.setdefault(int(grouped[row, column]), []).append(piece)
    lengths = {label: _longest(group) for label, group in groups.items()}
    largest = max(lengths.values())
    alike = [groups[label] for label, length in lengths.items() if length >= 0.6 * largest]
    if len(alike) > 1:
        raise PictureError(f"{len(alike)} digits: draw or cut out one")
    return alike[0]


def _longest(pieces: list[_Piece]) -> int:
    """The longer side of the box around all of them."""
    boxes = np.array([piece.box for piece in pieces])
    return int((boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)).max())


def _surroundings(pieces: list[_Piece], labels: NDArray[np.int32]) -> list[_Piece]:
    """The pieces that are not the digit but what is around it: at the page's edges, frames, lines across it."""
    rest = list(pieces)
    for chosen in (_at_edges, _frames, _long_lines):
        gone = chosen(rest, labels)
        rest = [piece for piece in rest if piece not in gone]
    return [piece for piece in pieces if piece not in rest]


def _at_edges(pieces: list[_Piece], labels: NDArray[np.int32]) -> list[_Piece]:
    """The pieces that touch the page's edge, if an inner one can be a digit."""
    height, width = labels.shape
    touching = [p for p in pieces if min(p.box[:2]) == 0 or p.box[2] == height or p.box[3] == width]
    inner = [piece for piece in pieces if piece not in touching]
    rim = np.ones(labels.shape, bool)
    rows, columns = (max(1, n // 10) for n in labels.shape)
    rim[rows:-rows, columns:-columns] = False
    along = [piece for piece in touching if rim[labels == piece.label].mean() > 0.9]
    deep = [piece for piece in touching if piece not in along]
    largest = max((piece.sides[1] for piece in _without_dust(inner)), default=0) if inner else 0
    if largest >= max([_LARGE * max(labels.shape), *(0.3 * piece.sides[1] for piece in deep)]):
        return touching
    return along if deep or largest >= 0.02 * max(labels.shape) else []


def _frames(pieces: list[_Piece], labels: NDArray[np.int32]) -> list[_Piece]:
    """The pieces that are drawn around another one."""
    return [
        outer
        for outer in pieces
        if any(_surrounds(outer, inner, labels) for inner in pieces if inner is not outer)
    ]


def _surrounds(outer: _Piece, inner: _Piece, labels: NDArray[np.int32]) -> bool:
    """Whether the outer piece has ink on all four sides of the inner one, which is large enough for a digit."""
    top, left, bottom, right = inner.box
    inside = all(a < b for a, b in zip(outer.box[:2], inner.box[:2], strict=True)) and all(
        a > b for a, b in zip(outer.box[2:], inner.box[2:], strict=True)
    )
    ink = labels == outer.label
    if not inside or inner.sides[1] < 0.3 * outer.sides[0] or ink[_slices(outer.box)].mean() > 0.5:
        return False
    rows, columns = ink[top:bottom], ink[:, left:right]
    sides = (rows[:, :left], rows[:, right:], columns[:top].T, columns[bottom:].T)
    return all(side.any(axis=1).mean() >= 0.9 for side in sides)


def _slices(box: Box) -> tuple[slice, slice]:
    top, left, bottom, right = box
    return slice(top, bottom), slice(left, right)


def _long_lines(pieces: list[_Piece], labels: NDArray[np.int32]) -> list[_Piece]:
    """The straight lines along most of the page that are longer than anything else."""
    gone = []
    for line in pieces:
        others = [piece.sides[1] for piece in pieces if piece is not line and piece not in gone]
        short, long = line.sides
        if (
            others
            and short <= max(2, long / 12)
            and long >= max(0.6 * min(labels.shape), 1.3 * max(others))
            and max(others) >= 0.15 * long
        ):
            gone.append(line)
    return gone


def _edge_bands(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells of bands along whole edges of the page, which need not be straight, though ink be attached to them.

    What is left without a band must not reach the opposite edge: it would be a digit that was cut out closely.
    """
    bands = [np.zeros(ink.shape, bool) for _ in range(4)]
    for turn, band in enumerate(bands):
        turned = np.rot90(ink, turn)
        if turned[0].mean() < 0.9:
            continue
        depth = np.where(turned.all(axis=0), len(turned), np.argmin(turned, axis=0)).astype(
            np.float32
        )[None]
        length = max(3, turned.shape[1] // 4)
        for choose in (
            np.minimum,
            np.maximum,
        ):  # without what is attached to it, if that is narrower
            depth = _running(depth, length, 1, choose)
        if depth.max() <= 0.2 * len(turned):
            np.rot90(band, turn)[:] = turned & (np.arange(len(turned))[:, None] < depth + 1)
    left = ink & ~np.logical_or.reduce(bands)
    kept = [band for turn, band in enumerate(bands) if not np.rot90(left, turn)[-1].any()]
    return np.logical_or.reduce([np.zeros(ink.shape, bool), *kept])


def _box_lines(cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The cells of the four sides of a box, if ink that it is connected with is left inside without them."""
    labels = _labels(cells > 0)
    drawn = np.zeros(cells.shape, bool)
    for piece in _pieces(labels, cells)[:5]:
        top, left, bottom, right = piece.box
        ink = labels[top:bottom, left:right] == piece.label
        if min(ink.shape) < 8:
            continue
        lines = [_line(ink), _line(ink[::-1]), _line(ink.T), _line(ink.T[::-1])]
        if not all(lines):
            continue
        above, below, before, after = lines
        inside = ink[above : len(ink) - below, before : ink.shape[1] - after]
        left_over = _pieces(_labels(inside), inside.astype(np.int64))
        if left_over and left_over[0].sides[1] >= 0.25 * min(ink.shape):
            sides = ink.copy()
            sides[above : len(ink) - below, before : ink.shape[1] - after] = False
            drawn[top:bottom, left:right] |= sides
    return drawn


def _line(ink: NDArray[np.bool_]) -> int:
    """How many of the first rows a straight line takes; 0 if there is none."""
    share = ink.mean(axis=1)
    most = max(2, len(ink) // 8)
    full = np.flatnonzero(share[:most] >= 0.75)
    if not len(full):
        return 0
    end = int(full[-1]) + 1
    return 0 if end == most else end + int(share[end] > 0.3)


def _plate(kept: NDArray[np.bool_]) -> Box | None:
    """The box of a filled rectangle with a digit left out in it, straight or turned: a sheet, a plate, a card."""
    cells, step = _cells(kept[_slices(_box(kept))], 64)
    ink = np.pad(cells > step * step / 2, 16)
    filled = ink.astype(np.float32)
    for choose in (np.maximum, np.minimum):
        for axis in (0, 1):
            filled = _running(filled, 13, axis, choose)
    holes = (filled > 0) & ~ink
    if (
        min(cells.shape) < 0.3 * max(cells.shape)
        or not 0.03 < holes.sum() / (filled > 0).sum() < 0.4
    ):
        return None
    pieces = _pieces(_labels(holes), holes.astype(np.int64))
    if (
        max((p.sides[1] for p in pieces), default=0) < 0.15 * max(cells.shape)
        or _rectangular(filled > 0) < 0.9
    ):
        return None
    top, left, bottom, right = _box(kept)
    inset = max(1, min(bottom - top, right - left) // 50)
    return top + inset, left + inset, bottom - inset, right - inset


def _side(kept: NDArray[np.bool_]) -> int:
    """The longer side of the box around what is set."""
    top, left, bottom, right = _box(kept)
    return max(bottom - top, right - left)


def _rectangular(filled: NDArray[np.bool_]) -> float:
    """The share that a shape takes of the smallest rectangle around it, of any turn."""
    y, x = np.nonzero(filled)
    angles = np.deg2rad(np.arange(-45, 45, 3))[:, None]
    across, along = x * np.cos(angles) + y * np.sin(angles), y * np.cos(angles) - x * np.sin(angles)
    areas = (np.ptp(across, axis=1) + 1) * (np.ptp(along, axis=1) + 1)
    return float(filled.sum() / areas.min())


def _box(mask: NDArray[np.bool_], margin: float = 0.0) -> Box:
    """(top, left, bottom, right) of what is set, and a margin as a fraction of the longer side."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    more = int(np.ceil(margin * max(bottom - top, right - left)))
    return (
        max(top - more, 0),
        max(left - more, 0),
        min(bottom + more, mask.shape[0]),
        min(right + more, mask.shape[1]),
    )


def _crop(values: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
    return values[_slices(box)]


def _resized(
    ink: NDArray[np.float32], longest: int, *, both_ways: bool = False
) -> NDArray[np.float32]:
    """With that longest side and the same aspect ratio. Smaller is averaged over areas, which is anti-aliasing."""
    scale = longest / max(ink.shape)
    height, width = (max(1, round(n * scale)) for n in ink.shape)
    how = Image.Resampling.BICUBIC if both_ways and scale > 1 else Image.Resampling.HAMMING
    resized = Image.fromarray(np.ascontiguousarray(ink, np.float32)).resize((width, height), how)
    return np.clip(np.asarray(resized, np.float32), ink.min(), ink.max())


def _centred(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[<=20, <=20] -> [28, 28] with the centre of mass in the middle, moved by whole pixels as MNIST's images are.

    In 300 of 300 of its test images the centre is 14.0 to 15.0 pixels from the upper left corner: rounded up, not off.
    """
    corner = []
    for axis, length in enumerate(ink.shape):
        weights = ink.sum(axis=1 - axis, dtype=np.float64)
        centre = (weights * (np.arange(length) + 0.5)).sum() / weights.sum()
        corner.append(int(np.clip(np.ceil(SIZE / 2 - centre), 0, SIZE - length)))
    image = np.zeros((SIZE, SIZE), np.uint8)
    image[corner[0] : corner[0] + ink.shape[0], corner[1] : corner[1] + ink.shape[1]] = ink
    return image


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask and the pixels that touch it."""
    grown = Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(3))
    return np.asarray(grown) > 0


def _blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the noise of single pixels, by a blur that is narrow beside any stroke."""
    if min(values.shape) < 2 * SIZE:
        return values
    for axis in (0, 1):
        values = _median_of_three(values, axis)
    eight_bits = Image.fromarray(np.clip(values * 127.5 + 64, 0, 255).astype(np.uint8))
    blurred = eight_bits.filter(ImageFilter.GaussianBlur(max(values.shape) / 200))
    return (np.asarray(blurred, np.float32) - 64) / 127.5


def _median_of_three(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """The median of each pixel and its two neighbours along the axis: Pillow's median filter takes ten times as long."""
    before, after = np.roll(values, 1, axis), np.roll(values, -1, axis)
    low, high = np.minimum(before, after), np.maximum(before, after)
    return np.maximum(low, np.minimum(high, values))


def _otsu(values: NDArray[np.float32]) -> float:
    """The threshold between two kinds of pixels that leaves the least variance in both (Otsu, 1979)."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        raise _nothing()
    counts = np.bincount(
        ((values - low) * (127.999 / (high - low))).astype(np.uint8).ravel(), minlength=128
    )
    edges = np.linspace(low, high, 129)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    mass = np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[-1] * below / below[-1] - mass) ** 2 / (below * above)
    return float(edges[1:][np.nanargmax(np.where(np.isfinite(between), between, -1))])


def _deviation(values: NDArray[np.float32]) -> float:
    """A standard deviation that outliers do not move: 1.4826 times the median distance from the median."""
    if values.size == 0:
        return 0.0
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
