"""A generator with a style's parameters applied."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from ..nets.generator import LEVELS, Generator, Modulation, fingerprint
from .provenance import Provenance
from .style import Style, as_stored


class StyledGenerator(nn.Module):
    """A generator with one style's parameters: what learning moves and painting uses.

    Only the latent, the offsets and the convolutions are the style's own; encoder and StyleMod heads stay the
    base's.
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
        """Scale and bias of every site, (1, 2C, 1, 1)."""
        heads = self.generator.modulation(self.latent[None])
        return {name: value + self.offsets[name][None, :, None, None] for name, value in heads.items()}

    def paint(self, image: Tensor) -> Tensor:
        """Pictures (B, 3, H, W), sides multiples of 8, painted in the style; the result may leave [0, 1]."""
        with torch.no_grad():
            features = self.generator.content(image)
        return self.generator(image, features, self.modulation())

    def style(self, provenance: Provenance, preview: Tensor | None = None) -> Style:
        """The style as it stands now, in half precision."""
        return Style(
            latent=as_stored(self.latent),
            offsets={name: as_stored(value) for name, value in self.offsets.items()},
            weights={name: as_stored(value) for name, value in self.generator.convs.state_dict().items()},
            config=self.generator.config,
            generator_id=self.base_id,
            provenance=provenance,
            preview=preview,
        )

    @classmethod
    def of(
        cls, generator: Generator, style: Style, amounts: Sequence[float] = (1.0,) * LEVELS
    ) -> StyledGenerator:
        """The generator dressed in a style; the convolutions of each level go from the base's (amount 0) to
        the style's own (1), and no further.

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
