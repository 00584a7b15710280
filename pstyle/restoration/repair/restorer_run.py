"""One command from clean pictures to restorer.safetensors: two tone networks, then the repair network.

After a kill, each stage resumes from its own file in the state folder, and a finished stage is not run again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from ...core.checkpoint import digest
from ...core.config import setting, to_json
from ...core.files import write_atomically
from ...core.process_group import ProcessGroup
from ...image.crops import Crops
from ...nets.vgg import VGG
from ...samples import content_pictures
from ...training.run_log import OnStageStep, RunLog
from ...training.stages import NUMBERS_FILE, StagedRun, check_state_folder, estimate, hash_of
from ..damage.damage import Damaging
from ..damage.random_damage import FADED, RandomDamage
from .learning_restorer import SHORT_SIDES_PX, LearnRestorerConfig
from .restorer import RESTORER_FILE, Restorer, RestorerConfig, load_restorer, save_restorer
from .restorer_training import RestoreConfig, train_restorer
from .tone_training import ToneConfig, train_tones

SMALL_PX = (104, 136)  # short sides of the pictures that the tone networks learn from
SCENE_PX = 512
CLEAN_SHARE = 0.25  # of the crops, undamaged; with fewer, sharp photographs became softer


@dataclass(frozen=True)
class RestorerRunConfig(LearnRestorerConfig):
    """Settings of training a new restorer; those of the last stage are as in fine-tuning."""

    tone_steps: int = setting(2000, 1, 1_000_000, "with --new: steps of the reader of tones")
    scenes: int = setting(24, 0, 10_000, "with --new: drawn scenes beside the pictures")

    def architecture(self) -> RestorerConfig:
        """The restorer's architecture."""
        return RestorerConfig()

    def tones(self) -> ToneConfig:
        """Settings of the tone network."""
        return ToneConfig(steps=self.tone_steps, seed=self.seed)

    def worn_tones(self) -> ToneConfig:
        """Settings of the tone network for worn pictures: regularized, since it assumes fading easily."""
        steps = -(-3 * self.tone_steps // 2)
        few = {"batch": 64, "stride": 2, "lr": 3e-3, "weight_decay": 0.1, "ema": 0.99, "pull": 0.3}
        return ToneConfig(steps=steps, seed=self.seed, **few)

    def repair(self) -> RestoreConfig:
        """Settings of the last stage, on crops; VGG features and a discriminator sharpen its end."""
        late = {"feature_share": 0.05, "adversarial_share": 0.01, "ema": 0.999}
        return RestoreConfig(
            steps=self.steps, batch=self.batch, size_px=self.size_px, lr=self.lr, seed=self.seed, **late
        )


def make_restorer(
    files: Sequence[Path],
    vgg: VGG,
    out: Path,
    state: Path,
    config: RestorerRunConfig | None = None,
    on_step: OnStageStep = lambda stage, steps, record: None,
    overwrite: bool = False,
    device: str | torch.device = "cpu",
    on_estimate: Callable[[dict[str, float]], None] | None = None,
) -> Path:
    """Train a new restorer on clean picture files, with the loss network `vgg`, and write it to `out`.

    `state` is the run's own folder, from which it resumes after a kill; its numbers.json has times and
    losses. With `on_estimate`, a trial run comes first, and the callback receives the seconds left for each
    stage. Raises ValueError for a state folder with other contents, small pictures, or a result that may not
    be replaced.
    """
    c = config or RestorerRunConfig()
    if os.path.lexists(out) and not overwrite:
        raise ValueError(f"{str(out)!r} exists already: choose another name, or ask to overwrite it")
    check_state_folder(state)
    run = {"settings": to_json(c), "pictures": hash_of(files), "VGG": digest(vgg.state_dict())}
    log = RunLog(state / NUMBERS_FILE, run, on_step)
    pictures = clean_crops(files, c)
    log.add(pictures=len(files), scenes=c.scenes)

    stages = partial(restorer_stages, pictures=pictures, vgg=vgg.to(device), config=c)
    here = ProcessGroup(device=torch.device(device))
    if on_estimate:
        on_estimate(estimate(stages, state, log, here))
    restorer = stages(StagedRun(state, log, here))

    log.add(parameters=sum(value.numel() for value in restorer.parameters()))
    log.add(sha256={RESTORER_FILE: hash_of([state / RESTORER_FILE])})
    write_atomically(out, (state / RESTORER_FILE).read_bytes(), overwrite=overwrite)
    return out


def restorer_stages(run: StagedRun, pictures: Crops, vgg: VGG, config: RestorerRunConfig) -> Restorer:
    """Run all stages in order; returns the restorer of the last one."""
    small, device = pictures.reduced(SMALL_PX), run.processes.device
    restorer = new_restorer(config.architecture(), config.seed).to(device)
    tones = partial(train_reader, restorer, small, RandomDamage(), False)
    restorer = run.stage("tones", "tones.safetensors", config.tones(), tones, save_restorer, load_restorer)
    worn = partial(train_reader, restorer, small, FADED, True)
    restorer = run.stage(
        "tones of worn pictures",
        "worn_tones.safetensors",
        config.worn_tones(),
        worn,
        save_restorer,
        load_restorer,
    )
    damaging = RandomDamage(clean_share=CLEAN_SHARE)
    repair = partial(train_restorer, restorer, pictures, vgg, damaging=damaging)
    return run.stage("repair", RESTORER_FILE, config.repair(), repair, save_restorer, load_restorer)


def train_reader(
    restorer: Restorer, small: Crops, damaging: Damaging, wear: bool, config: ToneConfig, **given: object
) -> Restorer:
    """The restorer with one of its two tone networks trained."""
    restorer.tone_reader = train_tones(restorer.tone_reader, small, damaging, wear, config, **given)
    return restorer


def clean_crops(files: Sequence[Path], config: RestorerRunConfig) -> Crops:
    """Pictures and drawn scenes. Raises ValueError, naming the file, for one that is too small."""
    crops = Crops.from_files(files, SHORT_SIDES_PX)
    for file, pyramid in zip(files, crops.pyramids, strict=True):
        height, width = pyramid[0].shape[1:]
        if min(height, width) < config.size_px:
            raise ValueError(
                f"{str(file)!r} is {width}x{height} px, at least {config.size_px} px a side are needed"
            )
    if config.scenes:
        crops.pyramids += Crops(
            content_pictures(config.scenes, SCENE_PX, config.seed), SHORT_SIDES_PX
        ).pyramids
    return crops


def new_restorer(config: RestorerConfig, seed: int) -> Restorer:
    """A restorer with weights drawn from the seed; torch's global random state is left unchanged."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return Restorer(config)
