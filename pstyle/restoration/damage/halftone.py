"""Halftone screens, the grids of dots that pictures are printed with: drawn, and detected in scans.

A grid of dots is the product of two waves along its rows and columns, and so the sum of two waves at 45
degrees to them: two peaks of the spectrum at right angles, everywhere in all scans. No picture content has
these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...image.colors import luma
from .random_fields import uniform

WINDOW_PX = 64  # side of a window whose spectrum is computed
PLACES = 400  # windows of all pictures together, at most; their spectra take some 100 MiB
GRID = 256  # frequencies along each side
RINGS = 64  # bins of equal frequency, from 0 to 0.5 cycles per pixel
CLEAR = 20.0  # least power of both peaks of a screen, relative to their ring
COMB, TOOTH = 8, 0.02  # JPEG blocks have peaks at multiples of 1 / 8 along an axis, within this distance
LONGEST_PX, SHORTEST_PX = 20.0, 2.0  # spacing of dots


class Screen(NamedTuple):
    """Distance of printed dots in pixels, and the angle of their rows."""

    period_px: float
    degrees: float

    def waves(self) -> Tensor:
        """The two waves that add up to the dots: cycles per pixel down and across, (2, 2)."""
        turn = math.radians(self.degrees)
        along = torch.tensor([math.sin(turn), math.cos(turn)]) / self.period_px
        across = torch.tensor([math.cos(turn), -math.sin(turn)]) / self.period_px
        return torch.stack([along + across, along - across])


def screen(like: Tensor, period_px: Tensor, degrees: Tensor, rng: torch.Generator) -> Tensor:
    """Light and dark dots (B, 1, H, W) in [-1, 1] on a rotated square grid, for pictures (B, C, H, W).

    Dots of one kind are `period_px` apart in rows at an angle of `degrees`, both (B, 1, 1, 1); the grid's
    origin is random.
    """
    rows, columns = (torch.arange(side, device=like.device, dtype=like.dtype) for side in like.shape[2:])
    turn = degrees * math.pi / 180
    along = columns * turn.cos() + rows[:, None] * turn.sin()
    across = rows[:, None] * turn.cos() - columns * turn.sin()
    start = uniform((2, len(like), 1, 1, 1), rng, like)
    return math.prod(
        torch.cos(2 * math.pi * (place / period_px + first))
        for place, first in zip((along, across), start, strict=True)
    )


def measure_screen(pictures: Sequence[Tensor]) -> Screen | None:
    """Detect the common screen of pictures, each (1, 3, H, W) with sides of at least 64 px; None if none."""
    power = _power(pictures)
    clear = torch.minimum(power, _turned(power)) / _of_ring(power)
    clear = torch.where(_searched(power), clear, 0)
    if clear.max() < CLEAR:
        return None
    down, across = _refined((power * _turned(power)).log(), *divmod(int(clear.argmax()), GRID))
    degrees = math.degrees(math.atan2(down, across)) - 45
    return Screen(math.sqrt(2) / math.hypot(down, across), degrees % 90)


def screen_height(pictures: Sequence[Tensor], screen: Screen) -> float:
    """The amplitude of a screen's dots on pictures as a share of white, as in `Damage.screen`."""
    windows = _windows(pictures)
    heights = [
        torch.hypot(*((windows * wave).sum((1, 2)) for wave in pair)).median().item()
        for pair in _waves(screen, windows)
    ]
    return 2 * sum(heights) / _window(windows).sum().item()


def without_screen(blocks: Tensor, screen: Screen) -> Tensor:
    """Blocks (N, C, S, S) minus the best fit of a screen's two waves."""
    waves = [wave for pair in _waves(screen, blocks) for wave in pair]
    basis = torch.linalg.qr(torch.stack(waves).flatten(1).T).Q  # (S S, 4)
    flat = blocks.flatten(2)
    return (flat - flat @ basis @ basis.T).view_as(blocks)


def _waves(screen: Screen, like: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Cosine and sine (S, S) of both waves of a screen on blocks (..., S, S)."""
    place = torch.arange(like.shape[-1]).to(like)
    turns = [2 * math.pi * (down * place[:, None] + across * place) for down, across in screen.waves()]
    return [(turn.cos(), turn.sin()) for turn in turns]


def _power(pictures: Sequence[Tensor]) -> Tensor:
    """Power (GRID, GRID) by frequency down and across: the median over windows of all pictures."""
    power = [torch.fft.fft2(few, s=(GRID, GRID)).abs().square() for few in _windows(pictures).split(64)]
    return torch.cat(power).median(0).values + 1e-12


def _windows(pictures: Sequence[Tensor]) -> Tensor:
    """Windows (N, S, S) of the pictures' luma, minus their mean, tapered to the borders."""
    found = []
    for picture in pictures:
        places = F.unfold(luma(picture), WINDOW_PX, stride=WINDOW_PX // 2)[0].T  # (N, S * S)
        count = min(len(places), max(1, PLACES // len(pictures)))
        found.append(places[torch.linspace(0, len(places) - 1, count).long()])
    flat = torch.cat(found)
    windows = (flat - flat.mean(1, keepdim=True)).unflatten(1, (WINDOW_PX, WINDOW_PX))
    return windows * _window(windows)


def _window(like: Tensor) -> Tensor:
    fade = torch.hann_window(WINDOW_PX, periodic=False).to(like)
    return fade * fade[:, None]


def _turned(power: Tensor) -> Tensor:
    """The power at right angles to each frequency."""
    return power.T[-torch.arange(GRID) % GRID]


def _of_ring(power: Tensor) -> Tensor:
    """For each frequency, the median power of frequencies of equal magnitude."""
    ring = (torch.hypot(*_frequencies(power)) * 2 * RINGS).round().long()
    medians = torch.stack([power[ring == number].median() for number in range(int(ring.max()) + 1)])
    return medians[ring]


def _frequencies(like: Tensor) -> tuple[Tensor, Tensor]:
    """Cycles per pixel down (GRID, 1) and across (1, GRID)."""
    found = torch.fft.fftfreq(GRID).to(like)
    return found[:, None], found[None]


def _refined(heights: Tensor, row: int, column: int) -> tuple[float, float]:
    """The frequency down and across of a peak, refined by parabolas through its neighbors."""
    found = []
    for place, line in ((row, heights[:, column]), (column, heights[row])):
        before, top, after = (line[(place + step) % GRID].item() for step in (-1, 0, 1))
        offset = 0.5 * (before - after) / min(before - 2 * top + after, -1e-6)
        frequency = torch.fft.fftfreq(GRID)[place].item()
        found.append(frequency + max(-1.0, min(1.0, offset)) / GRID)
    return found[0], found[1]


def _searched(power: Tensor) -> Tensor:
    """Whether a frequency can be a screen's: neither too low nor too high, nor a peak of JPEG blocks."""
    down, across = (part.abs().expand_as(power) for part in _frequencies(power))
    tooth = [(part * COMB - (part * COMB).round()).abs() < TOOTH * COMB for part in (down, across)]
    comb = (tooth[0] & (across < TOOTH)) | (tooth[1] & (down < TOOTH))
    distance = torch.hypot(down, across)
    longest, shortest = (math.sqrt(2) / px for px in (LONGEST_PX, SHORTEST_PX))
    return (distance > longest) & (distance < shortest) & ~comb
