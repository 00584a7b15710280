"""How small a style file may be: convolutions stored as differences from the base, in few bits per number.

usage: pack.py --base runs/base.safetensors --learned styles/NAME.safetensors PHOTO
"""

# ruff: noqa: E501, E741, T201 (a trial)

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from learn import StyledGenerator, load_base
from torch import Tensor

from pstyle.image.padding import pad_to_multiple
from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_short_side


def quantized(difference: Tensor, bits: int) -> Tensor:
    """A difference (O, I, k, k) rounded to 2^bits - 1 even steps per output channel; the step that errs least
    of four candidates is taken.
    """
    flat = difference.flatten(1)
    top = 2 ** (bits - 1) - 1
    found, error = torch.zeros_like(flat), torch.full((len(flat), 1), torch.inf)
    for share in (1.0, 0.8, 0.6, 0.45):
        step = (share * flat.abs().amax(1, keepdim=True) / top).clamp_min(1e-12)
        rounded = (flat / step).round().clamp(-top, top) * step
        missed = (rounded - flat).square().sum(1, keepdim=True)
        found, error = torch.where(missed < error, rounded, found), torch.minimum(error, missed)
    return found.view_as(difference)


def main() -> None:
    """Print the size of the file and the error of the painting for several numbers of bits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--learned", type=Path, required=True)
    parser.add_argument("photo", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    base = load_base(args.base)
    styled = StyledGenerator(base, torch.zeros(3, base.config.latent))
    styled.load(args.learned)
    photo, _ = pad_to_multiple(resize_short_side(open_image(args.photo), 384), 8)
    own = {k: v.clone() for k, v in styled.generator.convs.state_dict().items()}
    start = base.convs.state_dict()
    with torch.inference_mode():
        whole = styled(photo).clamp(0, 1)
        for body, rest in ((16, 16), (8, 8), (6, 8), (5, 6), (4, 6), (4, 4), (3, 4)):
            bits = 0
            for name, value in styled.generator.convs.state_dict().items():
                count = body if name.startswith("block") else rest
                bits += value.numel() * count
                change = own[name] - start[name]
                value.copy_(start[name] + (quantized(change, count) if change.ndim == 4 else change))
            bits += 16 * (styled.latent.numel() + sum(v.numel() for v in styled.offsets.values()))
            error = (styled(photo).clamp(0, 1) - whole).square().mean()
            print(f"body {body} bits, rest {rest} bits: {bits / 8e6:.2f} MB, {-10 * error.log10():.1f} dB")


if __name__ == "__main__":
    main()
