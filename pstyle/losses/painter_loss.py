"""The loss of crops painted in one style: its terms, and the weights that a loop's settings give them.

Learning and fine-tuning share all of it; base training, which sees many styles at once, shares the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ..core.process_group import ALONE, ProcessGroup
from ..nets.moments import Moments, mix_by_layer
from .patches import patch_distance, style_patches
from .perceptual import Perceptual, clamp_through
from .style_content import light_distance, structure_distance

# Loss term -> the setting that weighs it; content always has weight 1.
WEIGHT_SETTINGS = {
    "style": "style_weight",
    "smooth": "smooth_weight",
    "range": "range_weight",
    "structure": "structure_weight",
    "light": "light_weight",
    "patches": "patch_weight",
    "identity": "identity_weight",
    "dislike": "dislike_weight",
}


class LossConfig(Protocol):
    """The settings of a loop that the loss reads, besides the weights."""

    gram_weight: float
    seed: int


@dataclass(frozen=True)
class PainterLoss:
    """The loss terms toward one style: its statistics by layer and its patches by scale.

    With several `processes`, statistics are taken over all crops; patches are compared within each process.
    """

    perceptual: Perceptual
    style: Mapping[str, Moments]
    patches: Sequence[Tensor]
    gram_weight: float
    processes: ProcessGroup = ALONE

    @classmethod
    def of(
        cls,
        pictures: Sequence[Tensor],
        weights: Sequence[float],
        perceptual: Perceptual,
        config: LossConfig,
        processes: ProcessGroup = ALONE,
    ) -> PainterLoss:
        """The loss toward style pictures (1, 3, H, W), mixed by weight."""
        style = mix_by_layer([perceptual.style(picture) for picture in pictures], weights)
        patches = style_patches(pictures, weights, torch.Generator().manual_seed(config.seed))
        return cls(perceptual, style, patches, config.gram_weight, processes)

    def terms(
        self,
        painted: Tensor,
        image: Tensor,
        rng: torch.Generator,
        shown: Tensor | None = None,
        features: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Dimensionless terms of crops `painted` from `image`, both (B, 3, S, S).

        `painted` may leave [0, 1]; the statistics of all B crops are taken together. If already computed,
        pass `shown`, which is `clamp_through(painted)`, and its `features`.
        """
        content, crops = self.perceptual.content(image), len(painted)
        terms = self.perceptual.terms(
            painted, content, self.style, self.gram_weight, crops, self.processes, features=features
        )
        shown = clamp_through(painted) if shown is None else shown
        terms["structure"] = structure_distance(shown, image)
        terms["light"] = light_distance(shown, image)
        terms["patches"] = patch_distance(shown, self.patches, rng)
        return terms


def loss_weights(config: Any) -> dict[str, float]:
    """The weight of each loss term that the settings have, by the term's name."""
    return {term: getattr(config, name) for term, name in WEIGHT_SETTINGS.items() if hasattr(config, name)}
