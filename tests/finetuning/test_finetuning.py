"""Protects adversarial fine-tuning: who moves when, faults and kills lose nothing, no style gets worse."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math

import pytest
import torch

from pstyle.core.checkpoint import BadFile
from pstyle.finetuning import discriminator_step, painter_step, two_sample_test, validation
from pstyle.finetuning.equilibrium import held_out_scores
from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.finetuning.finetuning import Finetuning, finetune
from pstyle.finetuning.validation import Validator
from pstyle.losses.perceptual import Perceptual
from pstyle.samples import content_pictures, paint_as
from pstyle.style.provenance import Provenance
from pstyle.style.style import load_style, save_style
from pstyle.style.styled_generator import StyledGenerator

QUICK = FinetuneConfig(steps=8, warmup=2, size_px=128, crop_px=64, batch=2, check_every=4, few=True)


FAULTS = math.nan, math.inf, -math.inf


class Stopped(Exception):  # noqa: N818
    pass


@pytest.fixture(autouse=True)
def short_checks(monkeypatch):
    """Checks take a fifth of their time: they draw from streams of their own, so that no step changes."""
    monkeypatch.setattr(validation, "DUALITY_STEPS", 1)
    monkeypatch.setattr(two_sample_test, "CROPS", 24)


@pytest.fixture(scope="module")
def contents():
    return content_pictures(3, 128, seed=3)


@pytest.fixture(scope="module")
def picture(contents):
    return paint_as("hatching", contents[0].clamp(0, 1), seed=1)


@pytest.fixture
def a_generator_that_copies(tiny_generator, contents):
    """Teaches the generator to return its picture, in the style of the fixture below."""
    image, latent = (
        torch.cat(contents).clamp(0, 1),
        torch.randn(4, 16, generator=torch.Generator().manual_seed(0)),
    )
    content, modulation = tiny_generator.content(image), tiny_generator.modulation(latent[None])
    adam = torch.optim.Adam(tiny_generator.convs.requires_grad_(True).parameters(), lr=0.01)
    for _ in range(60):
        adam.zero_grad()
        (tiny_generator(image, content, modulation) - image).square().mean().backward()
        adam.step()
    tiny_generator.requires_grad_(False)


@pytest.fixture
def style(tiny_generator, rng):
    styled = StyledGenerator(tiny_generator, torch.randn(4, 16, generator=rng))
    return styled.style(Provenance(pictures=1, steps=7, settings="{}"))


@pytest.fixture
def start(tiny_generator, tiny_vgg, contents, picture, style):
    def make(config=QUICK, pictures=None, weights=None, **changes):
        config = dataclasses.replace(config, **changes)
        pictures = [picture] if pictures is None else pictures
        networks = tiny_generator, tiny_vgg, Perceptual([tiny_vgg])
        return Finetuning(style, pictures, contents, *networks, config, weights)

    return make


def numbers(state) -> torch.Tensor:
    """All numbers of a style, or of a module."""
    if isinstance(state, torch.nn.Module):
        return torch.cat([value.flatten() for value in state.state_dict().values()])
    parts = [state.latent, *state.offsets.values(), *state.weights.values()]
    return torch.cat([part.float().flatten() for part in parts])


def everything(finetuning) -> dict[str, torch.Tensor]:
    return finetuning.state.tensors()


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.fixture
def checks_are_fooled(monkeypatch):
    """A style of noise is told from anything: let classifiers of the checks tell less than at the start."""
    told = itertools.chain([0.9], itertools.repeat(0.8))
    monkeypatch.setattr(Validator, "two_sample_accuracy", lambda self, styled, classifiers=4: next(told))


def stop_at(step):
    def on_step(progress):
        if progress.step == step:
            raise Stopped

    return on_step


def scores_of(finetuning, style, generator) -> dict[str, float]:
    styled = StyledGenerator.of(generator, style)
    return held_out_scores(styled, finetuning.validation.contents, finetuning.validation.styles)


def test_only_the_discriminator_moves_in_the_warm_up_then_both(start):
    finetuning = start(check_every=100)
    styled, judge = numbers(finetuning.gan.styled), numbers(finetuning.gan.discriminator)
    with pytest.raises(Stopped):
        finetuning.run(stop_at(2))
    assert torch.equal(numbers(finetuning.gan.styled), styled)
    assert torch.equal(numbers(finetuning.average), styled)
    assert not torch.equal(numbers(finetuning.gan.discriminator), judge)
    with pytest.raises(Stopped):
        finetuning.run(stop_at(3))
    assert not torch.equal(numbers(finetuning.gan.styled), styled)
    assert not torch.equal(numbers(finetuning.average), styled)


def test_only_what_a_style_owns_moves(start, tiny_generator, tiny_vgg):
    frozen = copy.deepcopy([tiny_vgg.state_dict(), tiny_generator.state_dict()])
    finetuning = start(check_every=100)
    before = {name: value.clone() for name, value in finetuning.gan.styled.state_dict().items()}
    heads = {name: value.clone() for name, value in finetuning.gan.discriminator.state_dict().items()}
    with pytest.raises(Stopped):
        finetuning.run(stop_at(5))
    for state, module in zip(frozen, (tiny_vgg, tiny_generator), strict=True):
        assert same(state, module.state_dict()) and all(p.grad is None for p in module.parameters())
    after = finetuning.gan.styled.state_dict()
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    owned = {name for name in before if name == "latent" or name.startswith(("offsets.", "generator.convs."))}
    assert moved == owned
    judge = finetuning.gan.discriminator.state_dict()
    still = {name for name, value in judge.items() if torch.equal(value, heads[name])}
    assert still == {name for name in heads if name.endswith(("mixing", "mean", "scale"))}


def test_latent_and_offsets_move_faster_than_convolutions(start):
    config = FinetuneConfig()
    assert config.lr_latent > config.lr_offset > config.lr_weight > 0
    groups = start().state.optimizers["painter"].param_groups
    assert [group["lr"] for group in groups] == [config.lr_latent, config.lr_offset, config.lr_weight]
    assert all(group["betas"] == (0.0, 0.99) for group in groups)


def test_a_discriminator_that_wins_waits(start):
    finetuning = start(check_every=100, warmup=0)
    finetuning.state.numbers["success"] = 0.95
    before = numbers(finetuning.gan.discriminator)
    with pytest.raises(Stopped):
        finetuning.run(stop_at(1))
    assert torch.equal(numbers(finetuning.gan.discriminator), before)
    finetuning.state.numbers["success"] = 0.7
    with pytest.raises(Stopped):
        finetuning.run(stop_at(2))
    assert not torch.equal(numbers(finetuning.gan.discriminator), before)


def test_the_discriminator_learns_to_tell_painted_from_real(start):
    finetuning = start(steps=60, warmup=60, lr_discriminator=0.01)
    finetuning.run()
    accuracies = [record["batch_accuracy"] for record in finetuning.history]
    losses = [record["discriminator_loss"] for record in finetuning.history]
    assert sum(accuracies[-5:]) / 5 > max(0.8, sum(accuracies[:5]) / 5)
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


def test_the_painter_learns_to_look_real(start):
    """Against a fixed, trained discriminator and no other term, painted pictures must come to look real."""
    finetuning = start(
        steps=50, warmup=20, check_every=100, lr_discriminator=0.01, lr_weight=0.002, adversarial_ratio=10.0
    )
    with pytest.raises(Stopped):
        finetuning.run(stop_at(20))
    finetuning.guarded["discriminator"].highest = [0.0]
    with pytest.raises(Stopped):
        finetuning.run(stop_at(40))
    losses = [record["adversarial"] for record in finetuning.history]
    assert sum(losses[-5:]) / 5 < sum(losses[15:20]) / 5 - 0.1


def test_the_same_seed_gives_the_same_run_and_another_does_not(start):
    state = torch.get_rng_state()
    runs = [start(steps=4, seed=seed) for seed in (0, 0, 1)]
    for finetuning in runs:
        finetuning.run()
    assert runs[0].history == runs[1].history
    assert same(everything(runs[0]), everything(runs[1]))
    assert not torch.equal(numbers(runs[0].gan.styled), numbers(runs[2].gan.styled))
    assert torch.equal(torch.get_rng_state(), state)


def test_four_and_four_steps_are_eight_to_the_bit(start, tmp_path):
    whole, stopped, resumed = start(), start(), start()
    whole.run()
    with pytest.raises(Stopped):
        stopped.run(stop_at(4), tmp_path / "state.safetensors", save_every=1)
    resumed.run(state_path=tmp_path / "state.safetensors")
    assert resumed.state.step == 8 and len(resumed.history) == 4
    assert same(everything(resumed), everything(whole))
    assert resumed.selection.checks == whole.selection.checks and len(whole.selection.checks) == 2
    one, other = resumed.result(), whole.result()
    assert (one.verdict, one.accepted) == (other.verdict, other.accepted)
    assert torch.equal(numbers(one.style), numbers(other.style))


def test_a_state_of_another_style_or_pictures_is_refused(start, contents, tmp_path):
    path = tmp_path / "state.safetensors"
    start(steps=1).run(state_path=path)
    with pytest.raises(BadFile, match="other settings or pictures"):
        start(steps=1, pictures=[contents[1]]).run(state_path=path)
    with pytest.raises(BadFile, match="other settings or pictures"):
        start(steps=2).run(state_path=path)


def test_canceled_at_any_step_it_keeps_a_style_that_can_be_saved(start, tmp_path, tiny_generator):
    finetuning = start()
    for at in (1, 3, 4, 7):
        with pytest.raises(Stopped):
            finetuning.run(stop_at(at))
        found = finetuning.result()
        assert f"stopped after step {at} of 8" in found.verdict and len(found.history) == at
        save_style(tmp_path / f"{at}.safetensors", found.style)
        scores = scores_of(finetuning, load_style(tmp_path / f"{at}.safetensors"), tiny_generator)
        assert scores["patch_swd"] <= finetuning.selection.start["patch_swd"] * 1.001
    whole = start()
    whole.run()
    finetuning.run()
    assert same(everything(finetuning), everything(whole))  # stopping four times cost nothing


def injecting(finetuning, spoil):
    """Let `spoil(step, terms)` change the painter's loss terms."""
    honest = finetuning.perceptual.terms

    def terms(*args, **options):
        return spoil(finetuning.state.step, honest(*args, **options))

    finetuning.perceptual.terms = terms


