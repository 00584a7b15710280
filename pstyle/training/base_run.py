"""One command from pictures to weights: two VGGs distilled from teachers, then a generator in several stages.

`BaseRunConfig` lists the stages. After a kill, each resumes from its own file in the state folder, and a
finished stage is not run again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from ..core.config import check_settings, setting, to_json
from ..core.files import write_atomically
from ..core.process_group import ALONE, ProcessGroup
from ..image.crops import Crops
from ..image.reading import open_image
from ..image.resizing import resize_short_side
from ..image.writing import save_image
from ..losses.perceptual import Perceptual
from ..nets.generator import GENERATOR_FILE, Generator, GeneratorConfig, load_generator, save_generator
from ..nets.vgg import LAYERS, LOSS_FILE, SLIM_FILE, VGG, load_vgg, save_vgg
from ..samples import content_pictures, procedural_style
from .base_training import BaseConfig, train_base
from .distillation import DistillConfig, distill, linear_fits
from .run_log import OnStageStep, RunLog
from .stages import NUMBERS_FILE, StagedRun, check_state_folder, estimate, hash_of

RESULTS = (SLIM_FILE, LOSS_FILE, GENERATOR_FILE, NUMBERS_FILE)
PROCEDURAL_PX = 448
NORMALIZED_PX = 128  # side of the crops on which a distilled network is measured
SEEDS = 2**31


@dataclass(frozen=True)
class GeneratorStage:
    """One stage of training the generator, starting from the previous stage's weights.

    `losses` are the networks of its loss, each layer from the first one that reaches it: `teacher` and `deep`
    (the first and the last teacher), `loss` and `slim` (distilled in this run). `kept` is the share of the
    previous weights in the mean with the new ones (Wortsman et al., arXiv 2109.01903).
    """

    name: str
    losses: tuple[str, ...]
    config: BaseConfig
    kept: float = 0.0


@dataclass(frozen=True)
class BaseRunConfig:
    """Settings of making the shipped weights."""

    steps: int = setting(3000, 1, 1_000_000, "steps of each stage")
    procedural: int = setting(60, 0, 10_000, "procedural styles, painted from the photographs")
    seed: int = setting(0, 0, 2**31 - 2, "random seed")
    scenes: int = setting(24, 0, 10_000, "drawn scenes that the generator paints beside the photographs")
    large_crops: bool = setting(True, help="a last stage on large crops against the first teacher, for a GPU")

    def __post_init__(self) -> None:
        check_settings(self)

    def distillation(self) -> DistillConfig:
        """Settings of the slim VGG's distillation."""
        return DistillConfig(steps=self.steps, seed=self.seed)

    def loss_distillation(self, width: float) -> DistillConfig:
        """Settings of the distillation of the loss network from a teacher of this width."""
        return DistillConfig(
            steps=self.steps, width=width, inner=0.5, last="relu3_1", embed=False, lr=1e-3, seed=self.seed
        )

    def architecture(self) -> GeneratorConfig:
        """The generator's architecture."""
        return GeneratorConfig()

    def generator_stages(self) -> list[GeneratorStage]:
        """The stages of the generator in order: change this list to train another base."""
        distilled, base = ("loss", "deep", "slim"), BaseConfig(steps=self.steps)
        more = replace(base, size_px=144, style_weight=22.0)
        large = replace(base, styles=8, size_px=256, style_px=320, style_weight=21.0, lr=8e-4, renewed=2)
        stages = [
            GeneratorStage("generator, first stage", ("deep", "slim"), base),
            GeneratorStage("generator, second stage", distilled, base),
            GeneratorStage("generator, more style", distilled, more, kept=0.45),
            GeneratorStage("generator, large crops", ("teacher", "deep", "slim"), large),
        ]
        return [
            replace(stage, config=replace(stage.config, seed=(self.seed + number) % SEEDS))
            for number, stage in enumerate(stages if self.large_crops else stages[:-1])
        ]

    def largest_crop_px(self) -> int:
        """The smallest side allowed for a picture."""
        stages = [stage.config for stage in self.generator_stages()]
        sizes = [size for config in stages for size in (config.size_px, config.style_px)]
        return max(NORMALIZED_PX, self.distillation().size_px, self.loss_distillation(1.0).size_px, *sizes)


