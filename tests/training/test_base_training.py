"""Protects the making of the generator: it learns, resumes to the bit, and its parts do what they are
named for.
"""

from __future__ import annotations

import dataclasses
from copy import deepcopy
from itertools import combinations

import pytest
import torch

from pstyle.core.process_group import ProcessGroup
from pstyle.image.crops import Crops
from pstyle.losses.painter_loss import loss_weights
from pstyle.losses.perceptual import Perceptual
from pstyle.nets.generator import StyleEncoder, style_moments
from pstyle.nets.moments import mix
from pstyle.samples import content_pictures, paint_as
from pstyle.training.base_training import (
    BaseConfig,
    StylePool,
    blended,
    identity_terms,
    measure_codes,
    mixing_shares,
    recolor,
    style_terms,
    train_base,
)

QUICK = BaseConfig(steps=6, styles=2, contents=2, size_px=48, style_px=56, identity_every=3, pool=4)


@pytest.fixture(scope="module")
def photos():
    return Crops([scene.clamp(0, 1) for scene in content_pictures(3, 96, seed=1)], short_sides_px=(96,))


@pytest.fixture(scope="module")
def paintings():
    scene = content_pictures(1, 96, seed=2)[0].clamp(0, 1)
    return Crops([paint_as(name, scene, 1) for name in ("hatching", "mosaic")], short_sides_px=(96,))


def trained(generator, vgg, photos, paintings, config=QUICK, **arguments):
    generator = deepcopy(generator).requires_grad_(True)
    return train_base(generator, vgg, Perceptual([vgg]), photos, paintings, config, **arguments)


def test_the_loss_falls(tiny_generator, tiny_vgg, photos, paintings):
    records = []
    config = dataclasses.replace(QUICK, steps=60)
    trained(tiny_generator, tiny_vgg, photos, paintings, config, on_step=records.append)
    styles = [record["style"] for record in records if "style" in record]
    assert sum(styles[-10:]) < 0.9 * sum(styles[:10])
    assert sum("identity" in record for record in records) == 20


