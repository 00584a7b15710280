"""How faithful the shipped networks are to VGG-19, layer by layer, on pictures that trained nothing.

    python benchmarks/loss_network.py --images FOLDER --vgg FOLDER [--other FILE]

Cosine of centered features and error of channel means and deviations need the same channels, which the loss
network has; the share of variance that a linear map explains compares networks of any width.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from judge import load_judge_vgg
from split import held_out_paintings, held_out_photos
from torch import Tensor

from pstyle.image.crops import Crops
from pstyle.nets.moments import moments
from pstyle.nets.vgg import VGG, load_loss_vgg, load_vgg
from pstyle.training.distillation import linear_fits

CROP_PX = 192


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="The shipped networks' features beside VGG-19's.")
    parser.add_argument(
        "--images", type=Path, required=True, help="folder with paintings/, photos/, textures/"
    )
    parser.add_argument(
        "--vgg", type=Path, required=True, help="folder with the judge's vgg19_relu3_1.safetensors"
    )
    parser.add_argument("--other", type=Path, help="another VGG to put beside the shipped ones")
    parser.add_argument("--crops", type=int, default=48, help="crops of held-out pictures")
    return parser.parse_args()


def cosine(found: Tensor, target: Tensor) -> float:
    """Cosine between features (B, C, H, W), each channel centered."""
    a, b = (value.double() - value.double().mean((0, 2, 3), keepdim=True) for value in (found, target))
    return torch.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()


def moment_error(found: Tensor, target: Tensor) -> float:
    """Error of means and deviations per picture relative to the target's, root mean square."""
    a, b = moments(found), moments(target)
    error = (a.mean - b.mean).square().sum() + (a.std - b.std).square().sum()
    return (error / (b.mean.square().sum() + b.std.square().sum())).sqrt().item()


@torch.no_grad()
def rows(name: str, network: VGG, teacher: VGG, images: Tensor) -> list[str]:
    """A row of the table for each layer that both networks reach."""
    found, target = network(images), teacher(images)
    explained = linear_fits(network, [teacher], images.split(8))
    lines = []
    for layer in (layer for layer in network.layers if layer in target):
        cells = ["", ""]
        if found[layer].shape == target[layer].shape:
            cells = [f"{measure(found[layer], target[layer]):.4f}" for measure in (cosine, moment_error)]
        lines.append("| " + " | ".join([name, layer, f"{explained[layer].explained:.4f}", *cells]) + " |")
    return lines


def main() -> None:
    """Print the table."""
    given = arguments()
    teacher = load_judge_vgg(given.vgg)
    crops = Crops.from_files([*held_out_paintings(given.images), *held_out_photos(given.images)])
    images = crops.draw(given.crops, CROP_PX, torch.Generator().manual_seed(0))
    networks = {"loss": load_loss_vgg(), "slim": load_vgg()}
    if given.other:
        networks[given.other.stem] = load_vgg(given.other)
    print("| network | layer | explained variance | cosine | moment error |")  # noqa: T201
    print("|" + "---|" * 5)  # noqa: T201
    for name, network in networks.items():
        print("\n".join(rows(name, network, teacher, images)))  # noqa: T201


if __name__ == "__main__":
    main()
