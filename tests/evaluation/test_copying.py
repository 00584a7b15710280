"""Protects the search for copies: it finds what a brute force finds, all that was pasted, nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.fft import dctn
from skimage import data

from pstyle.evaluation import copying
from pstyle.evaluation.copying import PATCH_PX, copied_share


def photograph(name: str, height: int = 160, width: int = 192) -> torch.Tensor:
    pixels = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None].float() / 255
    return F.interpolate(pixels, size=(height, width), mode="bilinear", antialias=True).clamp(0, 1)


@pytest.fixture(scope="module")
def coffee() -> torch.Tensor:
    return photograph("coffee")


@pytest.fixture(scope="module")
def astronaut() -> torch.Tensor:
    return photograph("astronaut")


def numpy_units(image: torch.Tensor, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Patches of a picture as unit vectors of their cosines without the slowest, and their lengths before."""
    red, green, blue = image[0].double().numpy()
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    windows = np.lib.stride_tricks.sliding_window_view(light, (32, 32))[::stride, ::stride]
    waves = dctn(windows.reshape(-1, 32, 32), axes=(1, 2), norm="ortho")
    waves[:, :4, :4] = 0
    waves = waves.reshape(len(waves), -1)
    lengths = np.linalg.norm(waves, axis=1)
    return waves / lengths[:, None].clip(1e-9), lengths


def brute_force(painted: torch.Tensor, styles: list[torch.Tensor]) -> float:
    """The definition: every patch that is not flat against every place of every style."""
    ours, length = numpy_units(painted, 32)
    ours = ours[length > 0.01 * 32]
    best = np.full(len(ours), -1.0)
    for style in styles:
        theirs, length = numpy_units(style, 1)
        theirs = theirs[length > 0.01 * 32]
        if len(theirs) and len(ours):
            best = np.maximum(best, (ours @ theirs.T).max(1))
    return float((best > 0.95).mean()) if len(best) else 0.0


def pasted(onto: torch.Tensor, piece: torch.Tensor, top: int, left: int) -> torch.Tensor:
    found = onto.clone()
    found[:, :, top : top + piece.shape[2], left : left + piece.shape[3]] = piece
    return found


def test_it_equals_the_brute_force(astronaut, coffee):
    rng = torch.Generator().manual_seed(0)
    noisy = [
        (coffee + amount * torch.randn(coffee.shape, generator=rng)).clamp(0, 1)
        for amount in (0.02, 0.04, 0.08)
    ]
    shares = [brute_force(picture, [coffee]) for picture in noisy]
    assert 1 > shares[0] > shares[1] > shares[2] > 0  # so the comparison sees patches on both sides of 0.95
    assert [copied_share(picture, [coffee]) for picture in noisy] == pytest.approx(shares)
    both = torch.cat([noisy[1][..., :96], astronaut[..., 96:]], dim=3)
    wanted = brute_force(both, [coffee, astronaut])
    assert copied_share(both, [coffee, astronaut]) == pytest.approx(wanted)
    assert wanted > copied_share(both, [coffee]) + 0.3


def test_pasted_pieces_are_found_in_their_share(astronaut, coffee):
    """A piece of 75 x 100 px over rows 30 to 105 and columns 60 to 160 covers 2 x 3 patches whole."""
    piece = coffee[:, :, 41:116, 7:107]
    counted = brute_count(pasted(astronaut, piece, 30, 60))
    assert copied_share(pasted(astronaut, piece, 30, 60), [coffee]) == pytest.approx(6 / counted)
    darker = 0.5 * piece + 0.1  # light and contrast are no matter
    assert copied_share(pasted(astronaut, darker, 30, 60), [coffee]) == pytest.approx(6 / counted)
    mirrored = piece.flip(3)  # and this is another picture
    assert copied_share(pasted(astronaut, mirrored, 30, 60), [coffee]) == 0


def brute_count(painted: torch.Tensor) -> int:
    return int((numpy_units(painted, 32)[1] > 0.01 * 32).sum())


def test_a_style_of_another_size_is_seen_at_the_size_of_the_painted_picture(coffee):
    large = F.interpolate(coffee, scale_factor=2, mode="bilinear")
    assert copied_share(coffee, [large]) > 0.9
    assert copied_share(large, [coffee]) > 0.9


def test_pictures_that_copy_nothing_score_zero(astronaut, coffee):
    others = [coffee, photograph("chelsea"), photograph("rocket")]
    assert copied_share(astronaut, others) == 0
    assert [copied_share(other, [astronaut]) for other in others] == [0, 0, 0]


def test_edges_and_gradients_of_light_are_no_copies():
    """By plain correlation, without their slow waves, both of these would be found."""
    x = torch.linspace(0, 1, 128)
    slope = (0.7 * x + 0.3 * x[:, None]).expand(1, 3, 128, 128)
    soft = torch.sigmoid((x - 0.5) * 20).expand(1, 3, 128, 128)
    assert copied_share(slope.contiguous(), [soft.flip(3).contiguous(), 0.2 + 0.5 * slope]) == 0


def test_flat_patches_do_not_count(coffee):
    flat = torch.full_like(coffee, 0.4)
    assert copied_share(flat, [flat]) == copied_share(flat, [coffee]) == copied_share(coffee, [flat]) == 0
    half = pasted(flat, coffee[..., :96], 0, 0)
    assert copied_share(half, [coffee]) == 1  # every patch that is not flat


def test_no_bound_is_below_a_correlation(astronaut, coffee):
    """What the search rules out by bounds must be out."""
    light = copying.luma(astronaut[:, :, :64, :80]), copying.luma(coffee[:, :, :64, :80])
    (ours, own), (theirs, other) = (copying.waves_at(one, 1) for one in light)
    units = [numpy_units(one.expand(-1, 3, -1, -1), 1) for one in light]
    assert own.numpy() == pytest.approx(units[0][1], rel=1e-3) and len(other) == 33 * 49
    assert ((ours @ theirs.T).numpy() >= units[0][0] @ units[1][0].T - copying.ROUNDING).all()


def test_bands_hold_every_place_once(monkeypatch):
    monkeypatch.setattr(copying, "PLACES", 100)
    light = torch.arange(70.0)[:, None].expand(70, 40)[None, None]
    starts = [int(row) for band in copying.bands(light) for row in band[0, 0, : 1 - PATCH_PX, 0]]
    assert starts == list(range(70 - PATCH_PX + 1))
    assert not list(copying.bands(light[:, :, :31]))


def test_the_share_does_not_depend_on_the_bands(astronaut, coffee, monkeypatch):
    painted = pasted(astronaut, coffee[:, :, 41:116, 7:107], 30, 60)
    whole = copied_share(painted, [coffee])
    monkeypatch.setattr(copying, "PLACES", 1)
    assert copied_share(painted, [coffee]) == whole > 0


@pytest.mark.parametrize("style", [(31, 200), (200, 33)])
def test_a_style_with_hardly_a_place_is_no_fault(coffee, style):
    assert copied_share(coffee, [coffee[:, :, : style[0], : style[1]]]) < 1


def test_what_cannot_be_searched_is_refused(coffee):
    for painted, styles, got in ((coffee[:, :, :31], [coffee], "192x31 px and 1"), (coffee, [], "and 0")):
        with pytest.raises(ValueError, match=got):
            copied_share(painted, styles)
