"""A style bound to its networks: picture -> painted picture; what depends on the style alone is computed
once.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .colors import with_colors_of, with_light_of
from .detail import with_detail_of
from .generator import (
    COLOR,
    FORM,
    GRAIN,
    LEVELS,
    STRIDE,
    TEXTURE,
    Generator,
    Modulation,
    load_generator,
    style_moments,
)
from .images import check_image, crop_back, pad_to_multiple, resize_to, split_alpha
from .look import MAX_STRENGTH, Look
from .memory import check_room, keep_freed_memory
from .precision import fastest
from .regions import joined
from .style import Style, StyledGenerator, load_style
from .vgg import VGG, load_vgg

MIN_SIDE_PX = 2 * STRIDE  # below it the deepest features would be a single pixel, which instance norm erases
DRESSES_KEPT = 4  # dressed generators held at once, for people who move a slider back and forth


def load_painter(path: str | Path, device: str = "auto") -> Painter:
    """A painter of the style file at `path`, with the shipped networks.

    Raises BadFile for an unusable file.
    """
    return Painter(load_style(Path(path)), load_generator(), load_vgg(), device)


Amounts = tuple[float, ...]  # (L,) how much of the style each level gets
Dress = tuple[Amounts, torch.dtype]
WHOLE: Amounts = (1.0,) * LEVELS


class Painter:
    """Paints pictures (B, 3, H, W) of any size in one style.

    Strength goes from the picture itself (0) to the style (1) and beyond (1.5). Between, modulation and
    convolutions are mixed with those of the picture's own style, in the amount that the style's calibration
    tells, and the detail that its reconstruction loses is given back in proportion, so that strength 0
    returns the picture exactly.
    """

    def __init__(
        self,
        style: Style,
        generator: Generator,
        vgg: VGG,
        device: str | torch.device = "auto",
        dtype: torch.dtype | None = None,
    ) -> None:
        """`dtype` is what convolutions compute in; without it the faster of float32 and bfloat16."""
        keep_freed_memory()
        with torch.inference_mode(False):
            self.device = choose_device(device)
            self.style = style
            self.vgg = vgg.to(self.device, memory_format=torch.channels_last)
            self.generator = generator.to(self.device, memory_format=torch.channels_last)
            self._dressed: OrderedDict[Dress, tuple[StyledGenerator, Modulation]] = OrderedDict()
            self.dtype = dtype or fastest(self._probe, self.device)
            self.dress(WHOLE)

    @torch.inference_mode()
    def __call__(
        self, image: Tensor, look: Look | None = None, mask: Tensor | None = None, **settings: Any
    ) -> Tensor:
        """Paint pictures (B, C, H, W) in [0, 1] with C 1, 3 or 4; the result has 3 channels, or 4 with the
        input's alpha.

        Single `settings` of the look may be given by name, such as strength=0.8. Where `mask` (1 or B, 1, H,
        W) is 0 the picture stays. Raises ValueError for pictures, settings or masks out of range.
        """
        look = replace(look or Look(), **settings)
        rgb, alpha = split_alpha(check_image(image))
        painted = torch.cat([self._paint_as(picture[None], look) for picture in rgb])
        if mask is not None:
            painted = rgb.lerp(painted, fitted_mask(mask, rgb))
        painted = painted.contiguous()
        return painted if alpha is None else torch.cat([painted, alpha], dim=1)

    def _probe(self, picture: Tensor, dtype: torch.dtype) -> Tensor:
        self.dtype = dtype
        return self.paint(picture, WHOLE)

    @torch.inference_mode()
    def paint(self, picture: Tensor, amounts: Amounts) -> Tensor:
        """A picture (1, 3, H, W) with these amounts of the style, from 0 to 1.5, mixed in."""
        padded, size = pad_to_multiple(picture, STRIDE, MIN_SIDE_PX)
        x = padded.to(self.device)  # contiguous: three channels are padded and pooled faster so
        styled, modulation = self.dress(amounts)
        network, sites = styled.generator, self.generator.sites
        low = x.to(self.dtype)
        content = network.content(low)
        if amounts == WHOLE:
            painted = network(low, content, modulation).float()
        else:
            own = self.generator.modulation(self.generator.encode(style_moments(self.vgg, x)))
            own = {site: value.to(self.dtype) for site, value in own.items()}
            mixed = {site: own[site].lerp(modulation[site], amounts[sites[site]]) for site in own}
            painted = network(low, content, mixed).float()
            if (lost := 1 - amounts[COLOR]) > 0:  # the one level that follows the strength alone
                painted = painted + lost * (x - network(low, content, own).float())
        return crop_back(painted.clamp(0, 1), size).to("cpu", torch.float32)

    def dress(self, amounts: Amounts) -> tuple[StyledGenerator, Modulation]:
        """The generator and its modulation at these amounts, made once and kept for the next pictures."""
        key = amounts, self.dtype
        found = self._dressed.pop(key, None)
        if found is None:
            with torch.inference_mode(False), torch.no_grad():
                styled = StyledGenerator.of(self.generator, self.style, amounts).to(self.device)
                modulation = {site: value.to(self.dtype) for site, value in styled.modulation().items()}
                found = styled.to(self.dtype), modulation
        self._dressed[key] = found
        while len(self._dressed) > DRESSES_KEPT:
            self._dressed.popitem(last=False)
        return found

    def _paint_as(self, picture: Tensor, look: Look) -> Tensor:
        """A picture (1, 3, H, W) painted, with everything that a look asks for."""
        strength = self.style.calibration.amount(look.strength)
        factors = {FORM: look.coarse, TEXTURE: look.fine, GRAIN: look.fine, COLOR: 1.0}
        amounts = tuple(min(strength * factors[level], MAX_STRENGTH) for level in range(LEVELS))
        height, width = picture.shape[2:]
        reduced = [max(1, round(side / look.stroke)) for side in (height, width)]
        check_room(max(height, reduced[0]), max(width, reduced[1]), self.device)
        painted = resize_to(self.paint(resize_to(picture, *reduced), amounts), height, width)
        if look.keep_color:
            painted = with_colors_of(painted, picture)
        if look.keep_light:
            painted = with_light_of(painted, picture)
        return with_detail_of(painted, picture, look.detail) if look.detail else painted


def paint_regions(
    image: Tensor, inside: Painter, outside: Painter, mask: Tensor, look: Look | None = None
) -> Tensor:
    """Pictures (B, C, H, W) painted by one painter where `mask` (1 or B, 1, H, W) is 1 and by another where
    it is 0, without a seam between.

    The result has 3 channels, or 4 with the input's alpha. Raises ValueError as painting does.
    """
    rgb, alpha = split_alpha(check_image(image))
    painted = joined(inside(rgb, look), outside(rgb, look), fitted_mask(mask, rgb))
    return painted if alpha is None else torch.cat([painted, alpha], dim=1)


def fitted_mask(mask: Tensor, image: Tensor) -> Tensor:
    """A mask (1 or B, 1, H, W) for pictures (B, 3, H, W), resized if its size differs.

    Raises ValueError if it cannot fit.
    """
    found = check_image(mask, "mask")[:, :1]
    if found.shape[0] not in (1, image.shape[0]):
        raise ValueError(
            f"got {found.shape[0]} masks for {image.shape[0]} pictures: give one, or one for each"
        )
    return resize_to(found, *image.shape[2:])


def choose_device(device: str | torch.device = "auto") -> torch.device:
    """The device for "auto" (CUDA if present, else CPU), "cpu" or "cuda".

    Raises ValueError if it is not there.
    """
    if str(device) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = torch.device(device)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but torch finds no CUDA device: use 'cpu' or 'auto'")
    return chosen
