"""Restoring pictures: the call shared by nodes, command line and scripts.

A restorer repairs damage everywhere; areas that a mask marks as lost are filled in from their surroundings or
painted in a learned style.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...core.config import check_settings, setting
from ...core.device import choose_device
from ...core.precision import number_format
from ...image.checks import check_image, split_alpha
from ...image.masks import fitted_mask
from ...painting.painter import Painter
from ...painting.sources import InMemory, Source, loaded
from .biharmonic import smoothly_filled
from .filling import filled, ramp
from .restorer import Restorer, load_restorer
from .tiled_repair import MarkMap, Repaired

FOUND = 0.5  # probability from which a mark counts as found
BLEND_PX = 4  # over which a painted filling blends in at the border of a hole


@dataclass(frozen=True)
class RepairConfig:
    """Settings of restoring a picture."""

    strength: float = setting(
        1.0,
        0.0,
        1.0,
        "0 repairs only masked areas and leaves everything else unchanged; 1 repairs all damage",
    )
    seed: int = setting(0, 0, 2**31 - 1, "random seed for the places the fill is copied from")

    def __post_init__(self) -> None:
        check_settings(self)


class RestorationPipeline:
    """Restores pictures of any size with one restorer."""

    def __init__(
        self,
        restorer: Restorer | None = None,
        device: str | torch.device = "auto",
        dtype: torch.dtype | None = None,
    ) -> None:
        """`dtype` is the number format of convolutions, by default the device's."""
        with torch.inference_mode(False):
            self.device = choose_device(device)
            restorer = restorer or load_restorer()
            self.restorer = restorer.to(self.device, memory_format=torch.channels_last)
        self.dtype = dtype or number_format(self.device)

    @torch.inference_mode()
    def __call__(
        self,
        image: Tensor,
        mask: Tensor | None = None,
        config: RepairConfig | None = None,
        painter: Painter | None = None,
    ) -> Tensor:
        """Restore pictures (B, C, H, W) in [0, 1], C 1, 3 or 4.

        The result has 3 channels, or 4 with the input's alpha. Areas where `mask` (1 or B, 1, H, W) exceeds
        0.5 are filled in, in a painter's style if one is given. At strength 0 everything else stays unchanged
        bit for bit. Raises ValueError for pictures or settings out of range, and for a mask of another size
        or one that covers everything.
        """
        c = config or RepairConfig()
        rgb, alpha = split_alpha(check_image(image))
        if mask is None and painter is not None:
            raise ValueError("a style fills in the white area of a mask: give a mask as well")
        masks = [None] * len(rgb) if mask is None else list(exact_mask(mask, rgb).split(1))
        pairs = zip(rgb.split(1), masks, strict=True)
        result = torch.cat([self._restore(one, lost, c, painter) for one, lost in pairs])
        return result if alpha is None else torch.cat([result, alpha], dim=1)

    def repaired(self, source: Source, strength: float = 1.0) -> Source:
        """A source (3 channels) of any size, repaired tile by tile after one pass over it."""
        return Repaired(self.restorer, source, strength, self.dtype)

    @torch.inference_mode()
    def find_marks(self, image: Tensor) -> Tensor:
        """Find scratches, dust and holes in pictures (B, C, H, W); returns a mask (B, 1, H, W) of 0 and 1."""
        rgb, _ = split_alpha(check_image(image))
        return torch.cat([self._marks(one) for one in rgb.split(1)])

    def _marks(self, picture: Tensor) -> Tensor:
        source = MarkMap(self.restorer, InMemory(picture), dtype=self.dtype)
        return (loaded(source, channels=1) > FOUND).float()

    def _restore(
        self, picture: Tensor, mask: Tensor | None, config: RepairConfig, painter: Painter | None
    ) -> Tensor:
        lost = None if mask is None else mask > FOUND
        found = picture
        if lost is not None:  # first, since a restorer smears holes over their borders
            found = filled(picture, lost, torch.Generator().manual_seed(config.seed))
        if config.strength > 0:
            found = loaded(self.repaired(InMemory(found), config.strength))
        return found if lost is None or painter is None else painted_into(found, lost, painter)


def load_pipeline(path: str | Path | None = None, device: str = "auto") -> RestorationPipeline:
    """Load the restorer file at `path`, or the shipped one, as a pipeline. Raises BadFile."""
    return RestorationPipeline(load_restorer(None if path is None else Path(path)), device)


def painted_into(picture: Tensor, lost: Tensor, painter: Painter) -> Tensor:
    """Paint the lost area of a picture (1, 3, H, W) in colors that match its surroundings."""
    painted = painter(picture)
    missed = torch.where(lost, 0.0, picture - painted)  # the painting's error at the border
    joined = painted + smoothly_filled(missed, lost)
    return torch.where(lost, picture.lerp(joined.clamp(0, 1), ramp(lost, BLEND_PX)), picture)


def exact_mask(mask: Tensor, image: Tensor) -> Tensor:
    """One mask for each of the pictures (B, 3, H, W), of the same size.

    Raises ValueError for another size or number, and for a mask that covers a whole picture.
    """
    if mask.shape[2:] != image.shape[2:]:
        sizes = [f"{one.shape[3]}x{one.shape[2]}" for one in (mask, image)]
        raise ValueError(
            f"the mask is {sizes[0]} px, the picture {sizes[1]} px: give a mask of the picture's size, since "
            "the area it marks is replaced pixel by pixel"
        )
    found = fitted_mask(check_image(mask, "mask"), image).expand(len(image), -1, -1, -1)
    if (found > FOUND).flatten(1).all(1).any():
        raise ValueError("the mask covers the whole picture: leave something to fill it in from")
    return found
