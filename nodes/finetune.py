"""Nodes that fine-tune a style against a discriminator, and map where pictures look real to it."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..pstyle.finetuning.finetune_config import FinetuneConfig
from ..pstyle.finetuning.finetuning import Finetuned, Finetuning
from ..pstyle.losses.perceptual import perceptual_with
from ..pstyle.nets.discriminator import logit_map
from ..pstyle.nets.vgg import VGG
from . import host
from .files import shipped_networks
from .learn import INTERRUPTED, contents_or_scenes, keep_style
from .widgets import widgets, wire
from .wires import (
    DISCRIMINATOR_WIRE,
    GENERATOR_WIRE,
    HISTORY_WIRE,
    LOSS_MAP_WIRE,
    OTHER_GENERATOR,
    STYLE_JUDGE,
    STYLE_SET_WIRE,
    STYLE_WIRE,
    VGG_WIRE,
    BoundDiscriminator,
    BoundStyle,
    History,
    Networks,
    StyleSet,
    liked,
    to_loss_map,
    to_rgb,
    to_wire,
)


class PStyleFinetune:
    """A style and its style pictures -> the style, adversarially fine-tuned."""

    TITLE = "Adversarial Fine-tune"
    CATEGORY = "pstyle/learn"
    DESCRIPTION = (
        "Fine-tunes a style against a discriminator that learns to tell painted pictures from real ones. The "
        "result is kept only if it beats the original on held-out crops; the verdict says why. If you "
        f"cancel, the best style so far is saved in models/pstyle as '{INTERRUPTED}', or as "
        f"'{INTERRUPTED}_2' and so on if that exists."
    )
    RETURN_TYPES = (STYLE_WIRE, LOSS_MAP_WIRE, HISTORY_WIRE, "STRING", DISCRIMINATOR_WIRE)
    RETURN_NAMES = ("style", "losses", "history", "verdict", "discriminator")
    OUTPUT_TOOLTIPS = (
        "The fine-tuned style if it won, otherwise the original.",
        "The painter's total loss per step, for ComfyUI's loss graph.",
        "Losses, accuracies and gaps per step and validation, for Loss Plot.",
        "Whether the fine-tuned style was kept, and why.",
        "The discriminator, for Discriminator Map.",
    )
    FUNCTION = "finetune"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        contents = "Pictures like those you want to paint. Without them, drawn scenes are used."
        return {
            "required": {
                "style": wire(STYLE_WIRE, "The style to fine-tune."),
                "style_set": wire(STYLE_SET_WIRE, "The real pictures: those the style was learned from."),
                **widgets(FinetuneConfig),
            },
            "optional": {
                "contents": wire("IMAGE", contents),
                "generator": wire(GENERATOR_WIRE, OTHER_GENERATOR),
                "vgg": wire(VGG_WIRE, STYLE_JUDGE),
            },
        }

    def finetune(
        self,
        style: BoundStyle,
        style_set: StyleSet,
        contents: Tensor | None = None,
        generator: Networks | None = None,
        vgg: VGG | None = None,
        **settings: Any,
    ) -> tuple[BoundStyle, dict[str, list[float]], History, str, BoundDiscriminator]:
        config, own = FinetuneConfig(**settings), generator or style.networks
        pictures, weights = liked(style_set)
        networks = own or shipped_networks()
        with host.training(), host.borrowed(networks.both), host.borrowed(vgg) as judge:
            found, critic = finetuned(
                style.style,
                pictures,
                contents_or_scenes(contents, config.size_px, config.seed),
                networks.generator,
                networks.vgg,
                perceptual_with(networks.vgg, judge),
                config,
                weights,
            )
        return BoundStyle(found.style, own), to_loss_map(found.history), found.history, found.verdict, critic


def finetuned(*given: Any) -> tuple[Finetuned, BoundDiscriminator]:
    """Run a `Finetuning` and return its result.

    A separate function, so that graph and optimizers are freed with its frame. Raises `host.Interrupted` if
    canceled; the best style so far is saved.
    """
    finetuning = Finetuning(*given)
    try:
        finetuning.run(host.Watch())
    except host.Interrupted:
        keep_style(finetuning.result().style)
        raise
    found = finetuning.result()
    return found, BoundDiscriminator(found.discriminator.cpu(), finetuning.gan.vgg)


class PStyleDiscriminatorMap:
    """Pictures -> maps of where a discriminator takes them for real."""

    TITLE = "Discriminator Map"
    CATEGORY = "pstyle/measure"
    DESCRIPTION = "Shows where a discriminator thinks a picture is real, and where painted."
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("map",)
    OUTPUT_TOOLTIPS = ("White looks real, black looks painted, gray is undecided.",)
    FUNCTION = "draw"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image": wire("IMAGE", "The pictures to look at, painted or real."),
                "discriminator": wire(DISCRIMINATOR_WIRE, "The discriminator of Adversarial Fine-tune."),
            }
        }

    def draw(self, image: Tensor, discriminator: BoundDiscriminator) -> tuple[Tensor]:
        pictures, critic = to_rgb(image).to(host.compute_device()), discriminator
        with host.borrowed(nn.ModuleList([critic.discriminator, critic.vgg])):
            logits = logit_map(critic.discriminator, critic.vgg, pictures)  # (B, 1, H, W)
        return (to_wire(logits.sigmoid().expand(-1, 3, -1, -1)),)
