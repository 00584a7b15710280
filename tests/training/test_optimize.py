"""Protects the ceiling: L over the picture itself is that of the paper, and every optimizer lowers it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pstyle.core.progress import Progress
from pstyle.losses import style_content
from pstyle.losses.perceptual import Perceptual
from pstyle.nets.vgg import VGG
from pstyle.training.guarded_optimizer import NotFinite
from pstyle.training.optimize import OptimizeConfig, Target, aim, measure, optimize, scales
from tests.conftest import random_picture
from tests.tiny_networks import tiny_vgg

TINY = {"size_px": 48, "first_px": 33, "steps": 8}
ONE_SCALE = {"size_px": 32, "first_px": 32}


def small_vgg(seed: int = 0) -> VGG:
    return tiny_vgg(1 / 16, "relu4_1", seed)


@pytest.fixture(scope="module")
def perceptual() -> Perceptual:
    return Perceptual([small_vgg()])


@pytest.fixture
def content(rng: torch.Generator) -> Tensor:
    return random_picture(rng, 48, 60)


@pytest.fixture
def styles() -> list[Tensor]:
    rng = torch.Generator().manual_seed(7)
    return [random_picture(rng, 40, 40).square(), 1 - random_picture(rng, 52, 44)]


def loss_of(image: Tensor, target: Target, perceptual: Perceptual, config: OptimizeConfig) -> float:
    with torch.no_grad():
        return measure(image, target, perceptual, config)["loss"].item()


# --- the loss


def test_the_gatys_loss_is_the_papers(perceptual: Perceptual, content: Tensor, styles: list[Tensor]) -> None:
    """alpha L_c + beta L_s in float64 by numpy, each averaged over its layers."""
    image = content.flip(3)
    style = styles[0]
    found, wanted, given = (
        {name: value.double().numpy()[0] for name, value in perceptual.features(x).items()}
        for x in (image, style, content)
    )

    def gram(features: np.ndarray) -> np.ndarray:
        flat = features.reshape(len(features), -1)
        return flat @ flat.T / flat.shape[1]

    l_c = np.mean([0.5 * np.sum((found[name] - given[name]) ** 2) for name in ("relu3_1", "relu4_1")])
    l_s = np.mean([np.sum((gram(found[n]) - gram(wanted[n])) ** 2) / (4 * len(found[n]) ** 2) for n in found])
    config = OptimizeConfig(loss="gatys", alpha=0.7, beta=300.0)
    terms = measure(image, aim(content, [style], [1.0], perceptual), perceptual, config)
    assert terms["L_c"].item() == pytest.approx(l_c, rel=1e-4)
    assert terms["L_s"].item() == pytest.approx(l_s, rel=1e-4)
    assert terms["loss"].item() == pytest.approx(0.7 * l_c + 300 * l_s, rel=1e-4)


def test_the_gatys_loss_is_that_of_losses(
    perceptual: Perceptual, content: Tensor, styles: list[Tensor]
) -> None:
    image, config = content.roll(5, 3), OptimizeConfig(loss="gatys", beta=1e3)
    found, wanted, given = (perceptual.features(x) for x in (image, styles[0], content))
    l_c = sum(style_content.content_loss(found[name], given[name]) for name in ("relu3_1", "relu4_1")) / 2
    l_s = sum(style_content.style_loss(found[name], wanted[name]) for name in found) / 4
    expected = style_content.total_loss(l_c, l_s, config.alpha, config.beta)
    target = aim(content, styles[:1], [1.0], perceptual)
    assert loss_of(image, target, perceptual, config) == pytest.approx(expected.item(), rel=1e-5)


def test_the_gradient_of_the_gatys_loss_is_the_papers_closed_form() -> None:
    """dL_c/dF = F - P and dL_s/dF = (G - A) F / (N^2 M^2), Grams not divided by M (1508.06576)."""
    rng = torch.Generator().manual_seed(3)
    features, content, style = (torch.randn(1, 5, 4, 6, generator=rng, dtype=torch.float64) for _ in range(3))
    features.requires_grad_()
    loss = style_content.total_loss(
        style_content.content_loss(features, content),
        style_content.style_loss(features, style),
        alpha=2.0,
        beta=30.0,
    )
    loss.backward()
    f, p, s = (x.detach().numpy().reshape(5, 24) for x in (features, content, style))
    by_hand = 2 * (f - p) + 30 * (f @ f.T - s @ s.T) @ f / (5**2 * 24**2)
    assert np.allclose(features.grad.numpy().reshape(5, 24), by_hand, rtol=1e-4, atol=1e-5)


def test_the_gradient_of_the_gatys_loss_passes_gradcheck() -> None:
    """In float64, through a network; the losses themselves round to float32, hence the wide step."""
    vgg, rng = small_vgg(1).double(), torch.Generator().manual_seed(4)
    perceptual = Perceptual([vgg])
    image, content, style = (torch.rand(1, 3, 8, 8, generator=rng, dtype=torch.float64) for _ in range(3))
    config = OptimizeConfig(loss="gatys", beta=10.0)
    target = aim(content, [style], [1.0], perceptual)
    direction = torch.randn(1, 3, 8, 8, generator=rng, dtype=torch.float64)

    def along(distance: Tensor) -> Tensor:
        return measure(image + distance * direction, target, perceptual, config)["loss"].double()

    start = torch.zeros((), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(along, (start,), eps=1e-4, atol=1e-3, rtol=1e-2)


def test_the_relative_loss_is_the_one_of_learning(
    perceptual: Perceptual, content: Tensor, styles: list[Tensor]
) -> None:
    image, config = content.flip(2), OptimizeConfig(style_weight=3.0, gram_weight=0.2, smooth_weight=0.4)
    target = aim(content, styles, [1.0, 2.0], perceptual)
    terms = perceptual.terms(image, target.content, target.style, gram_weight=0.2)
    expected = (3.0 * terms["style"] + terms["content"] + 0.4 * terms["smooth"] + 2.0 * terms["range"]).item()
    assert loss_of(image, target, perceptual, config) == pytest.approx(expected, rel=1e-5)


# --- the loop


@pytest.mark.parametrize("loss", ["relative", "gatys"])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_every_scale_brings_the_loss_down(
    loss: str, optimizer: str, perceptual: Perceptual, content: Tensor, styles: list[Tensor]
) -> None:
    config = OptimizeConfig(loss=loss, optimizer=optimizer, **TINY)
    told: list[Progress] = []
    image = optimize(content, styles, perceptual, config, on_step=told.append)
    assert scales(48, config) == [34, 48]
    for first, last in ((0, 7), (8, 15)):
        assert told[last].losses["loss"] < told[first].losses["loss"]
    target = aim(content, [resized(style, 48) for style in styles], [1.0, 1.0], perceptual)
    start, end = (loss_of(x, target, perceptual, config) for x in (content, image))
    assert end < 0.9 * start
    assert image.shape == content.shape and image.min() >= 0 and image.max() <= 1


def resized(image: Tensor, size_px: int) -> Tensor:
    height, width = image.shape[2:]
    size = [round(side * size_px / min(height, width)) for side in (height, width)]
    return torch.nn.functional.interpolate(image, size, mode="bilinear", antialias=True)


def test_the_loop_agrees_with_a_plain_one(
    perceptual: Perceptual, styles: list[Tensor], rng: torch.Generator
) -> None:
    """Adam as in its paper, written out; pace, box and losses too."""
    content = random_picture(rng, 32, 32)
    style = resized(styles[0], 32)
    config = OptimizeConfig(loss="gatys", steps=4, lr=0.05, alpha=1.0, beta=50.0, **ONE_SCALE)
    given, wanted = perceptual.features(content), perceptual.features(style)
    image, m, v = content.clone(), torch.zeros_like(content), torch.zeros_like(content)
    for step in range(4):
        image.requires_grad_()
        found = perceptual.features(image)
        loss = sum((found[name] - given[name]).square().sum() / 2 for name in ("relu3_1", "relu4_1")) / 2
        for name in found:
            grams = [
                torch.einsum("bihw,bjhw->ij", x[name], x[name]) / x[name][0, 0].numel()
                for x in (found, wanted)
            ]
            loss = loss + 50 * (grams[0] - grams[1]).square().sum() / (4 * len(grams[0]) ** 2) / 4
        (gradient,) = torch.autograd.grad(loss, image)
        m, v = 0.9 * m + 0.1 * gradient, 0.99 * v + 0.01 * gradient**2
        pace = min(1, (step + 1) / 10) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / 4)))
        move = (m / (1 - 0.9 ** (step + 1))) / ((v / (1 - 0.99 ** (step + 1))).sqrt() + 1e-8)
        image = (image.detach() - 0.05 * pace * move).clamp(0, 1)
    assert torch.allclose(optimize(content, [style], perceptual, config), image, atol=1e-4)


def test_every_step_tells_raw_and_relative_losses(
    perceptual: Perceptual, content: Tensor, styles: list[Tensor]
) -> None:
    told: list[Progress] = []
    config = OptimizeConfig(steps=3, size_px=48, first_px=48)
    optimize(content, styles, perceptual, config, on_step=told.append)
    assert [(progress.step, progress.steps) for progress in told] == [(1, 3), (2, 3), (3, 3)]
    assert told[0].losses["L_c"] == told[0].losses["content"] == 0  # it starts from the content picture
    assert all(progress.losses["L_s"] > 0 for progress in told)
    assert told[-1].losses["L_c"] > 0
    assert all(progress.sample.shape == content.shape for progress in told)


def test_the_same_input_gives_the_same_picture(
    perceptual: Perceptual, content: Tensor, styles: list[Tensor]
) -> None:
    config = OptimizeConfig(steps=2, **ONE_SCALE)
    first, second = (optimize(content, styles, perceptual, config) for _ in range(2))
    assert torch.equal(first, second)


def test_a_style_of_weight_zero_does_not_count(
    perceptual: Perceptual, content: Tensor, styles: list[Tensor]
) -> None:
    config = OptimizeConfig(steps=2, **ONE_SCALE)
    both = optimize(content, styles, perceptual, config, weights=[1.0, 0.0])
    alone = optimize(content, styles[:1], perceptual, config)
    mixed = optimize(content, styles, perceptual, config)
    assert torch.equal(both, alone) and not torch.equal(mixed, alone)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_an_exception_from_on_step_stops_it_at_once(
    optimizer: str, perceptual: Perceptual, content: Tensor, styles: list[Tensor]
) -> None:
    told: list[Progress] = []

    def stop(progress: Progress) -> None:
        told.append(progress)
        if progress.step == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        optimize(content, styles, perceptual, OptimizeConfig(optimizer=optimizer, **TINY), on_step=stop)
    assert len(told) == 2


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_loss_that_is_not_finite_ends_it_with_a_reason(
    optimizer: str, content: Tensor, styles: list[Tensor]
) -> None:
    vgg = small_vgg()
    vgg.features["0"].bias.data.fill_(math.inf)
    config = OptimizeConfig(optimizer=optimizer, steps=20, **ONE_SCALE)
    with pytest.raises(NotFinite, match="not finite|no finite gradient"):
        optimize(content, styles, Perceptual([vgg]), config)


@pytest.mark.parametrize(
    ("own_px", "settings", "expected"),
    [
        (800, {}, [128, 181, 256, 362, 512]),
        (200, {}, [141, 200]),  # never enlarged
        (100, {}, [100]),  # smaller than the first scale: that one is left out
        (512, {"first_px": 512}, [512]),
        (512, {"first_px": 256}, [256, 362, 512]),
    ],
)
def test_scales_grow_by_the_square_root_of_two(own_px: int, settings: dict, expected: list[int]) -> None:
    assert scales(own_px, OptimizeConfig(**settings)) == expected


# --- bad input


def test_bad_pictures_are_refused_by_name(
    perceptual: Perceptual, content: Tensor, styles: list[Tensor]
) -> None:
    broken = content.clone()
    broken[0, 1, 3, 4] = math.nan
    cases = [
        ((content.repeat(2, 1, 1, 1), styles), "batch of 2"),
        ((content[:, :, :16], styles), "content picture 1 is 60x16 px"),
        ((content, []), "got no style picture"),
        ((content, [styles[0][:, :, :9]]), "style picture 1 is 40x9 px"),
        ((broken, styles), "non-finite pixel at y=3, x=4"),
        ((content * 255, styles), "values from"),
        ((content, styles, [1.0]), "1 weights for 2 pictures"),
        ((content, styles, [1.0, math.nan]), "finite"),
    ]
    for (image, given, *weights), fragment in cases:
        with pytest.raises(ValueError, match=fragment):
            optimize(image, given, perceptual, OptimizeConfig(), *weights)


@pytest.mark.parametrize(
    "settings",
    [{"steps": 0}, {"steps": 1.5}, {"lr": math.nan}, {"loss": "l2"}, {"optimizer": "sgd"}, {"beta": -1.0}],
)
def test_bad_settings_are_refused(settings: dict) -> None:
    with pytest.raises(ValueError, match=f"OptimizeConfig.{next(iter(settings))} must be"):
        OptimizeConfig(**settings)
