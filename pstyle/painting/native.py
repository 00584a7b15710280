"""A style bound to its networks, which paints a picture at the picture's own size.

Values that depend on the style alone are computed once. `paint.py` decides at which size a picture is
painted, and calls this.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..core.activation_cache import NO_CACHE, ActivationCache, CacheView
from ..core.device import choose_device
from ..core.memory import check_room, keep_freed_memory
from ..core.precision import number_format
from ..image.colors import with_colors_of, with_light_of
from ..image.detail import with_detail_of
from ..image.padding import crop_back, pad_to_multiple
from ..image.resizing import resize_to
from ..nets.generator import (
    COLOR,
    FORM,
    GRAIN,
    LEVELS,
    STRIDE,
    TEXTURE,
    Generator,
    Modulation,
    style_moments,
)
from ..nets.layers import Normalize, RecordedStatistics, Statistics, StopForward, frozen_statistics
from ..nets.moments import Moments
from ..nets.vgg import VGG
from ..style.paint_settings import MAX_STRENGTH, PaintSettings
from ..style.style import Style
from ..style.styled_generator import StyledGenerator

MIN_SIDE_PX = 2 * STRIDE  # below it the deepest features are a single pixel, which instance norm erases
CACHED_GENERATORS = 4  # styled generators kept, for people who move a slider back and forth

Amounts = tuple[float, ...]  # (L,) how much of the style each level gets
StyledKey = tuple[Amounts, torch.dtype]
FULL_STRENGTH: Amounts = (1.0,) * LEVELS


@dataclass(frozen=True)
class GlobalStatistics:
    """Global statistics for painting parts of a picture as in the whole.

    The modulation of its own style is None at full strength; the sites' statistics are empty for a whole.
    """

    own: Modulation | None = None
    painted: Mapping[str, Statistics] = field(default_factory=dict)
    rebuilt: Mapping[str, Statistics] = field(default_factory=dict)


class NativePainter:
    """Paints whole checked pictures (1, 3, H, W) in one style, at their own size.

    Strength runs from the picture itself (0) to the style (1) and beyond (1.5). In between, modulation and
    convolutions are mixed with those of the picture's own style, by the amount that the style's calibration
    gives. The detail that reconstruction loses is added back in proportion, so strength 0 returns the picture
    exactly.
    """

    def __init__(
        self,
        style: Style,
        generator: Generator,
        vgg: VGG,
        device: str | torch.device = "auto",
        dtype: torch.dtype | None = None,
        cache: ActivationCache | None = None,
    ) -> None:
        """`dtype` is the number format of convolutions, by default the device's.

        Values that do not depend on the settings are kept in `cache`, which painters may share; the default
        caches nothing.
        """
        keep_freed_memory()
        with torch.inference_mode(False):
            self.device = choose_device(device)
            self.style = style
            self.cache = cache or ActivationCache(limit_bytes=0)
            self.dtype = dtype or number_format(self.device)
            self._name = object()  # stands for this painter in the cache, which may outlive it
            self.vgg = vgg.to(self.device, memory_format=torch.channels_last)
            self.generator = generator.to(self.device, memory_format=torch.channels_last)
            self._styled: OrderedDict[StyledKey, tuple[StyledGenerator, Modulation]] = OrderedDict()
            self._readers: dict[torch.dtype, VGG] = {}
            self.styled_at(FULL_STRENGTH)

    @torch.inference_mode()
    def paint_native(self, picture: Tensor, settings: PaintSettings) -> Tensor:
        """Paint a picture (1, 3, H, W) at its own size with all settings.

        Raises InsufficientMemory if it does not fit into memory.
        """
        height, width = picture.shape[2:]
        reduced = painted_size(height, width, settings)
        check_room(max(height, reduced[0]), max(width, reduced[1]), self.device)
        painted = self.paint(resize_to(picture, *reduced), self.amounts(settings))
        return finished(resize_to(painted, height, width), picture, settings)

    @torch.inference_mode()
    def paint(
        self,
        picture: Tensor,
        amounts: Amounts,
        whole: GlobalStatistics | None = None,
        padding: str = "reflect",
        origin: tuple[int, int] = (0, 0),
        around_px: int | None = None,
    ) -> Tensor:
        """Paint a picture (1, 3, H, W), on its own device, with these amounts of the style, 0 to 1.5.

        A part of a larger picture is painted as in the whole if it is given the `whole`'s statistics, the row
        and column of its `origin`, multiples of 8, and the width `around_px` of a panorama.
        """
        context = (self.generator, self.vgg, self.device, self.dtype)
        cached = NO_CACHE if whole else self.cache.of(picture, *context)
        place = {"padding": padding, "origin": origin, "around_px": around_px}
        name = ("painted", self._name, amounts, *place.values())
        return cached(name, lambda: self._paint(picture, amounts, whole, cached, place))

    def _paint(
        self,
        picture: Tensor,
        amounts: Amounts,
        whole: GlobalStatistics | None,
        cached: CacheView,
        place: dict[str, Any],
    ) -> Tensor:
        padded, size = pad_to_multiple(picture, STRIDE, MIN_SIDE_PX)
        x = padded.to(self.device)  # contiguous: padding and pooling three channels is faster so
        if whole is None:
            whole = GlobalStatistics(
                None if amounts == FULL_STRENGTH else cached("own", lambda: self.own_modulation(x))
            )
        low, padding = x.to(self.dtype), place["padding"]
        content = cached(("content", padding), lambda: self.generator_at(amounts).content(low, padding))
        painted = self._pass(low, content, amounts, whole.own, frozen_statistics(whole.painted), **place)
        if (lost := 1 - amounts[COLOR]) > 0:  # the one level that follows the strength alone
            rebuilt = self._rebuilt(
                low, content, amounts, whole.own, frozen_statistics(whole.rebuilt), **place
            )
            painted = painted + lost * (x - rebuilt)
        return crop_back(painted.clamp_(0, 1), size).to(picture.device, torch.float32)

    @torch.inference_mode()
    def measure(
        self, picture: Tensor, amounts: Amounts, padding: str = "reflect", rows: Tensor | None = None
    ) -> GlobalStatistics:
        """Global statistics for parts of a picture, from the picture (1, 3, H, W) or a reduced copy.

        `rows` (H,) weights the rows of pixels, for panoramas; H is then a multiple of 8.
        """
        padded, _ = pad_to_multiple(picture, STRIDE, MIN_SIDE_PX)
        own = None if amounts == FULL_STRENGTH else self.own_modulation(padded.to(self.device))
        painted, rebuilt = RecordedStatistics(rows), RecordedStatistics(rows)
        self.observe(padded, amounts, own, painted, rebuilt, padding)
        return GlobalStatistics(own, painted.found, rebuilt.found)

    @torch.inference_mode()
    def observe(
        self,
        picture: Tensor,
        amounts: Amounts,
        own: Modulation | None,
        painted: Normalize,
        rebuilt: Normalize,
        padding: str = "reflect",
        origin: tuple[int, int] = (0, 0),
        around_px: int | None = None,
    ) -> None:
        """Paint a picture (1, 3, H, W), and below full strength rebuild it, with these normalizations.

        `painted` and `rebuilt` receive each site's features and return its statistics; they may raise
        `layers.StopForward`. The other arguments are as in `paint`.
        """
        padded, _ = pad_to_multiple(picture, STRIDE, MIN_SIDE_PX)
        low = padded.to(self.device).to(self.dtype)
        content = self.generator_at(amounts).content(low, padding)
        place = {"padding": padding, "origin": origin, "around_px": around_px}
        with suppress(StopForward):
            self._pass(low, content, amounts, own, painted, **place)
        if amounts[COLOR] < 1:
            with suppress(StopForward):
                self._rebuilt(low, content, amounts, own, rebuilt, **place)

    @torch.inference_mode()
    def own_modulation(self, x: Tensor) -> Modulation:
        """The modulation of the own style of a picture (1, 3, H, W) on the painter's device."""
        return self.modulation_of(style_moments(self.reader, x))

    @property
    def reader(self) -> VGG:
        """The VGG that encodes pictures' own styles, in the number format of the convolutions."""
        if self.dtype == torch.float32:
            return self.vgg
        if self.dtype not in self._readers:
            with torch.inference_mode(False):
                self._readers[self.dtype] = deepcopy(self.vgg).to(self.dtype)
        return self._readers[self.dtype]

    @torch.inference_mode()
    def modulation_of(self, style: Mapping[str, Moments]) -> Modulation:
        """The modulation of the style with these moments, from `style_moments`."""
        found = self.generator.modulation(self.generator.encode(style))
        return {site: value.to(self.dtype) for site, value in found.items()}

    def _pass(
        self,
        x: Tensor,
        content: Mapping[str, Tensor],
        amounts: Amounts,
        own: Modulation | None,
        normalize: Normalize | None,
        **place: Any,
    ) -> Tensor:
        modulation = self.styled_at(amounts)[1]
        if own is not None:
            sites = self.generator.sites
            modulation = {site: own[site].lerp(modulation[site], amounts[sites[site]]) for site in own}
        return self.generator_at(amounts)(x, content, modulation, normalize=normalize, **place).float()

    def _rebuilt(
        self,
        x: Tensor,
        content: Mapping[str, Tensor],
        amounts: Amounts,
        own: Modulation,
        normalize: Normalize | None,
        **place: Any,
    ) -> Tensor:
        """The picture as the generator reconstructs it in its own style."""
        return self.generator_at(amounts)(x, content, own, normalize=normalize, **place).float()

    def styled_at(self, amounts: Amounts) -> tuple[StyledGenerator, Modulation]:
        """The styled generator and its modulation at these amounts, cached for the next pictures."""
        key = amounts, self.dtype
        found = self._styled.pop(key, None)
        if found is None:
            with torch.inference_mode(False), torch.no_grad():
                styled = StyledGenerator.of(self.generator, self.style, amounts).to(self.device)
                modulation = {site: value.to(self.dtype) for site, value in styled.modulation().items()}
                found = styled.to(self.dtype), modulation
        self._styled[key] = found
        while len(self._styled) > CACHED_GENERATORS:
            self._styled.popitem(last=False)
        return found

    def clear(self) -> None:
        """Drop all cached values, of styles and of pictures."""
        self._styled.clear()
        self._readers.clear()
        self.cache.clear()

    def generator_at(self, amounts: Amounts) -> Generator:
        """The generator with the style's convolutions mixed in by these amounts."""
        return self.styled_at(amounts)[0].generator

    def amounts(self, settings: PaintSettings) -> Amounts:
        """The amount of the style at each level with these settings."""
        strength = self.style.calibration.amount(settings.strength)
        factors = {FORM: settings.coarse, TEXTURE: settings.fine, GRAIN: settings.fine, COLOR: 1.0}
        return tuple(min(strength * factors[level], MAX_STRENGTH) for level in range(LEVELS))


def painted_size(height: int, width: int, settings: PaintSettings) -> tuple[int, int]:
    """The height and width to paint a picture at for the stroke size set."""
    return max(1, round(height / settings.stroke)), max(1, round(width / settings.stroke))


def finished(painted: Tensor, picture: Tensor, settings: PaintSettings) -> Tensor:
    """A painting with the picture's color, light and detail kept as set, both (B, 3, H, W)."""
    if settings.keep_color:
        painted = with_colors_of(painted, picture)
    if settings.keep_light:
        painted = with_light_of(painted, picture)
    return with_detail_of(painted, picture, settings.detail) if settings.detail else painted
