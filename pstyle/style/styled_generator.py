"""A generator with a style's parameters applied."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from ..nets.generator import LEVELS, Generator, Modulation, fingerprint
from .provenance import Provenance
from .style import Style


class StyledGenerator(nn.Module):
    """A copy of a generator with a style's parameters, to train or to paint with.

    Latents, offsets and convolutions are the style's own; the encoder and the StyleMod heads are the base's.
    """

    def __init__(self, generator: Generator, latent: Tensor) -> None:
        super().__init__()
        self.generator = deepcopy(generator).requires_grad_(False)
        self.latent = nn.Parameter(latent.detach().clone())  # (L, D)
        sizes = {name: mod.linear.out_features for name, mod in self.generator.mods.items()}
        self.offsets = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(size)) for name, size in sizes.items()}
        )
        self.base_id = fingerprint(generator)

    def modulation(self) -> Modulation:
        """Scale and bias (1, 2C, 1, 1) of every StyleMod site, by name."""
        heads = self.generator.modulation(self.latent[None])
        return {name: value + self.offsets[name][None, :, None, None] for name, value in heads.items()}

    def paint(self, image: Tensor) -> Tensor:
        """Pictures (B, 3, H, W), sides multiples of 8, painted in the style; the result may leave [0, 1]."""
        with torch.no_grad():
            features = self.generator.content(image)
        return self.generator(image, features, self.modulation())

    def style(self, provenance: Provenance, preview: Tensor | None = None) -> Style:
        """The current parameters as a style, in half precision."""
        return Style(
            latent=_as_stored(self.latent),
            offsets={name: _as_stored(value) for name, value in self.offsets.items()},
            weights={name: _as_stored(value) for name, value in self.generator.convs.state_dict().items()},
            config=self.generator.config,
            generator_id=self.base_id,
            provenance=provenance,
            preview=preview,
        )

    @classmethod
    def of(
        cls, generator: Generator, style: Style, amounts: Sequence[float] = (1.0,) * LEVELS
    ) -> StyledGenerator:
        """The generator with a style applied.

        `amounts` mix the convolutions of each level, from the base's (0) to the style's own (1 and above).
        Raises ValueError if the style was learned with another generator.
        """
        styled = cls(generator, style.latent.float())
        if style.generator_id != styled.base_id:
            raise ValueError(
                "the style was learned with another generator "
                f"({style.generator_id[:12]}, loaded is {styled.base_id[:12]}): "
                "load that one, or learn the style again"
            )
        with torch.no_grad():
            for name, value in style.offsets.items():
                styled.offsets[name].copy_(value)
            for name, value in styled.generator.convs.state_dict().items():
                if name in style.weights:
                    amount = min(amounts[generator.level_of(name)], 1.0)
                    value.lerp_(style.weights[name].float().to(value.device), amount)
        return styled


def _as_stored(value: Tensor) -> Tensor:
    return value.detach().cpu().half()
