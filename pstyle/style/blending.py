"""Blending several styles of one generator into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from ..core.config import describe
from ..nets.moments import normalized_weights
from .provenance import Provenance
from .strength_calibration import Calibration
from .style import Style


def blend(styles: Sequence[Style], weights: Sequence[float]) -> Style:
    """The weighted mean of styles, parameter by parameter, with the preview of the heaviest.

    Raises ValueError for styles of different generators or unusable weights.
    """
    shares = normalized_weights(weights, len(styles))
    first = styles[0]
    if any(style.generator_id != first.generator_id for style in styles):
        raise ValueError(
            "these styles were learned with different generators: blend styles of one generator only"
        )

    def mixed(values: Sequence[Tensor]) -> Tensor:
        return sum(share * value.float() for share, value in zip(shares, values, strict=True)).half()

    def between(name: str) -> float:
        return sum(
            share * getattr(style.calibration, name) for share, style in zip(shares, styles, strict=True)
        )

    note = "blend of " + " and ".join(f"{share:.3f}" for share in shares)
    heaviest = max(range(len(styles)), key=lambda i: shares[i])
    return replace(
        first,
        latent=mixed([style.latent for style in styles]),
        offsets={name: mixed([style.offsets[name] for style in styles]) for name in first.offsets},
        weights={name: mixed([style.weights[name] for style in styles]) for name in first.weights},
        provenance=Provenance(pictures=sum(s.provenance.pictures for s in styles), note=note),
        calibration=Calibration(**{name: between(name) for name in describe(Calibration)}),
        preview=styles[heaviest].preview,
        taste="",
    )
