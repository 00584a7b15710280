"""The directions in which a style may move as a person chooses, and paintings at points along them.

Principal directions of a latent space after Härkönen et al., arXiv 2004.02546. Ours come from the codes of
the person's own pictures and of known changes to them: more or less color, contrast, warmth and light, larger
and smaller strokes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.resizing import resize_short_side
from ..nets.generator import Generator, style_moments
from ..nets.vgg import VGG
from ..style.style import Style
from ..style.styled_generator import StyledGenerator

SEEN_PX = 256  # short side at which pictures are encoded
STEP = 1.5  # standard deviations of a principal component that coordinate 1 stands for
COLOR, CONTRAST, WARMTH, LIGHT, SIZE = 0.6, 0.4, 0.12, 0.1, 1.6  # sizes of the known changes


Paint = Callable[[Tensor], Tensor]  # points (K, d) -> pictures (K, 3, H, W)


@dataclass(frozen=True)
class TasteSpace:
    """Styles around an origin: a point (d,) moves every level's latent along `directions` (d, D)."""

    origin: Style
    directions: Tensor

    @property
    def size(self) -> int:
        """Number of directions."""
        return len(self.directions)

    def style_at(self, point: Tensor) -> Style:
        """The style of a point (d,)."""
        moved = self.origin.latent.float() + point.float() @ self.directions
        return replace(self.origin, latent=moved.half())

    def painter(self, picture: Tensor, generator: Generator) -> Paint:
        """A function that paints a picture (1, 3, H, W), sides multiples of 8, in the styles of points."""
        device = next(generator.parameters()).device
        styled = StyledGenerator.of(generator, self.origin).to(device)
        with torch.no_grad():
            seen = picture.to(device)
            features = styled.generator.content(seen)

        @torch.no_grad()
        def paint(points: Tensor) -> Tensor:
            painted = []
            for point in points:  # one at a time, to save memory
                styled.latent.copy_(self.origin.latent.float() + point.float() @ self.directions)
                painted.append(styled.generator(seen, features, styled.modulation()))
            return torch.cat(painted).clamp(0, 1).cpu()

        return paint


@torch.no_grad()
def find_directions(pictures: Sequence[Tensor], generator: Generator, vgg: VGG, count: int) -> Tensor:
    """The first `count` principal directions (count, D) of pictures (1, 3, H, W), scaled to a step of 1.

    Signs are chosen so that each direction's largest entry is positive.
    """
    device = next(generator.parameters()).device
    rows, codes = [], []
    for picture in pictures:
        seen = resize_short_side(picture, SEEN_PX).to(device)
        own = generator.encode(style_moments(vgg, seen))[0, 0]
        codes.append(own)
        changed = [generator.encode(style_moments(vgg, one))[0, 0] for one in known_changes(seen)]
        rows.append(torch.stack(changed) - own)
    known = torch.stack(rows).mean(0)  # (changes, D): the mean effect of each change
    own = torch.stack(codes) - torch.stack(codes).mean(0)
    together = torch.cat([known, own])
    _, deviations, components = torch.linalg.svd(together, full_matrices=False)
    directions = components[:count] * deviations[:count, None] * STEP / len(together) ** 0.5
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return (directions * largest.sign()).cpu()


def known_changes(picture: Tensor) -> list[Tensor]:
    """A picture (1, 3, H, W) with its color, contrast, warmth, light and size changed, each up and down."""
    gray, mean = picture.mean(1, keepdim=True), picture.mean((2, 3), keepdim=True)
    warm = torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1).to(picture)
    changed = []
    for sign in (1, -1):
        changed += [
            gray + (picture - gray) * (1 + sign * COLOR),
            mean + (picture - mean) * (1 + sign * CONTRAST),
        ]
        changed += [picture * (1 + sign * WARMTH * warm), picture + sign * LIGHT]
        size = {"scale_factor": SIZE**sign, "mode": "bilinear", "antialias": True}
        changed.append(F.interpolate(picture, **size))
    return [one.clamp(0, 1) for one in changed]
