"""Protects the scores: each agrees with an independent implementation and sees a picture getting worse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage
from scipy.stats import wasserstein_distance
from skimage import color, data, filters
from skimage.measure import block_reduce
from skimage.metrics import structural_similarity

from pstyle.evaluation import metrics
from pstyle.nets.vgg import VGG


def picture(name: str, size_px: int = 96) -> torch.Tensor:
    pixels = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None].float() / 255
    return F.interpolate(pixels, size=(size_px, size_px + 32), mode="bilinear", antialias=True).clamp(0, 1)


@pytest.fixture(scope="module")
def astronaut() -> torch.Tensor:
    return picture("astronaut")


@pytest.fixture(scope="module")
def coffee() -> torch.Tensor:
    return picture("coffee")


@pytest.fixture(scope="module")
def vgg() -> VGG:
    network = VGG(width=0.125, last="relu3_1")
    generator = torch.Generator().manual_seed(3)
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.2
    return network


def gray(image: torch.Tensor) -> np.ndarray:
    red, green, blue = image[0].double().numpy()
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_ssim_equals_scikit_image(astronaut, coffee):
    for other in (coffee, (astronaut * 0.7).clamp(0, 1), astronaut):
        expected = structural_similarity(
            gray(astronaut),
            gray(other),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1.0,
        )
        assert metrics.ssim(astronaut, other) == pytest.approx(expected, abs=1e-4)


def numpy_patch_swd(a: torch.Tensor, b: torch.Tensor) -> float:
    """The definition, patch by patch: project every 7x7x3 patch on each direction, sort, compare."""
    generator, distances = torch.Generator().manual_seed(7), []
    for side_px in (256, 128, 64):
        axes = torch.randn(128, 3, 7, 7, generator=generator).reshape(128, -1).numpy()
        axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
        ordered = []
        for image in (a, b):
            height, width = image.shape[2:]
            side = min(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            square = image[:, :, top : top + side, left : left + side]
            small = F.interpolate(square, size=(side_px, side_px), mode="bilinear", antialias=True)[0].numpy()
            patches = np.lib.stride_tricks.sliding_window_view(small, (7, 7), axis=(1, 2))
            patches = patches.transpose(1, 2, 0, 3, 4).reshape(-1, 3 * 7 * 7)
            ordered.append(np.sort(patches @ axes.T, axis=0))
        distances.append(np.abs(ordered[0] - ordered[1]).mean())
    return float(np.mean(distances))


def test_patch_swd_equals_its_definition(astronaut, coffee):
    assert metrics.patch_swd(astronaut, coffee) == pytest.approx(numpy_patch_swd(astronaut, coffee), abs=1e-4)


def test_patch_swd_ignores_where_patches_are_and_sees_lost_texture(astronaut):
    # Exchanging two halves of a picture that has the same patches twice moves everything and changes nothing.
    twice = torch.cat((astronaut[..., :48], astronaut[..., :48]), dim=3)
    swapped = torch.cat((twice[..., 24:], twice[..., :24]), dim=3)
    smooth = F.avg_pool2d(F.pad(astronaut, (4, 4, 4, 4), mode="reflect"), 9, 1)
    assert metrics.patch_swd(twice, swapped) < 0.2 * metrics.patch_swd(astronaut, smooth)


def test_pooled_patch_swd_is_the_mean_wasserstein_distance_of_all_patches(astronaut, coffee):
    """Projected patch by patch, compared by scipy; sizes differ, so the sides have different numbers."""
    outputs, styles = [astronaut[..., :64, :80], coffee[..., :72, :64]], [coffee[..., -60:, -90:]]
    generator, distances = torch.Generator().manual_seed(7), []
    for reduction in (2, 4, 8):
        axes = torch.randn(16, 3, 7, 7, generator=generator).reshape(16, -1).numpy()
        axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
        sides = []
        for images in (outputs, styles):
            small = [block_reduce(x[0].numpy(), (1, reduction, reduction), np.mean) for x in images]
            fitting = [
                x[:, : image.shape[2] // reduction, : image.shape[3] // reduction]
                for x, image in zip(small, images, strict=True)
            ]
            windows = [np.lib.stride_tricks.sliding_window_view(x, (7, 7), axis=(1, 2)) for x in fitting]
            patches = np.concatenate([w.transpose(1, 2, 0, 3, 4).reshape(-1, 147) for w in windows])
            sides.append(patches @ axes.T)
        distances += [wasserstein_distance(a, b) for a, b in zip(sides[0].T, sides[1].T, strict=True)]
    found = metrics.pooled_patch_swd(outputs, styles, directions=16)
    assert found == pytest.approx(np.mean(distances), rel=0.02)
    assert metrics.pooled_patch_swd(styles, outputs, directions=16) == pytest.approx(found)


def test_a_painter_of_all_styles_is_nearer_to_them_together_than_one_of_a_middling_style(rng):
    light, dark = (0.5 + shift + 0.05 * torch.randn(1, 3, 64, 64, generator=rng) for shift in (0.3, -0.3))
    middling = 0.5 + 0.05 * torch.randn(1, 3, 64, 64, generator=rng)
    both = metrics.pooled_patch_swd([light, dark], [dark, light], directions=16)
    assert both < 1e-6 < metrics.pooled_patch_swd([middling, middling], [light, dark], directions=16)


def test_lab_equals_scikit_image(coffee):
    ours = metrics.lab(coffee)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, color.rgb2lab(coffee[0].permute(1, 2, 0).numpy()), atol=0.02)


def test_color_distance_equals_scipy(astronaut, coffee):
    axes = F.normalize(torch.randn(64, 3, generator=torch.Generator().manual_seed(7)), dim=1).numpy()
    smaller = coffee[:, :, 10:70, 5:60]  # the two sets of colors need not be equally large
    a, b = (color.rgb2lab(image[0].permute(1, 2, 0).numpy()).reshape(-1, 3) for image in (astronaut, smaller))
    expected = np.mean([wasserstein_distance(a @ axis, b @ axis) for axis in axes])
    assert metrics.color_distance(astronaut, smaller) == pytest.approx(expected, rel=0.01)


def test_color_distance_depends_on_colors_alone(astronaut):
    order = torch.randperm(96 * 128, generator=torch.Generator().manual_seed(1))
    shuffled = astronaut.flatten(2)[:, :, order].view_as(astronaut)
    assert metrics.color_distance(shuffled, astronaut) < 1e-3
    assert metrics.color_distance(astronaut.flip(1), astronaut) > 2


def test_color_distance_of_a_large_picture_uses_a_fair_sample(coffee):
    large = F.interpolate(coffee, scale_factor=4.0, mode="nearest")  # 16 times the pixels, the same colors
    assert metrics.color_distance(large, coffee) < 0.1


def scipy_edges(image: torch.Tensor) -> np.ndarray:
    strength = filters.scharr(gray(image))
    return strength > np.sort(strength.ravel())[int(np.ceil(0.9 * strength.size)) - 1]


def test_edge_f1_equals_scipy(astronaut, coffee):
    near = ndimage.generate_binary_structure(2, 2)
    for output in (coffee, astronaut.roll(3, dims=3)):
        found, wanted = scipy_edges(output), scipy_edges(astronaut)
        precision = (found & ndimage.binary_dilation(wanted, near, iterations=2)).sum() / found.sum()
        recall = (wanted & ndimage.binary_dilation(found, near, iterations=2)).sum() / wanted.sum()
        expected = 2 * precision * recall / (precision + recall)
        assert metrics.edge_f1(output, astronaut) == pytest.approx(expected, abs=2e-3)


def test_edge_f1_of_flat_pictures(astronaut):
    flat = torch.full_like(astronaut, 0.3)
    assert metrics.edge_f1(flat, flat * 0.5) == 1
    assert metrics.edge_f1(flat, astronaut) == 0


def numpy_style(a: torch.Tensor, b: torch.Tensor) -> float:
    a, b = (x[0].flatten(1).double().numpy() for x in (a, b))
    energy = (b.mean(1) ** 2).sum() + b.var(1, ddof=1).sum()
    first = ((a.mean(1) - b.mean(1)) ** 2).sum() + ((a.std(1, ddof=1) - b.std(1, ddof=1)) ** 2).sum()
    grams = [np.einsum("im,jm->ij", x, x) / x.shape[1] for x in (a, b)]
    return (first / energy + ((grams[0] - grams[1]) ** 2).sum() / (grams[1] ** 2).sum()) / 2


def test_style_score_equals_its_definition(astronaut, coffee, vgg):
    a, b = vgg(astronaut, metrics.STYLE_LAYERS), vgg(coffee[..., :64], metrics.STYLE_LAYERS)
    expected = np.mean([numpy_style(a[layer], b[layer]) for layer in metrics.STYLE_LAYERS])
    assert metrics.style_score(a, b) == pytest.approx(expected, rel=1e-4)


def test_content_score_ignores_channel_statistics():
    features = torch.randn(1, 5, 16, 16, generator=torch.Generator().manual_seed(0))
    recolored = {"relu3_1": features * 3 + 1}
    assert metrics.content_score(recolored, {"relu3_1": features}) < 1e-5
    unrelated = {"relu3_1": torch.randn(1, 5, 16, 16, generator=torch.Generator().manual_seed(1))}
    assert metrics.content_score(unrelated, {"relu3_1": features}) == pytest.approx(2, abs=0.2)


def test_equal_pictures_score_perfectly(astronaut, vgg):
    found = metrics.score(astronaut, astronaut, [astronaut], vgg)
    assert found == pytest.approx(
        {"style": 0, "patch_swd": 0, "color": 0, "content": 0, "ssim": 1, "edge_f1": 1}, abs=1e-4
    )


def test_every_score_gets_worse_with_noise(astronaut, vgg):
    noise = torch.randn(astronaut.shape, generator=torch.Generator().manual_seed(0))
    little, much = (
        metrics.score((astronaut + noise * amount).clamp(0, 1), astronaut, [astronaut], vgg)
        for amount in (0.02, 0.3)
    )
    for name in ("style", "patch_swd", "color", "content"):
        assert much[name] > 2 * little[name], name
    for name in ("ssim", "edge_f1"):
        assert much[name] < little[name] - 0.05, name


def test_several_styles_are_averaged(astronaut, coffee, vgg):
    half = coffee[..., :64]
    each = [metrics.score(astronaut, astronaut, [style], vgg) for style in (coffee, half)]
    both = metrics.score(astronaut, astronaut, [coffee, half], vgg)
    for name in ("style", "patch_swd", "color"):
        assert both[name] == pytest.approx((each[0][name] + each[1][name]) / 2)


def test_output_of_another_size_is_compared_at_the_size_of_the_content(astronaut, vgg):
    double = F.interpolate(astronaut, scale_factor=2.0, mode="bilinear")
    assert metrics.score(double, astronaut, [astronaut], vgg)["ssim"] > 0.9


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda image: image[0], "must be one picture"),
        (lambda image: image.repeat(2, 1, 1, 1), "must be one picture"),
        (lambda image: image.double(), "float64"),
        (lambda image: image[:, :, :15], "at least 16 px"),
        (lambda image: image * float("nan"), "NaN"),
    ],
)
@pytest.mark.parametrize("place", ["output", "content", "style"])
def test_bad_pictures_are_refused_by_name(astronaut, vgg, spoil, words, place):
    given = dict.fromkeys(("output", "content", "style"), astronaut)
    given[place] = spoil(astronaut)
    with pytest.raises(ValueError, match=words) as caught:
        metrics.score(given["output"], given["content"], [given["style"]], vgg)
    assert place in str(caught.value)


def test_no_style_and_unequal_sizes_are_refused(astronaut, vgg):
    with pytest.raises(ValueError, match="at least one"):
        metrics.score(astronaut, astronaut, [], vgg)
    for compare in (metrics.ssim, metrics.edge_f1):
        with pytest.raises(ValueError, match="128x96 px and 64x96 px"):
            compare(astronaut, astronaut[..., :64])
