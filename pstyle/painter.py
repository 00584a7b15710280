"""A style bound to its networks: picture -> painted picture; what depends on the style alone is computed
once.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor

from .colors import with_colors_of
from .generator import CONTENT_LAYERS, STRIDE, Generator, Modulation, load_generator, style_moments
from .images import check_image, crop_back, pad_to_multiple, resize_to, split_alpha
from .style import Style, StyledGenerator, load_style
from .vgg import VGG, load_vgg

MAX_STRENGTH = 1.5
MIN_SIDE_PX = 2 * STRIDE  # below it the deepest features would be a single pixel, which instance norm erases
STRENGTHS_KEPT = 4  # dressed generators held at once, for people who move the slider back and forth


def load_painter(path: str | Path, device: str = "auto") -> Painter:
    """A painter of the style file at `path`, with the shipped networks.

    Raises BadFile for an unusable file.
    """
    return Painter(load_style(Path(path)), load_generator(), load_vgg(), device)


class Painter:
    """Paints pictures (B, 3, H, W) of any size in one style.

    Strength goes from the picture itself (0) to the style (1) and beyond (1.5). Between, modulation and
    convolutions are mixed with those of the picture's own style, and the detail that its reconstruction loses
    is given back in proportion, so that strength 0 returns the picture exactly.
    """

    def __init__(
        self, style: Style, generator: Generator, vgg: VGG, device: str | torch.device = "auto"
    ) -> None:
        with torch.inference_mode(False):
            self.device = choose_device(device)
            self.style = style
            self.vgg = vgg.to(self.device, memory_format=torch.channels_last)
            self.generator = generator.to(self.device, memory_format=torch.channels_last)
            self._dressed: OrderedDict[float, tuple[StyledGenerator, Modulation]] = OrderedDict()
            self.dress(1.0)

    @torch.inference_mode()
    def __call__(
        self, image: Tensor, strength: float = 1.0, keep_color: bool = False, mask: Tensor | None = None
    ) -> Tensor:
        """Paint pictures (B, C, H, W) in [0, 1] with C 1, 3 or 4; the result has 3 channels, or 4 with the
        input's alpha.

        With `keep_color` only the lightness is painted. Where `mask` (1 or B, 1, H, W) is 0 the picture
        stays. Raises ValueError for pictures, strengths or masks out of range.
        """
        if not 0 <= strength <= MAX_STRENGTH:  # also refuses NaN
            raise ValueError(f"strength must be from 0 to {MAX_STRENGTH}, got {strength}")
        rgb, alpha = split_alpha(check_image(image))
        painted = torch.cat([self._paint(picture[None], float(strength)) for picture in rgb])
        if keep_color:
            painted = with_colors_of(painted, rgb)
        if mask is not None:
            painted = rgb.lerp(painted, fitted_mask(mask, rgb))
        painted = painted.contiguous()
        return painted if alpha is None else torch.cat([painted, alpha], dim=1)

    def dress(self, strength: float) -> tuple[StyledGenerator, Modulation]:
        """The generator and its modulation at a strength, made once and kept for the next pictures."""
        found = self._dressed.pop(strength, None)
        if found is None:
            with torch.inference_mode(False), torch.no_grad():
                styled = StyledGenerator.of(self.generator, self.style, strength).to(self.device)
                found = styled, styled.modulation()
        self._dressed[strength] = found
        while len(self._dressed) > STRENGTHS_KEPT:
            self._dressed.popitem(last=False)
        return found

    def _paint(self, picture: Tensor, strength: float) -> Tensor:
        padded, size = pad_to_multiple(picture, STRIDE, MIN_SIDE_PX)
        x = padded.to(self.device).contiguous(memory_format=torch.channels_last)
        styled, modulation = self.dress(strength)
        features = self.vgg(x, CONTENT_LAYERS)
        if strength == 1:
            painted = styled.generator(x, features, modulation)
        else:
            own = self.generator.modulation(self.generator.encode(style_moments(self.vgg, x)))
            mixed = {site: own[site].lerp(modulation[site], strength) for site in own}
            painted = styled.generator(x, features, mixed)
            if strength < 1:
                painted = painted + (1 - strength) * (x - styled.generator(x, features, own))
        return crop_back(painted.clamp(0, 1), size).to("cpu", torch.float32)


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