def test_scattered_faults_corrupt_nothing(start):
    finetuning = start(steps=11, check_every=100)
    losses, gradients = dict(zip((2, 4, 5), FAULTS, strict=True)), dict(zip((7, 8, 10), FAULTS, strict=True))

    def spoil(step, terms):
        style = terms["style"] + losses.get(step, 0)  # the loss alone is bad, its gradient is not
        return terms | {"style": style * gradients.get(step, 1)}

    injecting(finetuning, spoil)
    finetuning.run()
    assert finetuning.guarded["painter"].skipped == 6 and finetuning.state.step == 11
    assert all(torch.isfinite(value.double()).all() for value in everything(finetuning).values())
    assert "not finite" not in finetuning.result().verdict


def test_ten_faults_in_a_row_end_it_and_name_the_term(start, style):
    finetuning = start(steps=30, check_every=100)
    injecting(finetuning, lambda step, terms: terms | {"content": terms["content"] * math.nan})
    finetuning.run()
    found = finetuning.result()
    assert finetuning.state.step == 11 and "10 steps in a row" in found.verdict
    assert "not finite: content" in found.verdict
    assert found.style is style and not found.accepted


def test_faults_of_the_discriminator_corrupt_nothing(start, monkeypatch):
    finetuning = start(steps=30, warmup=30, check_every=100)
    honest = discriminator_step.hinge
    monkeypatch.setattr(discriminator_step, "hinge", lambda logits, target: honest(logits, target) * math.nan)
    before = numbers(finetuning.gan.discriminator)
    finetuning.run()
    assert "not finite: real, painted, photos" in finetuning.result().verdict
    assert torch.equal(numbers(finetuning.gan.discriminator), before)
    assert finetuning.state.numbers["success"] == 0.5


