"""Settings of adversarial fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.config import check_settings, choice, setting
from ..nets.generator import STRIDE


@dataclass(frozen=True)
class FinetuneConfig:
    """Settings of adversarial fine-tuning."""

    steps: int = setting(200, 0, 20_000, "maximum number of steps; training stops earlier at an equilibrium")
    warmup: int = setting(20, 0, 10_000, "initial steps in which only the discriminator is trained")
    size_px: int = setting(
        512, 128, 2048, "short side in pixels to which real pictures are scaled; use the value from learning"
    )
    crop_px: int = setting(128, 64, 512, "side of real and content crops in pixels, at most half of size_px")
    batch: int = setting(4, 1, 32, "real crops and content crops per step and process")
    adversarial_ratio: float = setting(
        0.1, 0.0, 10.0, "strength of the discriminator: its gradient relative to that of the other losses"
    )
    style_weight: float = setting(
        24.0, 0.0, 1000.0, "weight of the style loss; the content loss has weight 1"
    )
    gram_weight: float = setting(
        0.5, 0.0, 10.0, "weight of Gram matrices relative to means and standard deviations"
    )
    smooth_weight: float = setting(0.1, 0.0, 100.0, "weight of total variation")
    lecam_weight: float = setting(
        0.3, 0.0, 10.0, "weight of the LeCam regularizer, which steadies the discriminator"
    )
    photo_share: float = setting(
        0.25, 0.0, 0.9, "share of unpainted photographs among the discriminator's negative examples"
    )
    lr_latent: float = setting(0.003, 0.0, 1.0, "learning rate of the latents")
    lr_offset: float = setting(0.0007, 0.0, 1.0, "learning rate of the modulation offsets")
    lr_weight: float = setting(0.0006, 0.0, 1.0, "learning rate of the style's own convolutions")
    lr_discriminator: float = setting(0.002, 0.0, 1.0, "learning rate of the discriminator")
    ema: float = setting(0.98, 0.0, 0.9999, "decay per step of the averaged style, which is the one kept")
    check_every: int = setting(50, 1, 10_000, "steps between validations on held-out crops")
    seed: int = setting(0, 0, 2**31 - 1, "random seed for crops, augmentation and discriminator")
    structure_weight: float = setting(
        3.0, 0.0, 100.0, "weight of structural similarity: fine detail and smooth surfaces"
    )
    patch_weight: float = setting(
        100.0, 0.0, 1000.0, "weight of matching the distribution of small patches: colors and shapes"
    )
    light_weight: float = setting(
        4.0, 0.0, 100.0, "weight of keeping light and dark where the photograph has them"
    )
    discriminator: str = choice(
        "heads",
        ("heads", "plain"),
        "kind of discriminator: heads judges patches on several feature layers, and larger windows; plain "
        "is a single convolution",
    )
    few: bool = setting(
        False, help="also fine-tune from one or two pictures, which the discriminator may memorize"
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if self.crop_px % STRIDE or 2 * self.crop_px > self.size_px:
            raise ValueError(
                f"FinetuneConfig.crop_px must be a multiple of {STRIDE} and at most half of size_px "
                f"({self.size_px}), so that a part of a picture can be held out; got {self.crop_px}"
            )
