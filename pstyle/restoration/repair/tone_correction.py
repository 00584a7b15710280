"""Tone correction: a color map, computed from a small copy of a picture, that undoes fading and color casts.

Fading maps colors the same way everywhere. Most of it shows in the position of black, white and midtones of
each color, so quantiles of the colors are read beside the features of a few convolutions. Grain and marks,
which a small copy does not show, indicate that a picture is worn. Worn pictures are almost always faded, so
they have a network of their own that expects fading, while the other one needs clear evidence. A toned
monochrome print, whose colors lie on one line, is a simple case: its color is lost, its levels need
stretching.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...image.colors import luma

TONES_PX = 96  # short side of the small copy
POWERS = 3  # of each color, in the color map
QUANTILES = (0.005, 0.02, 0.08, 0.2, 0.35, 0.5, 0.65, 0.8, 0.92, 0.98, 0.995)
SIGNALS = 6  # with quantiles: red, green, blue, and each minus the lightness
ACROSS = 0.003  # largest ratio of color variance across the line to that along it, for a monochrome print
OFF, SPOTS = 0.04, 0.01  # distance from the line, and the share of its colors that may exceed it
TINT = 0.01  # smallest difference of its mean color from gray
BELIEF = 0.6  # smallest share of auto levels applied to such a print
CLEAN, WORN = 0.006, 0.012  # root mean square of the detail changed by repair: not worn, and fully worn
FADING = 10  # parameters of a fading: see `undone`
WORN_CHANNELS = (64, 48)
GRAY = -20.0  # logarithm of a saturation of practically 0


class ToneCorrection(nn.Module):
    """A small copy of a picture and its mask (B, 4, h, w) -> a color map (B, 3, 1 + 3 * POWERS)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fresh, self.worn = Reader(channels), _of_quantiles(WORN_CHANNELS)

    def forward(self, small: Tensor, wear: float = 0.0) -> Tensor:
        """`wear` from 0 to 1 is how far the picture counts as worn."""
        with torch.autocast(small.device.type, enabled=False):  # shades need more than three digits
            quantiles = color_quantiles(small[:, :3], small[:, 3:])
            toned = is_toned(small[:, :3], small[:, 3:])
            fading = as_print(self.fresh(small, quantiles - 0.5), toned)
            if wear:
                fading = fading.lerp(without_color(self.worn(quantiles - 0.5), toned), wear)
            ends = quantiles.unflatten(1, (SIGNALS, -1))[:, :3, [0, -1]]
            return undone(fading, ends)