@pytest.mark.usefixtures("a_generator_that_copies")  # so that there is content to lose
def test_a_run_that_explodes_returns_what_it_got(start, style):
    finetuning = start(steps=20, warmup=0, check_every=1, lr_latent=1.0, lr_offset=1.0, lr_weight=1.0)
    finetuning.run()
    found = finetuning.result()
    assert not found.accepted and found.style is style
    assert found.verdict.startswith("stopped: content or contrast collapsed 3 times")
    assert finetuning.state.step < 20
    assert torch.equal(numbers(finetuning.gan.styled), numbers(finetuning.best))


def test_a_collapse_goes_back_and_slows_down(start, monkeypatch):
    finetuning = start(steps=4, check_every=3)
    begun = numbers(finetuning.gan.styled)
    lost = {"patch_swd": 0.0, "ssim": -1.0, "contrast": 1.0, "two_sample_accuracy": 0.5}
    monkeypatch.setattr(Validator, "scores", lambda self, styled: lost)
    with pytest.raises(Stopped):
        finetuning.run(stop_at(3))
    assert torch.equal(numbers(finetuning.gan.styled), begun)
    assert not finetuning.state.optimizers["painter"].state
    with pytest.raises(Stopped):
        finetuning.run(stop_at(4))
    config = FinetuneConfig()
    rates = [group["lr"] for group in finetuning.state.optimizers["painter"].param_groups]
    pace = (1 - 0.9 * 3 / 4) / 2  # of the fourth step of four, after one rollback
    first = config.lr_latent, config.lr_offset, config.lr_weight
    assert rates == pytest.approx([pace * rate for rate in first])


