"""Protects painting from nodes: the library's own result, with mask and transparency, from wire to wire."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from pstyle_pack.nodes import host, painters
from pstyle_pack.nodes import paint as paint_nodes

from pstyle.image.resizing import resize_to
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.painter import Painter
from pstyle.style.paint_settings import PaintSettings
from tests.nodes.conftest import random_style, tiny_generator


def paint(nodes, image, style, **more) -> torch.Tensor:
    return nodes.PStylePaint().paint(image, style, **more)["result"][0]


def test_a_batch_is_painted_as_the_library_paints_it(nodes, image: torch.Tensor, style) -> None:
    painter, settings = (
        Painter(style.style, load_generator(), load_vgg()),
        PaintSettings(strength=1.2, keep_color=True),
    )
    painted, expected = (
        paint(nodes, image, style, **asdict(settings)),
        painter(image.movedim(-1, 1), settings),
    )
    assert torch.equal(painted, expected.movedim(1, -1))
    assert painted.dtype == torch.float32 and painted.device.type == "cpu"
    assert not torch.allclose(painted, image, atol=0.05)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (17, 3), (65, 72)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_size_and_transparency_are_kept(nodes, style, size: tuple[int, int], channels: int, rng) -> None:
    image = torch.rand(1, *size, channels, generator=rng)
    painted = paint(nodes, image, style)
    assert painted.shape == (1, *size, 4 if channels == 4 else 3)
    assert torch.isfinite(painted).all() and painted.min() >= 0 and painted.max() <= 1
    if channels == 4:
        assert torch.equal(painted[..., 3], image[..., 3])


def test_strength_0_returns_the_picture(nodes, image: torch.Tensor, style) -> None:
    assert torch.allclose(paint(nodes, image, style, strength=0.0), image, atol=1e-3)


def test_a_mask_keeps_what_is_black(nodes, image: torch.Tensor, style) -> None:
    mask = torch.zeros(1, 72, 80)
    mask[:, :, 40:] = 1
    painted, full = paint(nodes, image, style, mask=mask), paint(nodes, image, style)
    assert torch.equal(painted[:, :, :40], image[:, :, :40])
    assert torch.equal(painted[:, :, 40:], full[:, :, 40:])


def test_masks_of_other_sizes_and_counts(nodes, image: torch.Tensor, style) -> None:
    full = paint(nodes, image, style)
    assert torch.equal(paint(nodes, image, style, mask=torch.zeros(1, 64, 64)), full)  # means no mask
    assert torch.equal(paint(nodes, image, style, mask=torch.ones(1, 9, 5)), full)
    each = torch.stack([torch.zeros(9, 5), torch.ones(9, 5)])
    painted = paint(nodes, image, style, mask=each)
    assert torch.equal(painted[0], image[0]) and torch.equal(painted[1], full[1])
    with pytest.raises(ValueError, match="3 masks for 2 pictures"):
        paint(nodes, image, style, mask=torch.ones(3, 9, 5))


@pytest.mark.parametrize(
    ("strength", "pixel", "said"),
    [(float("nan"), 0.5, "strength must be"), (2.0, 0.5, "strength must be"), (1.0, torch.nan, "non-finite")],
)
def test_bad_values_from_wires_are_refused(
    nodes, image, style, strength: float, pixel: float, said: str
) -> None:
    image[0, 3, 5, 1] = pixel
    with pytest.raises(ValueError, match=said):
        paint(nodes, image, style, strength=strength)


def test_an_empty_batch_is_refused(nodes, image, style) -> None:
    with pytest.raises(ValueError, match=r"^image is an empty batch: give at least one picture$"):
        paint(nodes, image[:0], style)


def test_a_second_style_goes_where_the_mask_is_black(nodes, image: torch.Tensor, style) -> None:
    other, mask = random_style(7), torch.zeros(1, 72, 80)
    mask[:, :, 40:] = 1
    painted = paint(nodes, image, style, mask=mask, second_style=other)
    assert torch.allclose(painted[:, :, -4:], paint(nodes, image, style)[:, :, -4:], atol=0.05)
    assert torch.allclose(painted[:, :, :4], paint(nodes, image, other)[:, :, :4], atol=0.05)
    with pytest.raises(ValueError, match="give a mask"):
        paint(nodes, image, style, second_style=other)


def test_size_has_inputs_after_all_others_and_a_large_picture_the_look_of_its_preview(
    nodes, image: torch.Tensor, style
) -> None:
    inputs = nodes.PStylePaint.INPUT_TYPES()
    assert list(inputs["optional"])[-2:] == ["tile", "look_size_px"]
    painted = paint(nodes, image, style, tile="always", look_size_px=36)
    small = resize_to(image.movedim(-1, 1), 36, 40)
    preview = paint(nodes, small.movedim(1, -1), style).movedim(-1, 1)
    assert (resize_to(painted.movedim(-1, 1), 36, 40) - preview).abs().mean() < 0.03
    assert torch.allclose(
        paint(nodes, image, style, tile="always"), paint(nodes, image, style, tile="never"), atol=1e-4
    )
    for bad in ({"tile": "some"}, {"look_size_px": -1}):
        with pytest.raises(ValueError, match="SizeConfig"):
            paint(nodes, image, style, **bad)


def test_networks_are_built_once_for_a_style(nodes, image: torch.Tensor, style, monkeypatch) -> None:
    made = []

    def counted(*args, **more) -> Painter:
        made.append(args[0])
        return Painter(*args, **more)

    monkeypatch.setattr(painters, "Painter", counted)
    node, other = nodes.PStylePaint(), random_style(7)
    for strength in (1.0, 0.5):
        node.paint(image, style, strength=strength)
    node.paint(image, other)
    assert made == [style.style, other.style]


def test_a_style_of_another_generator_says_what_to_do(nodes, image: torch.Tensor, style) -> None:
    other = paint_nodes.Networks(tiny_generator(1), load_vgg())
    with pytest.raises(ValueError, match="learned with another generator"):
        paint(nodes, image, style, generator=other)


def test_a_cancel_stops_between_pictures(nodes, image: torch.Tensor, style, monkeypatch) -> None:
    def cancel() -> None:
        raise host.Interrupted

    monkeypatch.setattr(host, "check_canceled", cancel)
    with pytest.raises(host.Interrupted):
        paint(nodes, image, style)


def test_a_picture_is_optimized_under_inference_mode(nodes, image: torch.Tensor, style_set: list) -> None:
    required = nodes.PStyleOptimize.INPUT_TYPES()["required"]
    settings = {name: options["default"] for name, (_, options) in required.items() if "default" in options}
    found, losses, history = nodes.PStyleOptimize().optimize(
        image[1:], style_set, **settings | {"steps": 3, "size_px": 64, "first_px": 64}
    )
    assert found.shape[0] == 1 and min(found.shape[1:3]) == 64 and found.shape[3] == 3
    assert losses == {"loss": [record["loss"] for record in history]}
    assert [record["step"] for record in history] == [1, 2, 3] and history[-1]["loss"] < history[0]["loss"]
    with pytest.raises(ValueError, match="one content picture"):
        nodes.PStyleOptimize().optimize(image, style_set, **settings)