class Reader(nn.Module):
    """A small copy (B, 4, h, w) and its quantiles minus one half -> a fading (B, 10) for `undone`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        sizes = (4, channels, 2 * channels, 4 * channels)
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in zip(sizes, sizes[1:], strict=False)
        )
        self.inner = nn.Linear(3 * sum(sizes[1:]) + SIGNALS * len(QUANTILES), 4 * channels)
        self.middle = nn.Linear(4 * channels, 4 * channels)
        self.out = nn.Linear(4 * channels, FADING)

    def forward(self, small: Tensor, quantiles: Tensor) -> Tensor:
        x, code = small - 0.5, [quantiles]
        for layer in self.convs:
            x = F.relu(layer(x))
            variance, mean = torch.var_mean(x, dim=(2, 3), correction=0)
            code += [mean, (variance + 1e-4).sqrt(), x.amax((2, 3))]
        return self.out(F.relu(self.middle(F.relu(self.inner(torch.cat(code, dim=1))))))


def _of_quantiles(channels: tuple[int, ...]) -> nn.Sequential:
    """Quantiles minus one half -> a fading (B, 10).

    With convolutions it fitted its training pictures better, and others worse.
    """
    sizes = (SIGNALS * len(QUANTILES), *channels)
    layers = [nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in zip(sizes, sizes[1:], strict=False)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], FADING))


def undone(fading: Tensor, ends: Tensor) -> Tensor:
    """The color map (B, 3, 1 + 3 * POWERS) that undoes a fading (B, 10).

    `ends` (B, 3, 2) are the darkest and lightest red, green and blue of the picture. The ten numbers are 0
    for no fading: for each color, the share of the range from black to the darkest and from white to the
    lightest value that is due to fading, and the logarithm of its exponent; last, the logarithm of the factor
    on saturation. Auto levels would be six ones; the networks learn when to trust them. The curves of
    exponents are approximated by cubics.
    """
    black, white, gamma = (part.float() for part in fading[:, :9].split(3, dim=1))
    black, white, power = black * ends[..., 0], 1 - white * (1 - ends[..., 1]), torch.exp(-gamma)
    more = torch.exp(fading[:, 9:].float()).clamp_max(4) - 1  # color to add to what is left
    scale = 1 / (white - black).clamp_min(0.1)
    shift = -black * scale
    u = torch.linspace(0.02, 1, 24, device=fading.device)
    bend = (u ** power[..., None] - u) @ torch.linalg.pinv(torch.stack([u**n for n in range(4)])).to(u)
    c0, c1, c2, c3 = bend.unbind(2)  # of u = scale * color + shift, beyond u itself; (B, 3) each
    curve = torch.stack(
        [
            shift + c0 + shift * (c1 + shift * (c2 + shift * c3)),
            scale * (1 + c1 + shift * (2 * c2 + 3 * shift * c3)) - 1,
            scale**2 * (c2 + 3 * shift * c3),
            scale**3 * c3,
        ],
        dim=2,
    )  # (B, 3, 1 + POWERS): the change of each color, by powers of itself
    own = torch.eye(3, device=fading.device)
    gray = luma(own.view(1, 3, 3, 1)).view(1, 1, 3)  # weights of red, green and blue
    mixing = own + more[..., None] * (own - gray)  # (B, 3, 3)
    first = mixing @ curve[..., :1]  # (B, 3, 1)
    linear, *higher = (mixing * curve[:, None, :, n] for n in (1, 2, 3))
    return torch.cat([first, linear + mixing - own, *higher], dim=2)


def worn_share(wear: float) -> float:
    """How far a picture counts as worn, from 0 to 1, by the root mean square of its repaired detail."""
    return min(1.0, max(0.0, (wear - CLEAN) / (WORN - CLEAN)))


@torch.no_grad()
def is_toned(image: Tensor, mask: Tensor) -> Tensor:
    """Which pictures (B, 3, h, w) are toned monochrome prints, (B,); masked pixels (B, 1, h, w) do not count.

    Four of 286 test pictures were, engravings and sepia prints; the closest color picture had a ratio of
    0.0033 across its line, and a spot of red 0.16 off it.
    """
    known = (mask.flatten(2) < 0.5).to(image)
    count, colors = known.sum(2, keepdim=True).clamp_min(1), image.flatten(2)
    middle = (colors * known).sum(2, keepdim=True) / count  # (B, 3, 1)
    colors = (colors - middle) * known
    power, axes = torch.linalg.eigh((colors @ colors.mT / count).double())  # (B, 3), rising; (B, 3, 3)
    is_line = power[:, :2].clamp_min(0).sum(1) < ACROSS * power[:, 2]
    off = (axes[:, :, :2].mT.to(colors) @ colors).norm(dim=1)  # (B, N)
    is_line &= (off > OFF).float().mean(1) <= SPOTS  # a small red boat on a gray sea counts as color
    return is_line & ((middle - middle.mean(1, keepdim=True)).abs().amax((1, 2)) > TINT)


def as_print(fading: Tensor, toned: Tensor) -> Tensor:
    """A fading (B, 10), for `undone`, without color and with trusted levels where pictures are `toned`."""
    believed = torch.cat([fading[:, :6].clamp_min(BELIEF), fading[:, 6:]], dim=1)
    return without_color(torch.where(toned[:, None], believed, fading), toned)


def without_color(fading: Tensor, toned: Tensor) -> Tensor:
    """A fading (B, 10), for `undone`, without color where pictures are `toned`."""
    known = torch.cat([fading[:, :9], torch.full_like(fading[:, 9:], GRAY)], dim=1)
    return torch.where(toned[:, None], known, fading)


@torch.no_grad()
def color_quantiles(image: Tensor, mask: Tensor) -> Tensor:
    """Quantiles (B, SIGNALS * len(QUANTILES)) of colors (B, 3, h, w), and of each minus lightness plus 0.5.

    Only pixels with a mask (B, 1, h, w) below one half count; without any, all quantiles are 0.5.
    """
    signals = torch.cat([image, image - luma(image) + 0.5], dim=1).flatten(2)  # (B, SIGNALS, N)
    known = mask.flatten(2) < 0.5
    ordered = signals.masked_fill(~known, torch.inf).sort(2).values
    shares = torch.tensor(QUANTILES, device=image.device)
    places = (shares * (known.sum(2) - 1).clamp_min(0)).round().long()  # (B, quantiles)
    found = ordered.gather(2, places[:, None].expand(-1, SIGNALS, -1)).flatten(1)
    return torch.where(found.isfinite(), found, 0.5)


def with_tones(image: Tensor, tones: Tensor) -> Tensor:
    """Add a linear map (B, 3, 1 + 3 * POWERS) of 1 and the powers of all colors to colors (B, 3, H, W)."""
    powers = torch.cat([image**power for power in range(1, POWERS + 1)], dim=1)
    with torch.autocast(image.device.type, enabled=False):  # colors need more than three digits
        changes = torch.einsum("bij,bjhw->bihw", tones[:, :, 1:], powers)
    return image + changes + tones[:, :, :1, None]