def test_the_painter_comes_to_rest(start):
    finetuning = start(steps=5, warmup=0, check_every=100)
    rates = []
    finetuning.run(lambda _: rates.append(finetuning.state.optimizers["painter"].param_groups[0]["lr"]))
    first = FinetuneConfig().lr_latent
    assert rates == pytest.approx([first * part for part in (1.0, 0.82, 0.64, 0.46, 0.28)])


@pytest.mark.usefixtures("checks_are_fooled")
def test_what_is_accepted_is_better_and_says_where_it_comes_from(start, style, tiny_generator, monkeypatch):
    finetuning = start(steps=24, warmup=4, check_every=12, lr_latent=0.05, lr_offset=0.02, lr_weight=0.003)
    finetuning.run()
    monkeypatch.setattr(finetuning, "two_sample_accuracy", lambda: (0.9, 0.8))
    found = finetuning.result()
    begun, scores = finetuning.selection.start, scores_of(finetuning, found.style, tiny_generator)
    assert found.accepted and "accepted" in found.verdict
    assert scores["patch_swd"] < 0.995 * begun["patch_swd"] and scores["ssim"] > begun["ssim"] - 0.021
    provenance = found.style.provenance
    assert provenance.steps == 7 + finetuning.selection.best["step"]
    assert "fine-tuned after 7 steps" in provenance.note and '"lecam_weight"' in provenance.settings
    assert found.style.generator_id == style.generator_id


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_pictures_are_left_alone_unless_asked_for(start, style, picture, count):
    finetuning = start(few=False, pictures=[picture, picture.flip(3)][:count])
    finetuning.run()
    found = finetuning.result()
    assert found.style is style and found.history == [] and "turn on few" in found.verdict
    three = start(few=False, steps=1, pictures=[picture, picture.flip(3), picture.flip(2)])
    three.run()
    assert len(three.history) == 1


def test_the_plain_discriminator_plays_too(start):
    finetuning = start(discriminator="plain", steps=3, warmup=1)
    before = numbers(finetuning.gan.discriminator)
    finetuning.run()
    assert not torch.equal(before, numbers(finetuning.gan.discriminator)) and len(finetuning.history) == 3


def test_the_plain_discriminator_has_no_critic_beside_it(start):
    assert start(discriminator="plain").critic is None and start().critic is not None


