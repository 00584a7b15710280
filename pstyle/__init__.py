"""pstyle learns one person's image style from a handful of pictures, and paints any picture in it.

    from pstyle import PaintSettings, load_painter

    paint = load_painter("my_style.safetensors", device="cpu")
    picture = paint(picture, PaintSettings(strength=0.8))  # (B, 3, H, W) in, (B, 3, H, W) out

Shapes:

    B  pictures in a batch          H  height in pixels
    C  channels (feature maps)      W  width in pixels
    D  size of the latent           L  levels (named layers of the VGG)

A picture is sRGB, float32 in [0, 1], shaped (B, 3, H, W); a mask is (B, 1, H, W) in [0, 1]. Features are
(B, C, H / 2^k, W / 2^k); in formulas N is a feature map's C, and M its H * W. Latents are (B, D), float32
with about unit variance.

Names end in their unit: `_px` pixels, `_seconds`, `_mib` mebibytes, `_bytes`. `steps` counts optimizer
steps; `strength` and every `weight` are plain numbers; distances and losses are dimensionless.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

# Public name -> its module. Resolved at first use, so that `import pstyle` costs nothing, not even torch.
# No name here equals a wing's: `pstyle.style` stays the package.
_HOMES = {
    "BadFile": "core.checkpoint",
    "FinetuneConfig": "finetuning.finetune_config",
    "Generator": "nets.generator",
    "GeneratorConfig": "nets.generator",
    "LearnConfig": "training.learning",
    "Look": "style.paint_settings",  # an older name of PaintSettings
    "Moments": "nets.moments",
    "OptimizeConfig": "training.optimize",
    "PaintSettings": "style.paint_settings",
    "Painter": "painting.painter",
    "Style": "style.style",
    "VGG": "nets.vgg",
    "blend": "style.blending",
    "finetune": "finetuning.finetuning",
    "get_vgg": "nets.pretrained",
    "learn": "training.learning",
    "load_painter": "painting.painter",
    "load_style": "style.style",
    "load_vgg": "nets.vgg",
    "open_image": "image.reading",
    "save_image": "image.writing",
    "save_style": "style.style",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
