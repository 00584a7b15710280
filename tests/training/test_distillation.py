"""Protects the making of the slim VGG: the student learns its teachers, and rescaling changes only units."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from pstyle.image.crops import Crops
from pstyle.nets.vgg import VGG
from pstyle.samples import content_pictures, paint_as
from pstyle.training.distillation import (
    DistillConfig,
    Embedding,
    distill,
    fit_style_layers,
    layers_by_teacher,
    linear_fits,
    new_student,
    normalize_activations,
    relative_error,
    weigh_channels,
)
from tests.tiny_networks import tiny_vgg

QUICK = DistillConfig(steps=12, batch=2, size_px=32, width=0.0625, seed=1)


@pytest.fixture(scope="module")
def crops():
    scenes = [scene.clamp(0, 1) for scene in content_pictures(3, 128, seed=1)]
    return Crops([*scenes, paint_as("hatching", scenes[0], 1)], short_sides_px=(128,))


@pytest.fixture(scope="module")
def teachers(crops):
    nets, generator = [VGG(0.25, "relu3_1"), VGG(0.125)], torch.Generator().manual_seed(2)
    for net in nets:
        for layer in net.features.values():  # torch's own initialization fades out in the deep layers
            torch.nn.init.orthogonal_(layer.weight, gain=2**0.5, generator=generator)
        normalize_activations(net, crops, torch.Generator().manual_seed(0))
    return nets


def images(crops):
    generator = torch.Generator().manual_seed(9)
    return [crops.draw(2, 64, generator) for _ in range(3)]


def test_layers_go_to_the_first_teacher_that_reaches_them(teachers):
    assert [names for _, names in layers_by_teacher(teachers)] == [
        ("relu1_1", "relu2_1", "relu3_1"),
        ("relu4_1", "relu5_1"),
    ]


def test_a_network_explains_itself_wholly(teachers, crops):
    fits = linear_fits(teachers[1], [teachers[1]], images(crops))
    assert all(fit.explained > 0.98 for fit in fits.values())


def test_the_linear_fit_is_least_squares(teachers, crops):
    batch = images(crops)
    fit = linear_fits(teachers[1], [teachers[0]], batch)["relu2_1"]
    own = torch.cat([teachers[1](image)["relu2_1"] for image in batch]).double()
    target = torch.cat([teachers[0](image)["relu2_1"] for image in batch]).double()
    x = torch.cat(
        [own.transpose(0, 1).flatten(1).T, torch.ones(own[:, 0].numel(), 1, dtype=torch.float64)], 1
    )
    y = target.transpose(0, 1).flatten(1).T
    residual = y - x @ torch.linalg.lstsq(x, y).solution
    expected = 1 - residual.square().sum() / (y - y.mean(0)).square().sum()
    assert fit.explained == pytest.approx(expected.item(), abs=1e-3)


def test_the_student_learns(teachers, crops):
    teacher, student = VGG(0.125, "relu2_1"), VGG(0.125)
    teacher.load_state_dict({name: teachers[1].state_dict()[name] for name in teacher.state_dict()})
    generator = torch.Generator().manual_seed(0)
    for layer in student.features.values():
        torch.nn.init.orthogonal_(layer.weight, gain=2**0.5, generator=generator)
    before = linear_fits(student, [teacher], images(crops))
    config = dataclasses.replace(QUICK, steps=60, batch=4, width=0.125, lr=1e-2)
    found = distill(crops, [teacher], config, student)
    after = linear_fits(found, [teacher], images(crops))
    assert after["relu1_1"].explained > before["relu1_1"].explained + 0.01
    assert after["relu2_1"].explained > before["relu2_1"].explained + 0.05
    assert found is student and not any(weight.requires_grad for weight in found.parameters())


def test_without_an_embedding_the_student_s_own_features_become_the_teacher_s(teachers, crops):
    """Channel by channel, which is what a loss network is for; deeper layers are left out."""
    teacher = teachers[0]
    config = dataclasses.replace(
        QUICK, steps=1, width=0.25, inner=0.5, last="relu2_1", embed=False, batch=4, lr=1e-2
    )
    image = torch.cat(images(crops))

    def error(student):
        return relative_error(student(image)["relu2_1"], teacher(image)["relu2_1"]).item()

    runs = [dataclasses.replace(config, steps=steps) for steps in (1, 150)]
    barely, longer = (distill(crops, teachers, run) for run in runs)
    assert torch.equal(longer(image)["relu1_1"], teacher(image)["relu1_1"])  # the teacher's own filters
    assert error(longer) < 0.9 * error(barely)  # which begins at its least squares


def test_style_layers_start_at_their_least_squares_and_come_to_life(teachers, crops):
    teacher, batch = teachers[0], images(crops)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        student = VGG(0.25, "relu3_1", inner=0.5)
    student.features["0"].load_state_dict(teacher.features["0"].state_dict())
    for index in ("5", "10"):  # filters that never fire, whatever comes
        torch.nn.init.constant_(student.features[index].bias, -1e3)
    fit_style_layers(student, teacher, batch)
    image = torch.cat(batch)
    found, target = student(image), teacher(image)
    for name in ("relu2_1", "relu3_1"):
        assert relative_error(found[name], target[name]) < 0.95
        fires = target[name].amax((0, 2, 3)) > 5  # a weak one may be lost: which depends on rounding
        assert (found[name].amax((0, 2, 3))[fires] > 0).float().mean() > 0.9  # before, none


def test_a_student_as_wide_as_its_teacher_is_fitted_to_it_exactly(teachers, crops):
    teacher, batch = teachers[0], images(crops)
    student = VGG(0.25, "relu3_1")
    student.load_state_dict(teacher.state_dict())
    for index in ("5", "10"):
        torch.nn.init.zeros_(student.features[index].weight)
    fit_style_layers(student, teacher, batch)
    found, target = student(torch.cat(batch)), teacher(torch.cat(batch))
    assert all(relative_error(found[name], target[name]) < 0.01 for name in found)


def test_resumed_to_the_bit(teachers, crops, tmp_path):
    class Killed(Exception):  # noqa: N818
        pass

    def kill(record):
        if record["step"] == 7:
            raise Killed

    whole = distill(crops, teachers, QUICK)
    state = tmp_path / "state.safetensors"
    with pytest.raises(Killed):
        distill(crops, teachers, QUICK, state_path=state, on_step=kill, save_every=1)
    resumed = distill(crops, teachers, QUICK, state_path=state)
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)


def test_mean_activations_become_one_and_shapes_stay(crops):
    with torch.random.fork_rng():
        torch.manual_seed(4)
        vgg = VGG(0.125, "relu3_1")
    image = torch.cat(images(crops))
    before = {name: value.clone() for name, value in vgg(image).items()}
    normalize_activations(vgg, crops, torch.Generator().manual_seed(0))
    for name, value in vgg(image).items():
        alive = before[name].mean((0, 2, 3)) > 0.02
        ratio = value / before[name].clamp_min(1e-6)
        spread = [ratio[:, i][before[name][:, i] > 0.01].std() for i in alive.nonzero().flatten().tolist()]
        assert all(s < 1e-2 for s in spread)  # one factor per channel
        assert (value.mean((0, 2, 3))[alive] - 1).abs().median() < 0.5


def test_weighing_scales_channels_as_the_teacher_follows_them_and_changes_nothing_else(crops):
    generator = torch.Generator().manual_seed(4)
    vgg = VGG(0.125, "relu3_1")
    for layer in vgg.features.values():
        torch.nn.init.orthogonal_(layer.weight, gain=2**0.5, generator=generator)
    embedding = Embedding({"relu1_1": (8, 4), "relu2_1": (16, 4)})
    image = crops.draw(2, 64, generator)
    before = vgg(image)
    weigh_channels(vgg, embedding)
    after = vgg(image)
    for name in ("relu1_1", "relu2_1"):
        strength = embedding.maps[name].weight.flatten(1).norm(dim=0)
        expected = before[name] * (strength / strength.mean()).view(1, -1, 1, 1)
        assert torch.allclose(after[name], expected, rtol=1e-3, atol=1e-4)
    assert torch.allclose(after["relu3_1"], before["relu3_1"], rtol=1e-3, atol=1e-4)


def test_relative_error_is_one_for_the_mean(rng):
    target = torch.randn(2, 3, 8, 8, generator=rng)
    guess = target.mean((0, 2, 3), keepdim=True).expand_as(target)
    assert relative_error(guess, target).item() == pytest.approx(1, abs=1e-4)


def test_a_student_is_made_where_its_teacher_is(crops):
    """The meta device has no numbers, but as CUDA it takes no tensor of the CPU among its own."""
    teacher, config = tiny_vgg(0.25, "relu3_1").to("meta"), DistillConfig(width=0.125, last="relu3_1")
    student = new_student(teacher, crops, config, torch.Generator())
    assert {value.device.type for value in student.state_dict().values()} == {"meta"}
    taught = teacher(torch.rand(1, 3, 32, 32).to("meta"))["relu3_1"]
    assert relative_error(taught, taught).device.type == "meta"
