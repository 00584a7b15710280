"""Protects painted videos: paint that stays where it was put, a new start at a cut, no memory of the past."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
import torch

from benchmarks.camera_moves import MOVES, camera_move
from pstyle.nets.generator import LEVELS, load_generator, style_moments
from pstyle.nets.layers import statistics
from pstyle.nets.vgg import load_vgg
from pstyle.painting.native import GlobalStatistics
from pstyle.painting.paint import SizeConfig
from pstyle.painting.painter import Painter
from pstyle.samples import content_pictures, paint_as
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator
from pstyle.video.flicker import sharpness, warping_error
from pstyle.video.stabilizing import VideoConfig, VideoPainter, blended, mixed, motion_between, paint_video
from tests.conftest import random_picture

PLAIN = VideoConfig(smoothing=0.0, blend=0.0)


@pytest.fixture(scope="module")
def scenes() -> list[torch.Tensor]:
    return content_pictures(2, 180, seed=7)


@pytest.fixture(scope="module")
def pointillist(scenes: list[torch.Tensor]) -> Painter:
    """The shipped networks with the style of a procedural artist, only encoded."""
    generator, vgg = load_generator(), load_vgg()
    latent = generator.encode(style_moments(vgg, paint_as("pointillism", scenes[1])))[0]
    return Painter(StyledGenerator(generator, latent).style(Provenance()), generator, vgg, "cpu")


@pytest.mark.parametrize("move", MOVES)
def test_paint_stays_on_what_it_was_put_on(pointillist: Painter, scenes: list, move: str) -> None:
    """On exact motions: half of the flicker of frames painted one by one is gone, and no sharpness."""
    clip = camera_move(move, scenes[0], (120, 152), frames=5, noise=0.01)
    alone = [pointillist(frame) for frame in clip.frames]
    together = list(paint_video(pointillist, clip.frames))
    reduced = list(paint_video(pointillist, clip.frames, size=SizeConfig(look_size_px=90)))

    def error(frames: list[torch.Tensor]) -> float:
        steps = zip(frames, frames[1:], clip.flows, clip.seen, strict=False)
        return sum(warping_error(*step) for step in steps) / len(clip.flows)

    assert error(together) < 0.5 * error(alone) and error(reduced) < 0.5 * error(alone)
    assert sum(map(sharpness, together)) > 0.95 * sum(map(sharpness, alone))


def test_the_first_frame_is_painted_as_a_picture(painter: Painter, picture: torch.Tensor) -> None:
    for settings in (
        PaintSettings(),
        PaintSettings(strength=0.4, keep_color=True, detail=0.3),
        PaintSettings(stroke=1.5),
    ):
        assert torch.allclose(VideoPainter(painter, settings)(picture), painter(picture, settings), atol=1e-4)
        size = SizeConfig(look_size_px=24)
        video = VideoPainter(painter, settings, size=size)
        assert torch.equal(video(picture), painter(picture, settings, size=size))


@pytest.mark.parametrize("reference_px", [0, 24])
def test_a_still_video_stands_still(painter: Painter, picture: torch.Tensor, reference_px: int) -> None:
    first, *others = paint_video(painter, [picture] * 4, size=SizeConfig(look_size_px=reference_px))
    assert all(torch.allclose(frame, first, atol=1e-4) for frame in others)


@pytest.mark.parametrize("shift", [(0, 8), (3, 5), (-4, 11)])
def test_the_canvas_goes_with_the_camera(painter: Painter, rng: torch.Generator, shift: tuple) -> None:
    """Of what is seen twice, the second painting is the first, moved: the grid and the noise went along."""
    down, across = shift
    world = random_picture(rng, 280, 300)
    first, second = (
        world[..., 20:-20, 20:-20],
        world[..., 20 + down : 260 + down, 20 + across : 280 + across],
    )
    video = VideoPainter(painter, config=PLAIN)
    video(first)
    whole = video.shot.whole
    painter.measure = lambda picture, amounts: whole  # one contrast for both, to compare them closely
    before, after = video(first), video(second)
    assert video.shot.place.round().tolist() == [across, down]
    inner = slice(112, -112)
    expected = before[..., 112 + down : 128 + down, 112 + across : 148 + across]
    assert torch.allclose(after[..., inner, inner], expected, atol=1e-4)
    del painter.measure


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_cut_begins_anew(painter: Painter, scenes: list, strength: float) -> None:
    settings, scene = PaintSettings(strength=strength), scenes[0][..., :96, :128]
    other = scenes[1][..., :96, :128].flip(2)
    *_, after = paint_video(painter, [scene, scene, other], settings)
    assert torch.allclose(after, painter(other, settings), atol=1e-4)
    *_, carried = paint_video(painter, [scene, scene, other], settings, VideoConfig(cut=0.0))
    assert not torch.allclose(carried, after, atol=1e-3)


def test_cuts_are_told_from_motion_and_light(scenes: list) -> None:
    limit = VideoConfig().cut
    for move in MOVES:
        clip = camera_move(move, scenes[0], (96, 128), frames=6, noise=0.02)
        assert motion_between(clip.frames[0], clip.frames[1]).trust.mean() > 2 * limit
        assert motion_between(clip.frames[0], clip.frames[5] * 0.9).trust.mean() > limit
    other = scenes[1][..., :96, :128]
    assert motion_between(clip.frames[0], other).trust.mean() < limit / 2


def test_what_is_new_in_a_frame_is_not_carried_along(scenes: list, rng: torch.Generator) -> None:
    first, second = camera_move("pan", scenes[0], (96, 128), frames=2).frames
    second[..., 30:70, 50:90] = torch.rand(1, 3, 1, 1, generator=rng).round()
    trust = motion_between(first, second).trust
    assert trust[..., 34:66, 54:86].mean() < 0.2 and trust[..., :24, :-10].mean() > 0.8


def test_another_size_begins_anew(painter: Painter, rng: torch.Generator) -> None:
    frames = [torch.rand(1, 3, *size, generator=rng) for size in ((24, 33), (24, 33), (17, 9))]
    painted = list(paint_video(painter, frames))
    assert torch.allclose(painted[2], painter(frames[2]), atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 17), (9, 2), (31, 65)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sizes_and_transparency_are_kept(painter: Painter, rng, size: tuple[int, int], channels: int) -> None:
    frames = torch.rand(3, channels, *size, generator=rng).split(1)
    for frame, found in zip(frames, paint_video(painter, frames), strict=True):
        assert found.shape == (1, 4 if channels == 4 else 3, *size)
        assert found.isfinite().all() and found.min() >= 0 and found.max() <= 1
        assert channels != 4 or torch.equal(found[:, 3:], frame[:, 3:])


def test_a_mask_keeps_what_it_covers(painter: Painter, picture: torch.Tensor) -> None:
    mask, video = torch.zeros(1, 1, *picture.shape[2:]), VideoPainter(painter)
    assert torch.equal(video(picture, mask), picture)


def test_two_halves_mix_as_one_picture(rng: torch.Generator) -> None:
    halves = torch.randn(1, 5, 8, 6, generator=rng), 2 + torch.randn(1, 5, 8, 6, generator=rng)
    one, other = (GlobalStatistics(None, {"site": statistics(half)}) for half in halves)
    found, expected = mixed(one, other, 0.5).painted["site"], statistics(torch.cat(halves, dim=2))
    assert torch.allclose(found.mean, expected.mean, atol=1e-5)
    assert torch.allclose(found.variance, expected.variance, atol=1e-4)


def test_shares_of_the_past_fade(painter: Painter, scenes: list) -> None:
    amounts = (0.5,) * LEVELS
    before, now = (painter.measure(scene[..., :64, :64], amounts) for scene in scenes)
    assert mixed(before, now, 0.0).painted["color"].mean.equal(now.painted["color"].mean)
    found = mixed(before, now, 0.75)
    for kind in ("painted", "rebuilt"):
        mean = getattr(found, kind)["color"].mean
        expected = 0.75 * getattr(before, kind)["color"].mean + 0.25 * getattr(now, kind)["color"].mean
        assert torch.allclose(mean, expected, atol=1e-6)
    assert torch.allclose(found.own["color"], 0.75 * before.own["color"] + 0.25 * now.own["color"], atol=1e-5)


def test_a_mean_of_two_textures_is_no_duller(rng: torch.Generator) -> None:
    fresh, carried = (0.5 + 0.1 * torch.randn(1, 3, 64, 64, generator=rng) for _ in range(2))
    share = torch.full((1, 1, 64, 64), 0.5)
    found = blended(fresh, carried, share)
    assert fresh.lerp(carried, 0.5).std() < 0.8 * fresh.std()
    assert found.std().item() == pytest.approx(fresh.std().item(), rel=0.1)
    assert torch.allclose(blended(fresh, carried, 0 * share), fresh, atol=1e-5)


def test_two_frames_are_held_at_a_time(painter: Painter, rng: torch.Generator) -> None:
    alive: list[weakref.ref] = []

    def frames() -> Iterator[torch.Tensor]:
        for _ in range(12):
            frame = torch.rand(1, 3, 16, 16, generator=rng)
            alive.append(weakref.ref(frame))
            yield frame
            del frame

    most = 0
    for painted in paint_video(painter, frames()):
        alive.append(weakref.ref(painted))
        del painted
        gc.collect()
        most = max(most, sum(one() is not None for one in alive))
    assert len(alive) == 24 and most <= 4


def test_a_bad_frame_leaves_the_shot_as_it_was(painter: Painter, picture: torch.Tensor) -> None:
    video = VideoPainter(painter)
    video(picture)
    shot = video.shot
    with pytest.raises(ValueError, match="frame 1 of 1 has"):
        video(torch.full_like(picture, torch.nan))
    assert video.shot is shot


@pytest.mark.parametrize("setting", [{"blend": 0.99}, {"smoothing": -0.1}, {"cut": float("nan")}])
def test_settings_out_of_range_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=rf"VideoConfig\.{next(iter(setting))} must be"):
        VideoConfig(**setting)
