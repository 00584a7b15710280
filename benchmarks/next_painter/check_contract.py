"""What tiles, panoramas and flat pictures ask of the generator, on random weights; a few seconds."""

# ruff: noqa: E501, E741, T201 (a trial)

import torch
from net import Generator

from pstyle.nets.layers import RecordedStatistics, frozen_statistics

torch.set_num_threads(1)
torch.manual_seed(0)
generator = Generator().eval().requires_grad_(False)
for mod in generator.mods.values():
    torch.nn.init.normal_(mod.linear.weight, std=0.02)
modulation = generator.modulation(torch.randn(1, 3, 256))
image = torch.rand(1, 3, 512, 512)


def paint(x, **place):
    return generator(x, generator.content(x, place.get("padding", "reflect")), modulation, **place)


measured = RecordedStatistics()
whole = paint(image, normalize=measured)
corner = 128
tile = paint(
    image[:, :, corner:, corner:], normalize=frozen_statistics(measured.found), origin=(corner, corner)
)
for reach in (64, 96, 128, 160, 192):
    error = (whole[:, :, corner + reach :, corner + reach :] - tile[:, :, reach:, reach:]).abs().max()
    print(f"tile, {reach} px from its border: {error:.1e}")
turned = paint(
    image.roll(64, 3), padding="circular", normalize=frozen_statistics(measured.found), origin=(0, 512 - 64)
)
around = paint(image, padding="circular", normalize=frozen_statistics(measured.found))
print(f"panorama turned by 64 px: {(around.roll(64, 3) - turned).abs().max():.1e}")
for value in modulation.values():
    value.zero_()
for name in ("body", "texture"):
    modulation[f"{name}_noise"][:, : modulation[f"{name}_noise"].shape[1] // 2] = -1  # no noise
flat = paint(torch.full((1, 3, 256, 256), 0.4))
print(f"flat picture without noise, deviation: {flat.std():.1e}")