def test_resumed_to_the_bit(tiny_generator, tiny_vgg, photos, paintings, tmp_path):
    class Killed(Exception):  # noqa: N818
        pass

    def kill(record):
        if record["step"] == 4:
            raise Killed

    whole = trained(tiny_generator, tiny_vgg, photos, paintings)
    state = tmp_path / "state.safetensors"
    with pytest.raises(Killed):
        trained(tiny_generator, tiny_vgg, photos, paintings, state_path=state, on_step=kill, save_every=1)
    resumed = trained(tiny_generator, tiny_vgg, photos, paintings, state_path=state)
    for (name, a), b in zip(whole.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_a_pool_renews_one_crop_a_step_and_is_the_same_wherever_a_run_goes_on(tiny_vgg, paintings, rng):
    def pool():
        return StylePool(paintings, tiny_vgg, Perceptual([tiny_vgg]), QUICK)

    whole, resumed = pool(), pool()
    whole.fill(0)
    before = [entry.image for entry in whole.entries]
    for step in range(3):
        whole.renew(step)
    resumed.fill(3)
    after = [entry.image for entry in whole.entries]
    assert len(after) == 4 and torch.equal(after[0], before[3])
    assert all(torch.equal(a, b.image) for a, b in zip(after, resumed.entries, strict=True))
    drawn = whole.draw(rng)
    assert drawn.image.shape == (2, 3, 56, 56) and not torch.equal(drawn.image[0], drawn.image[1])
    assert torch.allclose(
        drawn.target["relu2_1"].gram[1:], drawn_target(tiny_vgg, drawn.image[1:]), atol=1e-5
    )


def test_several_crops_renewed_at_once_are_those_of_their_own(tiny_vgg, paintings):
    config = dataclasses.replace(QUICK, renewed=3, pool=5)
    pool = StylePool(paintings, tiny_vgg, Perceptual([tiny_vgg]), config)
    pool.fill(0)
    before = [entry.image for entry in pool.entries]
    pool.renew(0)
    assert len(before) == len(pool.entries) == 5
    assert all(torch.equal(a, b.image) for a, b in zip(before[3:], pool.entries, strict=False))
    for entry in pool.entries:
        assert torch.allclose(
            entry.target["relu2_1"].gram, drawn_target(tiny_vgg, entry.image), atol=1e-5, rtol=1e-4
        )


def drawn_target(vgg, image):
    return Perceptual([vgg]).style(image)["relu2_1"].gram


def test_a_pool_smaller_than_a_step_is_refused():
    with pytest.raises(ValueError, match="pool must be at least styles"):
        dataclasses.replace(QUICK, styles=5)


def test_recoloring_only_exchanges_channels(rng):
    image = torch.rand(20, 3, 4, 4, generator=rng)
    found = recolor(image, 1.0, rng)
    assert torch.equal(found.sort(1).values, image.sort(1).values) and not torch.equal(found, image)
    assert torch.equal(recolor(image, 0.0, rng), image)


def test_blended_moments_are_mixed_moments(tiny_vgg, rng):
    parts = style_moments(tiny_vgg, torch.rand(2, 3, 32, 32, generator=rng))
    found = blended(parts, torch.tensor([1, 0]), torch.tensor([0.25, 1.0]))
    for name, part in parts.items():
        singles = [type(part)(part.mean[i : i + 1], part.gram[i : i + 1]) for i in range(2)]
        assert torch.allclose(found[name].gram[:1], mix(singles, [0.25, 0.75]).gram, atol=1e-5)
        assert torch.allclose(found[name].mean[1:], singles[1].mean, atol=1e-6)


def test_mixed_shares_follow_the_setting(rng):
    config = dataclasses.replace(QUICK, styles=256, mixed_share=0.25, pool=256)
    shares = mixing_shares(config, rng)
    assert 0.15 < (shares < 1).float().mean() < 0.35 and shares.min() >= 0


def test_codes_are_measured_to_unit_scale(tiny_vgg, tiny_generator, paintings, rng):
    encoder = StyleEncoder(tiny_generator.config)
    measure_codes(encoder, tiny_vgg, paintings, QUICK, rng)
    code = encoder.code(style_moments(tiny_vgg, paintings.draw(64, 48, rng)))
    scored = (code - encoder.mean) / encoder.std
    assert scored.mean().abs() < 0.3 and 0.5 < scored.std() < 1.5


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_all_that_a_step_needs_is_where_the_generator_is(tiny_generator, tiny_vgg, photos, paintings, device):
    """The meta device has no numbers, but as CUDA it takes no tensor of the CPU among its own."""
    generator, vgg = tiny_generator.to(device), tiny_vgg.to(device)
    perceptual, config = Perceptual([vgg]), dataclasses.replace(QUICK, mixed_share=0.0)
    measure_codes(generator.encoder, vgg, paintings, config, torch.Generator(), batches=2)
    pool = StylePool(paintings, vgg, perceptual, config)
    pool.fill(0)
    style, image = pool.draw(torch.Generator()), photos.draw(4, 48, torch.Generator())
    terms = style_terms(generator, perceptual, image.to(device), style, config, torch.Generator())
    terms |= identity_terms(generator, vgg, image.to(device))
    assert terms.keys() == loss_weights(config).keys() | {"content"}
    assert {value.device.type for value in terms.values()} == {device}
    assert {style.image.device.type, generator.encoder.mean.device.type} == {device}


def test_a_crop_left_on_another_device_is_seen(tiny_generator, tiny_vgg, photos, paintings):
    generator, vgg = tiny_generator.to("meta"), tiny_vgg.to("meta")
    pool = StylePool(paintings, vgg, Perceptual([vgg]), QUICK)
    pool.fill(0)
    image, style = photos.draw(4, 48, torch.Generator()), pool.draw(torch.Generator())
    with pytest.raises(RuntimeError, match="device"):
        style_terms(generator, Perceptual([vgg]), image, style, QUICK, torch.Generator())


def test_each_process_has_style_crops_of_its_own(tiny_vgg, paintings):
    pools = [
        StylePool(paintings, tiny_vgg, Perceptual([tiny_vgg]), QUICK, ProcessGroup(rank, 2))
        for rank in (0, 1)
    ]
    for pool in pools:
        pool.fill(0)
    images = [entry.image for pool in pools for entry in pool.entries]
    assert all(not torch.equal(a, b) for a, b in combinations(images, 2))