@dataclass(frozen=True)
class Material:
    """Files that base training learns from; teachers from the most trusted to the cheapest."""

    teachers: Sequence[Path]
    photos: Sequence[Path]
    paintings: Sequence[Path]

    def fingerprint(self) -> dict[str, str]:
        """A hash of the files' bytes by kind, to recognize these files."""
        kinds = {"teachers": self.teachers, "photos": self.photos, "paintings": self.paintings}
        return {kind: hash_of(files) for kind, files in kinds.items()}


def make_weights(
    material: Material,
    out: Path,
    state: Path,
    config: BaseRunConfig | None = None,
    on_step: OnStageStep = lambda stage, steps, record: None,
    overwrite: bool = False,
    processes: ProcessGroup = ALONE,
    on_estimate: Callable[[dict[str, float]], None] | None = None,
) -> list[Path]:
    """Make vgg_slim, vgg_loss and generator.safetensors and numbers.json in the folder `out`; returns them.

    `state` is the run's own folder, from which it resumes after a kill. `on_step` receives a stage's name,
    its number of steps and each step's record. With `on_estimate`, a trial run comes first, and the callback
    receives the seconds left for each stage. Several `processes` take the same arguments; the first one
    writes. Raises ValueError for unusable files, a state folder with other contents, or results that exist
    and may not be replaced.
    """
    c = config or BaseRunConfig()
    with processes.first_ahead():
        if processes.first:
            check_folders(out, state, overwrite)
        teachers = [teacher.to(processes.device) for teacher in load_teachers(material.teachers)]
        run = {"settings": to_json(c)} | material.fingerprint()
        log = RunLog(state / NUMBERS_FILE, run, on_step, writes=processes.first)
        photos = open_crops(material.photos, c.largest_crop_px())
        drawn = draw_procedural(material.photos, c, state / "procedural")
    paintings = open_crops([*material.paintings, *drawn], c.largest_crop_px())
    log.add(photos=len(photos), scenes=c.scenes, paintings=len(material.paintings), procedural=len(drawn))

    stages = partial(base_stages, teachers=teachers, photos=photos, paintings=paintings, config=c)
    if on_estimate:
        on_estimate(estimate(stages, state, log, processes))
    generator = stages(StagedRun(state, log, processes))

    log.add(parameters=sum(value.numel() for value in generator.parameters()))
    log.add(sha256={name: hash_of([state / name]) for name in RESULTS[:-1]})
    for name in RESULTS if processes.first else ():
        if not same_bytes(out / name, state / name):
            write_atomically(out / name, (state / name).read_bytes(), overwrite=overwrite)
    processes.wait()
    return [out / name for name in RESULTS]


def base_stages(
    run: StagedRun, teachers: list[VGG], photos: Crops, paintings: Crops, config: BaseRunConfig
) -> Generator:
    """Run all stages in order; returns the generator of the last one."""
    both, contents = together(photos, paintings), with_scenes(photos, config)
    narrow = config.loss_distillation(teachers[0].width)
    slim = distill_stage(run, "slim VGG", SLIM_FILE, config.distillation(), both, teachers)
    loss = distill_stage(run, "loss VGG", LOSS_FILE, narrow, both, teachers[:1])
    networks = {"teacher": teachers[0], "deep": teachers[-1], "loss": loss, "slim": slim}
    generator = new_generator(config.architecture(), config.seed)
    stages = config.generator_stages()
    files = [*(f"generator_{number}.safetensors" for number in range(1, len(stages))), GENERATOR_FILE]
    for stage, file in zip(stages, files, strict=True):
        perceptual = Perceptual([networks[name] for name in stage.losses])
        train = partial(train_stage, stage, generator, slim, perceptual, contents, paintings, run.processes)
        generator = run.stage(stage.name, file, stage.config, train, save_generator, load_generator)
    return generator


