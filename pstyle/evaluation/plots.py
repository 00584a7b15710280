"""Curves, sheets and pictures of features, drawn as pictures (1, 3, H, W) float32 in [0, 1].

matplotlib is imported when a plot is drawn, never before: it is slow to load and a host may never draw one.
Figures have their own canvas, so no window, no current figure and no setting of the host's pyplot is touched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Record = Mapping[str, float]
NOT_SERIES = ("step", "seconds")
DPI = 100
SMALLEST_PLOT_PX = 200
# (title, part of the series' names, value to aim at) of each panel of the discriminator plot
DISCRIMINATOR_PANELS = (
    ("Accuracy (0.5: cannot tell painted from real)", "accuracy", 0.5),
    ("Logit gap real - painted, in standard deviations", "gap", 0.0),
    ("Duality gap (0 at an equilibrium)", "duality", 0.0),
    ("Losses", "loss", None),
)


def loss_plot(
    history: Sequence[Record],
    series: Sequence[str] | None = None,
    title: str = "Losses while learning",
    width_px: int = 960,
    height_px: int = 540,
) -> Tensor:
    """Curves of a loop's records over their "step": all series, or the ones named; log scale if all are > 0.

    Raises ValueError for an empty history, a record without "step", an unknown series or a side under 200 px.
    """
    names = _series(history) if series is None else list(series)
    figure = _figure(width_px, height_px)
    axes = figure.add_subplot()
    _draw_curves(axes, history, names)
    axes.set(title=title, xlabel="Step", ylabel="Loss")
    return _rendered(figure)


def discriminator_plot(history: Sequence[Record], width_px: int = 960, height_px: int = 900) -> Tensor:
    """Accuracy, gaps and losses of an adversarial loop over its steps; dashed: their value at equilibrium.

    A series belongs to the panel whose word its name holds ("accuracy", "gap", "duality", "loss"); a panel
    without one is left out. Raises ValueError as loss_plot does, and where no panel has a series.
    """
    names = _series(history)
    panels = []
    for panel_title, word, aim in DISCRIMINATOR_PANELS:
        shown = [name for name in names if word in name]
        if shown:
            panels.append((panel_title, shown, aim))
    if not panels:
        raise ValueError(
            f"no accuracy, gap, duality or loss in this history; it has {', '.join(names) or 'no series'}"
        )
    figure = _figure(width_px, height_px)
    grid = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axes, (title, shown, aim) in zip(grid, panels, strict=True):
        _draw_curves(axes, history, shown, log=False)
        axes.set_title(title)
        if aim is not None:
            axes.axhline(aim, color="0.4", linestyle="--", linewidth=1)
        if aim == 0.5:
            axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("Step")
    return _rendered(figure)


def contact_sheet(
    rows: Sequence[Sequence[Tensor | None]], labels: Sequence[Sequence[str]] | None = None, cell_px: int = 256
) -> Tensor:
    """Pictures of any sizes on one white sheet, each fitted into a square cell with its caption under it.

    rows hold pictures (1, 3, H, W), None for an empty cell; labels, if given, has a caption for each cell.
    Raises ValueError for no pictures, captions that do not match the cells, or a cell under 32 px.
    """
    if cell_px < 32 or all(image is None for row in rows for image in row):
        raise ValueError("a contact sheet needs at least one picture and cells of at least 32 px")
    if labels is not None and [len(row) for row in labels] != [len(row) for row in rows]:
        raise ValueError("labels must have one caption for each cell of rows")
    gap, text_px = max(4, cell_px // 32), max(11, cell_px // 16)
    caption_px = 0 if labels is None else text_px + gap
    step_x, step_y = cell_px + gap, cell_px + caption_px + gap
    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (gap + columns * step_x, gap + len(rows) * step_y), "white")
    for top, row in enumerate(rows):
        for left, image in enumerate(row):
            x, y = gap + left * step_x, gap + top * step_y
            if image is not None:
                _paste(sheet, image, x, y, cell_px)
            if labels is not None:
                _write(sheet, labels[top][left], x, y + cell_px + gap // 2, cell_px, text_px)
    return _from_pixels(np.asarray(sheet))


def heat_map(features: Tensor, height: int | None = None, width: int | None = None) -> Tensor:
    """Where features (B, C, H, W) are strong: root mean square of channels, dark to bright, (B, 3, H, W).

    Each picture is scaled to its own maximum, and enlarged to height x width if both are given.
    Raises ValueError for a tensor of another shape.
    """
    if features.ndim != 4 or 0 in features.shape:
        raise ValueError(f"a heat map needs features (B, C, H, W); got {tuple(features.shape)}")
    strength = features.float().square().mean(1, keepdim=True).sqrt()
    if height and width:
        strength = F.interpolate(strength, size=(height, width), mode="bilinear")
    shares = strength / strength.amax((2, 3), keepdim=True).clamp_min(1e-12)
    return _colored(shares[:, 0], "magma").movedim(-1, 1).contiguous()


def gram_picture(gram: Tensor, size_px: int = 640, title: str = "Gram matrix") -> Tensor:
    """A Gram matrix (C, C) or (1, C, C) with axes and a color bar: which feature maps are strong together.

    As cosines, G_ij / sqrt(G_ii G_jj), since raw entries span many orders of magnitude; strongest first.
    Raises ValueError for a tensor of another shape or a picture under 200 px.
    """
    matrix = gram.detach().float().cpu()
    matrix = matrix[0] if matrix.ndim == 3 and matrix.shape[0] == 1 else matrix
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.numel() == 0:
        raise ValueError(f"a Gram matrix is (C, C) or (1, C, C); got {tuple(gram.shape)}")
    order = matrix.diagonal().argsort(descending=True)
    lengths = matrix.diagonal().clamp_min(1e-12).sqrt()
    cosines = (matrix / lengths[:, None] / lengths[None])[order][:, order]
    figure = _figure(size_px, size_px)
    axes = figure.add_subplot()
    shown = axes.imshow(cosines.numpy(), cmap="magma", vmin=min(0.0, cosines.min().item()), vmax=1)
    axes.set(title=title, xlabel="Feature map, strongest first", ylabel="Feature map, strongest first")
    figure.colorbar(shown, ax=axes, label="Cosine", shrink=0.8)
    return _rendered(figure)


def place_map(
    pictures: Sequence[tuple[Tensor, Tensor]],
    styles: Mapping[str, tuple[Tensor, Tensor | None]],
    candidates: Sequence[tuple[Tensor, bool]],
    side_px: int = 900,
) -> Tensor:
    """A plane with pictures, styles by name and candidates, each where its place (2,) is.

    Pictures and styles are small, (3, h, w) uint8; a style may have none. Chosen candidates are orange.
    Raises ValueError for a side under 200 px.
    """
    figure = _figure(side_px, side_px)
    axes = figure.add_subplot(xlabel="First principal component of the codes", ylabel="Second")
    for (x, y), small in pictures:
        _draw_thumb(axes, small, float(x), float(y), "0.6")
    for name, ((x, y), small) in styles.items():
        if small is not None:
            _draw_thumb(axes, small, float(x), float(y), "tab:blue")
        axes.plot(x, y, "s", color="tab:blue", zorder=5)
        axes.annotate(name, (x, y), xytext=(6, 6), textcoords="offset points", zorder=7, weight="bold")
    for (x, y), chosen in candidates:
        look = {"color": "tab:orange", "markersize": 9} if chosen else {"color": "0.7", "markersize": 5}
        axes.plot(x, y, "o", markeredgecolor="white", zorder=6, **look)
    axes.margins(0.15)
    axes.set_aspect("equal", adjustable="datalim")  # what is near is alike, whatever the direction
    axes.set_title("Pictures (gray frames), styles (blue), candidates (dots; chosen ones orange)")
    return _rendered(figure)


def _draw_thumb(axes: Axes, small: Tensor, x: float, y: float, color: str) -> None:
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    image = OffsetImage(small.permute(1, 2, 0).numpy(), zoom=0.6)
    frame = {"edgecolor": color, "linewidth": 2}
    axes.add_artist(AnnotationBbox(image, (x, y), pad=0.15, bboxprops=frame))
    axes.plot(x, y, alpha=0)  # makes room in the axes, which a box does not


def _series(history: Sequence[Record]) -> list[str]:
    """Names of all series, in order of their first appearance."""
    if not history:
        raise ValueError("the history is empty: nothing to plot; run at least one step")
    if not all("step" in record for record in history):
        raise ValueError('every record of a history needs a "step"')
    names = dict.fromkeys(name for record in history for name in record if name not in NOT_SERIES)
    return [name for name in names if any(_is_number(record.get(name)) for record in history)]


def _draw_curves(axes: Axes, history: Sequence[Record], names: Sequence[str], log: bool = True) -> None:
    known = _series(history)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        has = ", ".join(known) or "none"
        raise ValueError(f"no series {', '.join(unknown) or 'named'} to plot; this history has {has}")
    positive = True
    for name in names:
        points = [(record["step"], record[name]) for record in history if _is_number(record.get(name))]
        steps, values = zip(*points, strict=True)
        marker = "." if len(points) < 40 else None  # a lone check would be invisible as a line
        axes.plot(steps, values, label=name.replace("_", " "), linewidth=1.6, marker=marker)
        positive = positive and all(value > 0 for value in values if math.isfinite(value))
    if log and positive:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    axes.grid(True, which="both", color="0.9", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=1 + (len(names) - 1) // 6)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _figure(width_px: int, height_px: int) -> Figure:
    from matplotlib.figure import Figure

    if min(width_px, height_px) < SMALLEST_PLOT_PX:
        raise ValueError(f"a plot needs at least {SMALLEST_PLOT_PX} px a side; got {width_px}x{height_px}")
    return Figure(figsize=(width_px / DPI, height_px / DPI), dpi=DPI, layout="constrained", facecolor="white")


def _rendered(figure: Figure) -> Tensor:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return _from_pixels(np.asarray(canvas.buffer_rgba())[..., :3])


def _colored(values: Tensor, name: str) -> Tensor:
    """Color values (...) in [0, 1] as (..., 3)."""
    from matplotlib import colormaps

    table = torch.tensor(colormaps[name](np.linspace(0, 1, 256))[:, :3], dtype=torch.float32)
    return table[(values.cpu() * 255).round().long().clamp(0, 255)]


def _from_pixels(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


def _paste(sheet: Image.Image, image: Tensor, x: int, y: int, cell_px: int) -> None:
    if image.ndim != 4 or image.shape[:2] != (1, 3):
        raise ValueError(f"a contact sheet shows pictures (1, 3, H, W); got {tuple(image.shape)}")
    pixels = (image[0].detach().float().cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    picture = Image.fromarray(pixels)
    factor = cell_px / max(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    fitted = picture.resize((width, height), Image.Resampling.LANCZOS)
    sheet.paste(fitted, (x + (cell_px - width) // 2, y + (cell_px - height) // 2))


def _write(sheet: Image.Image, text: str, x: int, y: int, width_px: int, text_px: int) -> None:
    font, draw = ImageFont.load_default(text_px), ImageDraw.Draw(sheet)
    endings = [text] + [text[:length] + "..." for length in range(len(text) - 1, -1, -1)]
    shown = next((line for line in endings if draw.textlength(line, font) <= width_px), "")
    draw.text((x + width_px / 2, y), shown, fill="black", font=font, anchor="ma")