def test_the_critic_alone_brings_windows_nearer(start, monkeypatch):
    """With no other term that moves the painter, painted windows must come nearer to the real ones."""
    monkeypatch.setattr(
        painter_step, "adaptively_weighted", lambda painted, anchor, *others: (anchor, torch.zeros(()))
    )
    weights = dict(style_weight=0.0, structure_weight=0.0, patch_weight=0.0, light_weight=0.0)
    finetuning = start(
        steps=60, warmup=0, check_every=100, adversarial_ratio=10.0, lr_weight=0.002, **weights
    )
    assert finetuning.critic.separation == pytest.approx(1, rel=1e-3)
    finetuning.run()
    assert finetuning.critic.separation < 0.7
    losses = [record["windows"] for record in finetuning.history]
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])


def test_a_fault_does_not_reach_the_critic(start):
    finetuning = start(steps=4, warmup=0, check_every=100)
    before = numbers(finetuning.critic)
    injecting(finetuning, lambda step, terms: terms | {"style": terms["style"] * math.nan})
    finetuning.run()
    assert torch.equal(numbers(finetuning.critic), before)


def test_classifiers_tell_a_share_of_the_start_and_of_the_best(start):
    finetuning = start(steps=0)
    before, after = finetuning.two_sample_accuracy()
    assert before == after and 0.5 <= before <= 1
    finetuning.best.latent.data.add_(1.0)
    assert finetuning.two_sample_accuracy()[0] == before


@pytest.mark.usefixtures("checks_are_fooled")
def test_a_classifier_that_tells_as_well_as_before_refuses_it(start, style, monkeypatch):
    finetuning = start(steps=24, warmup=4, check_every=12, lr_latent=0.05, lr_offset=0.02, lr_weight=0.003)
    finetuning.run()
    monkeypatch.setattr(finetuning, "two_sample_accuracy", lambda: (0.8, 0.8))
    found = finetuning.result()
    assert found.style is style and not found.accepted and "as easy to recognize as painted" in found.verdict


def test_no_steps_change_nothing(start, style):
    finetuning = start(steps=0)
    finetuning.run()
    found = finetuning.result()
    assert found.style is style and found.history == [] and not found.accepted


def test_records_have_the_same_names_at_every_step(start):
    finetuning, told = start(), []
    finetuning.run(lambda progress: told.append(progress))
    plain = {"discriminator_loss", "batch_accuracy", "loss", "style", "content", "smooth", "range"}
    plain |= {"structure", "light", "patches", "windows", "adversarial", "adversarial_weight"}
    checked = {"held_out_accuracy", "train_accuracy", "logit_gap", "overfitting", "duality"}
    checked |= {"patch_swd", "ssim", "contrast", "two_sample_accuracy"}
    for progress in told:
        assert progress.losses.keys() == (plain | checked if progress.step in (4, 8) else plain)
        assert progress.steps == 8 and progress.sample.shape == (1, 3, 64, 64)
        assert progress.sample.min() >= 0 and progress.sample.max() <= 1
    assert finetuning.history == [{"step": progress.step} | progress.losses for progress in told]


def test_without_photos_among_the_negatives(start):
    finetuning = start(steps=3, photo_share=0.0, check_every=100, warmup=3)
    finetuning.run()
    assert all(math.isfinite(record["discriminator_loss"]) for record in finetuning.history)


def test_a_style_of_another_generator_is_refused(start, style, tiny_generator):
    with torch.no_grad():
        tiny_generator.convs["block0"].weight.add_(0.1)
    with pytest.raises(ValueError, match="learned with another generator"):
        start()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop_px": 72}, "at most half of size_px .128., .*; got 72"),
        ({"crop_px": 65, "size_px": 256}, "multiple of 8"),
        ({"ema": 1.0}, "ema must be a number from 0.0 to 0.9999"),
        ({"lr_latent": math.nan}, "lr_latent"),
        ({"steps": -1}, "steps"),
    ],
)
def test_unusable_settings_are_refused_in_one_sentence(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(QUICK, **change)


def test_the_function_is_the_class_in_one_call(start, style, picture, contents, tiny_generator, tiny_vgg):
    config = dataclasses.replace(QUICK, steps=2)
    steps = []
    found = finetune(
        style, [picture], contents, tiny_generator, tiny_vgg, Perceptual([tiny_vgg]), config,
        weights=[2.0], on_step=lambda progress: steps.append(progress.step),
    )  # fmt: skip
    assert steps == [1, 2] and found.verdict.startswith("no equilibrium in 2 steps")