def distill_stage(
    run: StagedRun, name: str, file: str, config: DistillConfig, crops: Crops, teachers: list[VGG]
) -> VGG:
    """Distill a VGG from teachers; the share of their variance that it explains goes to the run's log."""

    def train(config: DistillConfig, **given: object) -> VGG:
        vgg = distill(crops, teachers, config, processes=run.processes, **given)
        rng = torch.Generator().manual_seed(config.seed)
        images = [crops.draw(8, NORMALIZED_PX, rng).to(run.processes.device) for _ in range(4)]
        fits = linear_fits(vgg, teachers, images)
        explained = {layer: round(fit.explained, 4) for layer, fit in fits.items()}
        run.log.add(explained=run.log.found.get("explained", {}) | {name: explained})
        return vgg

    return run.stage(name, file, config, train, save_vgg, load_vgg)


def train_stage(
    stage: GeneratorStage,
    generator: Generator,
    slim: VGG,
    perceptual: Perceptual,
    contents: Crops,
    paintings: Crops,
    processes: ProcessGroup,
    config: BaseConfig,
    **given: object,
) -> Generator:
    """The generator after a stage."""
    generator = generator.to(processes.device, memory_format=torch.channels_last)
    before = deepcopy(generator)
    parts = generator.requires_grad_(True), slim, perceptual, contents, paintings
    after = train_base(*parts, config, processes=processes, **given)
    with torch.no_grad():
        for new, old in zip(after.parameters(), before.parameters(), strict=True):
            new.lerp_(old, stage.kept)
    return after


def check_folders(out: Path, state: Path, overwrite: bool) -> None:
    """Create both folders. Raises ValueError if one cannot be used."""
    if out.resolve() == state.resolve():
        raise ValueError(f"results and state need two folders, got {str(out)!r} for both")
    exist = [out / name for name in RESULTS if os.path.lexists(out / name)]
    found = [path for path in exist if not same_bytes(path, state / path.name)]  # a run killed at its end
    if found and not overwrite:
        raise ValueError(f"{str(found[0])!r} exists already: choose another folder, or ask to overwrite it")
    check_state_folder(state)
    out.mkdir(parents=True, exist_ok=True)


def same_bytes(one: Path, other: Path) -> bool:
    """Whether both files exist and have the same contents."""
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


def load_teachers(files: Sequence[Path]) -> list[VGG]:
    """VGGs in the order given. Raises ValueError unless together they reach every style layer."""
    teachers = [load_vgg(file) for file in files]
    reached = {name for teacher in teachers for name in teacher.layers}
    if missing := [name for name in LAYERS if name not in reached]:
        raise ValueError(f"no teacher reaches {', '.join(missing)}: add a VGG that does")
    return teachers


def open_crops(files: Sequence[Path], least_px: int) -> Crops:
    """Crops of picture files. Raises ValueError, naming the file, for one with a side below `least_px`."""
    crops = Crops.from_files(files)
    for file, pyramid in zip(files, crops.pyramids, strict=True):
        height, width = pyramid[0].shape[1:]
        if min(height, width) < least_px:
            raise ValueError(
                f"{str(file)!r} is {width}x{height} px, at least {least_px} px a side are needed"
            )
    return crops


def draw_procedural(photos: Sequence[Path], config: BaseRunConfig, folder: Path) -> list[Path]:
    """Paint the photographs in turn with procedural artists; existing pictures are kept."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{index:04}.png" for index in range(config.procedural)]
    for index, path in enumerate(paths):
        if not path.exists():
            photo = resize_short_side(open_image(photos[index % len(photos)]), PROCEDURAL_PX)
            photo = photo[:, :, : 2 * PROCEDURAL_PX, : 2 * PROCEDURAL_PX]  # a panorama would take too long
            save_image(path, procedural_style(config.seed * 1_000_003 + index, photo.clamp(0, 1)))
    return paths


def with_scenes(photos: Crops, config: BaseRunConfig) -> Crops:
    """Photographs and drawn scenes, which add things rare in photographs, such as flat shapes and faces."""
    if not config.scenes:
        return photos
    return together(photos, Crops(content_pictures(config.scenes, PROCEDURAL_PX, config.seed)))


def together(*parts: Crops) -> Crops:
    """Crops from the pictures of all parts, which share their memory."""
    whole = copy(parts[0])
    whole.pyramids = [pyramid for part in parts for pyramid in part.pyramids]
    return whole


def new_generator(config: GeneratorConfig, seed: int) -> Generator:
    """A generator with weights drawn from the seed; torch's global random state is left unchanged."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return Generator(config)
