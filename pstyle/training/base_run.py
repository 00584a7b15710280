"""One command from pictures to weights/: two VGGs distilled from teachers, then a generator in two stages.

Every stage goes on from its own file in the state folder after a kill, and a finished one is not run again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from .. import __version__
from ..core.config import check_settings, setting, to_json
from ..core.files import sha256_of, write_atomically
from ..core.process_group import ALONE, ProcessGroup
from ..image.crops import Crops
from ..image.pictures import open_image, resize_short_side, save_image
from ..losses.perceptual import Perceptual
from ..nets.generator import GENERATOR_FILE, Generator, GeneratorConfig, load_generator, save_generator
from ..nets.vgg import LAYERS, LOSS_FILE, SLIM_FILE, VGG, load_vgg, save_vgg
from ..samples import content_pictures, procedural_style
from .base_training import BaseConfig, train_base
from .distillation import DistillConfig, distill, linear_fits
from .run_log import OnStageStep, RunLog

FIRST_STAGE_FILE = "generator_first_stage.safetensors"
NUMBERS_FILE = "numbers.json"
RESULTS = (SLIM_FILE, LOSS_FILE, GENERATOR_FILE, NUMBERS_FILE)
PROCEDURAL_PX = 448
NORMALIZED_PX = 128  # side of the crops on which a distilled network is measured


@dataclass(frozen=True)
class BaseRunConfig:
    """Settings of making the shipped weights."""

    steps: int = setting(3000, 1, 1_000_000, "steps of each of the four stages")
    procedural: int = setting(60, 0, 10_000, "procedural styles, painted from the photographs")
    seed: int = setting(0, 0, 2**31 - 2, "random seed")
    scenes: int = setting(24, 0, 10_000, "drawn scenes that the generator paints beside the photographs")

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
        """What the generator is made of."""
        return GeneratorConfig()

    def first_stage(self) -> BaseConfig:
        """Settings of the generator's first stage, whose loss comes from the last teacher."""
        return BaseConfig(steps=self.steps, seed=self.seed)

    def second_stage(self) -> BaseConfig:
        """Settings of the generator's second stage, whose loss comes from the distilled loss network."""
        return BaseConfig(steps=self.steps, seed=self.seed + 1)

    def largest_crop_px(self) -> int:
        """The side that every picture needs at least."""
        stages = (self.first_stage(), self.second_stage())
        sizes = [size for stage in stages for size in (stage.size_px, stage.style_px)]
        return max(NORMALIZED_PX, self.distillation().size_px, self.loss_distillation(1.0).size_px, *sizes)


@dataclass(frozen=True)
class Material:
    """Files that base training learns from; teachers from the most trusted to the cheapest."""

    teachers: Sequence[Path]
    photos: Sequence[Path]
    paintings: Sequence[Path]

    def fingerprint(self) -> dict[str, str]:
        """What tells these files from others: by kind, a hash of their bytes."""
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
) -> list[Path]:
    """Make vgg_slim, vgg_loss and generator.safetensors and numbers.json in the folder `out`; returns them.

    `state` is a folder of the run's own, where it goes on after a kill. `on_step` gets a stage's name, its
    number of steps and each step's record. All processes of a `processes` are given the same; the first one
    writes. Raises ValueError for unusable files, a state folder of something
    else, or results that exist and may not be replaced.
    """
    c = config or BaseRunConfig()
    slim_file, loss_file, generator_file, numbers_file = (state / name for name in RESULTS)
    with processes.first_ahead():
        if processes.first:
            check_folders(out, state, overwrite)
        teachers = [teacher.to(processes.device) for teacher in load_teachers(material.teachers)]
        run = {"settings": to_json(c)} | material.fingerprint()
        numbers = RunLog(numbers_file, run, on_step, writes=processes.first)
        photos = open_crops(material.photos, c.largest_crop_px())
        drawn = draw_procedural(material.photos, c, state / "procedural")
    paintings = open_crops([*material.paintings, *drawn], c.largest_crop_px())
    contents = with_scenes(photos, c)
    numbers.tell(
        photos=len(photos), scenes=c.scenes, paintings=len(material.paintings), procedural=len(drawn)
    )

    both = together(photos, paintings)
    slim = make_vgg("slim VGG", both, teachers, c.distillation(), slim_file, numbers, processes)
    narrow = c.loss_distillation(teachers[0].width)
    loss = make_vgg("loss VGG", both, teachers[:1], narrow, loss_file, numbers, processes)
    new = new_generator(c.architecture(), c.seed)
    shared = {
        "slim": slim,
        "photos": contents,
        "paintings": paintings,
        "numbers": numbers,
        "processes": processes,
    }
    stage = partial(make_generator, **shared)
    cheap, best = Perceptual([teachers[-1], slim]), Perceptual([loss, teachers[-1], slim])
    first = stage("generator, first stage", new, cheap, c.first_stage(), state / FIRST_STAGE_FILE)
    final = stage("generator, second stage", first, best, c.second_stage(), generator_file)

    numbers.tell(parameters=sum(value.numel() for value in final.parameters()))
    numbers.tell(sha256={path.name: hash_of([path]) for path in (slim_file, loss_file, generator_file)})
    results = [out / name for name in RESULTS]
    for result in results if processes.first else ():
        write_atomically(result, (state / result.name).read_bytes(), overwrite=overwrite)
    processes.wait()
    return results


