"""Protects video nodes: the library's own result, from batches and from lists, and a score that means it."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from pstyle_pack.nodes import host

from benchmarks.camera_moves import camera_move
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.painter import Painter
from pstyle.style.paint_settings import PaintSettings
from pstyle.video.stabilizing import VideoConfig, paint_video
from tests.conftest import random_picture


@pytest.fixture
def frames(rng: torch.Generator) -> torch.Tensor:
    """Four frames of a pan on a wire, (4, 48, 64, 3)."""
    clip = camera_move("pan", random_picture(rng, 80, 100), (48, 64), frames=4)
    return torch.cat(clip.frames).movedim(1, -1)


def paint(nodes, image, style, mask=None, **more) -> torch.Tensor:
    settings = asdict(PaintSettings()) | asdict(VideoConfig()) | more
    listed = {name: [value] for name, value in settings.items()}
    return nodes.PStylePaintVideo().paint(image, [style], mask=mask, **listed)["result"][0]


def test_frames_are_painted_as_the_library_paints_them(nodes, frames, style) -> None:
    painter = Painter(style.style, load_generator(), load_vgg())
    settings, config = PaintSettings(strength=0.8), VideoConfig(blend=0.7)
    expected = torch.cat(list(paint_video(painter, frames.movedim(-1, 1).split(1), settings, config)))
    batch = paint(nodes, [frames], style, strength=0.8, blend=0.7)
    assert torch.equal(batch, expected.movedim(1, -1)) and batch.dtype == torch.float32
    assert torch.equal(batch, paint(nodes, list(frames.split(1)), style, strength=0.8, blend=0.7))
    assert not torch.allclose(batch, frames, atol=0.05)


def test_masks_and_transparency_are_kept(nodes, frames, style, rng) -> None:
    mask, alpha = torch.zeros(1, 48, 64), torch.rand(4, 48, 64, 1, generator=rng)
    mask[:, :, 32:] = 1
    painted = paint(nodes, [torch.cat([frames, alpha], dim=-1)], style, mask=[mask])
    assert torch.equal(painted[:, :, :32, :3], frames[:, :, :32]) and torch.equal(painted[..., 3:], alpha)
    full = paint(nodes, [frames], style)
    assert torch.equal(painted[:, :, 32:, :3], full[:, :, 32:])
    assert torch.equal(paint(nodes, [frames], style, mask=[torch.zeros(1, 64, 64)]), full)  # means no mask
    each = torch.stack([torch.full((48, 64), float(number % 2)) for number in range(4)])
    painted = paint(nodes, [frames], style, mask=[each])
    assert torch.equal(painted[0], frames[0]) and torch.equal(painted[1], full[1])
    with pytest.raises(ValueError, match="2 masks for 4 frames"):
        paint(nodes, [frames], style, mask=[torch.ones(2, 48, 64)])


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ([torch.zeros(0, 8, 8, 3)], "empty batch"),
        ([torch.zeros(1, 8, 8, 3), torch.zeros(1, 8, 9, 3)], "8x8 px of 3 and 9x8 px of 3 channels"),
        ([torch.zeros(8, 8, 3)], "must be an IMAGE"),
        (["picture"], "must be an IMAGE"),
        ([torch.full((1, 8, 8, 3), torch.nan)], "non-finite"),
    ],
)
def test_bad_frames_are_refused(nodes, style, images: list, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        paint(nodes, images, style)


def test_settings_from_wires_are_checked(nodes, frames, style) -> None:
    with pytest.raises(ValueError, match=r"VideoConfig\.blend must be"):
        paint(nodes, [frames], style, blend=float("nan"))


def test_a_cancel_stops_between_frames(nodes, frames, style, monkeypatch) -> None:
    def cancel() -> None:
        raise host.Interrupted

    monkeypatch.setattr(host, "check_canceled", cancel)
    with pytest.raises(host.Interrupted):
        paint(nodes, [frames], style)


def test_a_video_flickers_as_much_as_itself_and_more_with_noise(nodes, frames, rng) -> None:
    node = nodes.PStyleFlickerScore()
    report, error, before, ratio, sharpness = node.score([frames], [frames])["result"]
    assert error == before > 0 and ratio == pytest.approx(1) and sharpness > 0
    assert [line.split()[0] for line in report.splitlines()] == list(node.RETURN_NAMES[1:])
    noisy = (frames + 0.1 * torch.randn(frames.shape, generator=rng)).clamp(0, 1)
    assert node.score([noisy], list(frames.split(1)))["result"][3] > 1.5
    with pytest.raises(ValueError, match="at least two"):
        node.score([frames[:1]], [frames[:1]])
    with pytest.raises(ValueError, match="as many"):
        node.score([frames[:2]], [frames])