def check_folders(out: Path, state: Path, overwrite: bool) -> None:
    """Make both folders. Raises ValueError if one cannot be used."""
    if out.resolve() == state.resolve():
        raise ValueError(f"results and state need two folders, got {str(out)!r} for both")
    found = [out / name for name in RESULTS if os.path.lexists(out / name)]
    if found and not overwrite:
        raise ValueError(f"{str(found[0])!r} exists already: choose another folder, or ask to overwrite it")
    if state.is_dir() and any(state.iterdir()) and not (state / NUMBERS_FILE).exists():
        raise ValueError(f"{str(state)!r} holds files, but not the state of a run: choose an empty folder")
    for folder in (out, state):
        folder.mkdir(parents=True, exist_ok=True)


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
    """Pictures by procedural artists, from the photographs in turn; those that are there already stay."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{index:04}.png" for index in range(config.procedural)]
    for index, path in enumerate(paths):
        if not path.exists():
            photo = resize_short_side(open_image(photos[index % len(photos)]), PROCEDURAL_PX)
            photo = photo[:, :, : 2 * PROCEDURAL_PX, : 2 * PROCEDURAL_PX]  # a panorama would take very long
            save_image(path, procedural_style(config.seed * 1_000_003 + index, photo.clamp(0, 1)))
    return paths


def with_scenes(photos: Crops, config: BaseRunConfig) -> Crops:
    """Photographs and drawn scenes: these have what few photographs have, such as flat shapes and faces."""
    if not config.scenes:
        return photos
    return together(photos, Crops(content_pictures(config.scenes, PROCEDURAL_PX, config.seed)))


def together(*parts: Crops) -> Crops:
    """Crops from the pictures of all parts, which share their memory."""
    whole = copy(parts[0])
    whole.pyramids = [pyramid for part in parts for pyramid in part.pyramids]
    return whole


def new_generator(config: GeneratorConfig, seed: int) -> Generator:
    """A generator with weights drawn from the seed; torch's own random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return Generator(config)


def make_vgg(
    name: str,
    crops: Crops,
    teachers: list[VGG],
    config: DistillConfig,
    product: Path,
    numbers: RunLog,
    processes: ProcessGroup,
) -> VGG:
    """The VGG as stored in the file `product`, distilled first if it is not there."""
    if not product.exists():
        with numbers.stage(name, config.steps, to_json(config)) as on_step:
            state = state_of(product)
            vgg = distill(crops, teachers, config, state_path=state, on_step=on_step, processes=processes)
        rng = torch.Generator().manual_seed(config.seed)
        images = [crops.draw(8, NORMALIZED_PX, rng).to(processes.device) for _ in range(4)]
        fits = linear_fits(vgg, teachers, images)
        explained = {layer: round(fit.explained, 4) for layer, fit in fits.items()}
        numbers.tell(explained=numbers.found.get("explained", {}) | {name: explained})
        if processes.first:
            save_vgg(product, vgg, f"distilled by pstyle {__version__} from {len(teachers)} teachers")
        processes.wait()
    return load_vgg(product).to(processes.device)


def make_generator(
    name: str,
    generator: Generator,
    perceptual: Perceptual,
    config: BaseConfig,
    product: Path,
    slim: VGG,
    photos: Crops,
    paintings: Crops,
    numbers: RunLog,
    processes: ProcessGroup,
) -> Generator:
    """The generator as stored in the file `product`, trained on from `generator` first if it is not there."""
    if not product.exists():
        generator = generator.requires_grad_(True).to(processes.device, memory_format=torch.channels_last)
        with numbers.stage(name, config.steps, to_json(config)) as on_step:
            state, parts = state_of(product), (slim, perceptual, photos, paintings)
            trained = train_base(generator, *parts, config, state, on_step, processes=processes)
        if processes.first:
            save_generator(product, trained, f"trained by pstyle {__version__}: {name}")
        processes.wait()
    return load_generator(product).to(processes.device)


def state_of(product: Path) -> Path:
    """Where the stage that makes `product` keeps its state."""
    return product.with_name(f"{product.stem}_state.safetensors")


def hash_of(files: Sequence[Path]) -> str:
    """SHA-256 over the bytes of files, in their order."""
    found = hashlib.sha256()
    for file in files:
        found.update(bytes.fromhex(sha256_of(file)))
    return found.hexdigest()
