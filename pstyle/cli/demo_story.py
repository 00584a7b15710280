"""The demo: learns the style of an artist's pictures, fine-tunes it and paints photographs, in three minutes.

The photographs come with scikit-image and are not part of this package. The artist is one of `samples`, so
the true appearance of a picture in this style is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from torch import Tensor

from ..core.config import check_settings, choice, setting
from ..core.device import choose_device
from ..core.files import BadFile
from ..core.progress import OnStep
from ..finetuning.finetune_config import FinetuneConfig
from ..finetuning.finetuning import Finetuned, Finetuning
from ..image.reading import open_image
from ..image.resizing import resize_short_side
from ..image.writing import save_image
from ..losses.perceptual import perceptual_with
from ..nets.generator import load_generator
from ..nets.vgg import load_vgg
from ..painting.painter import Painter
from ..plots.contact_sheet import contact_sheet
from ..plots.curves import discriminator_plot, loss_plot
from ..samples import ARTISTS, content_pictures, paint_as
from ..style.style import Style, save_style
from ..training.learning import LearnConfig, Learned, Learning

PAINTED_BY_THE_ARTIST = ("coffee.png", "rocket.jpg", "motorcycle_left.png")
UNSEEN = ("astronaut.png", "chelsea.png")
SIZE_PX = 384  # short side of the artist's pictures, and at which styles are learned
SCENES = 6
SHEET, LOSSES, DISCRIMINATOR, STYLE = (
    "before_after.png",
    "losses.png",
    "discriminator.png",
    "style.safetensors",
)


@dataclass(frozen=True)
class DemoConfig:
    """Settings of the demo."""

    steps: int = setting(
        LearnConfig.steps, 4, 10_000, "steps of learning; fine-tuning takes a quarter of them"
    )
    artist: str = choice("hatching", tuple(ARTISTS), "the procedural artist whose style is learned")
    seed: int = setting(0, 0, 2**31 - 1, "random seed")

    def __post_init__(self) -> None:
        check_settings(self)

    def learning(self) -> LearnConfig:
        """Settings of the learning."""
        return LearnConfig(steps=self.steps, size_px=SIZE_PX, seed=self.seed)

    def finetuning(self) -> FinetuneConfig:
        """Settings of the fine-tuning: two checks, after a short warm-up."""
        steps = self.steps // 4
        return FinetuneConfig(
            steps=steps, warmup=steps // 4, check_every=-(-steps // 2), size_px=SIZE_PX, seed=self.seed
        )


@dataclass(frozen=True)
class DemoResult:
    """The files that a demo wrote, in order, and the verdict of its fine-tuning."""

    files: list[Path]
    verdict: str


@contextmanager
def silent(what: str) -> Iterator[OnStep]:
    """Shows no progress."""
    yield lambda progress: None


def run_demo(
    folder: Path,
    config: DemoConfig | None = None,
    device: str = "auto",
    overwrite: bool = False,
    watch: Callable[[str], AbstractContextManager[OnStep]] = silent,
) -> DemoResult:
    """Write the artist's pictures, the painted photographs, sheet, plots and style file into a folder.

    `watch("learning")` is a context that yields the `on_step` of that loop. Raises ValueError if photographs
    are missing, and BadFile for an existing file without `overwrite`.
    """
    c = config or DemoConfig()
    photos = photographs(PAINTED_BY_THE_ARTIST)
    unseen = photographs(UNSEEN)
    targets = [folder / name for name in file_names()]
    if found := [path for path in targets if path.exists() and not overwrite]:
        raise BadFile(f"{str(found[0])!r} exists already: choose another folder, or ask to overwrite it")
    originals = [resize_short_side(photo, SIZE_PX).clamp(0, 1) for photo in photos.values()]
    pictures = [paint_as(c.artist, photo, c.seed + number) for number, photo in enumerate(originals)]
    learned, finetuned = make_styles(pictures, originals, c, device, watch)
    painted = {
        name: [paint(photo) for paint in painters([learned.style, finetuned.style], device)]
        for name, photo in unseen.items()
    }
    images = [
        *pictures,
        *(versions[-1] for versions in painted.values()),
        before_after(pictures, unseen, painted, finetuned.accepted),
        loss_plot(learned.history, ["loss", "style", "content"]),
        discriminator_plot(finetuned.history),
    ]
    for path, image in zip(targets[:-1], images, strict=True):
        save_image(path, image, overwrite=overwrite)
    save_style(targets[-1], finetuned.style, overwrite=overwrite)
    return DemoResult(targets, finetuned.verdict)


def photographs(names: tuple[str, ...]) -> dict[str, Tensor]:
    """Photographs (1, 3, H, W) by name, from scikit-image. Raises ValueError if it is not installed."""
    spec = find_spec("skimage")
    folder = Path(spec.origin).parent / "data" if spec and spec.origin else Path("skimage")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ValueError(
            f"the demo's photographs ({', '.join(missing)}) come with scikit-image, which is not installed: "
            "`pip install scikit-image`, or learn from your own pictures with `pstyle learn`"
        )
    return {Path(name).stem: open_image(folder / name) for name in names}


def file_names() -> list[str]:
    """Names of all files that the demo writes."""
    shown = [f"style_{number}.png" for number, _ in enumerate(PAINTED_BY_THE_ARTIST, start=1)]
    shown += [f"painted_{Path(name).stem}.png" for name in UNSEEN]
    return [*shown, SHEET, LOSSES, DISCRIMINATOR, STYLE]


def make_styles(
    pictures: list[Tensor],
    originals: list[Tensor],
    config: DemoConfig,
    device: str,
    watch: Callable[[str], AbstractContextManager[OnStep]],
) -> tuple[Learned, Finetuned]:
    """Learn the pictures' style, then fine-tune it; contents are the artist's motifs and drawn scenes."""
    chosen = choose_device(device)
    slim, generator = load_vgg().to(chosen), load_generator().to(chosen)
    networks = generator, slim, perceptual_with(slim)
    contents = [*originals, *content_pictures(SCENES, SIZE_PX, config.seed)]
    learning = Learning(pictures, contents, *networks, config.learning())
    with watch("learning") as on_step:
        learning.run(on_step)
    learned = learning.result()
    finetuning = Finetuning(learned.style, pictures, contents, *networks, config.finetuning())
    with watch("fine-tuning") as on_step:
        finetuning.run(on_step)
    return learned, finetuning.result()


def painters(styles: list[Style], device: str) -> list[Painter]:
    """A painter for each style."""
    return [Painter(style, load_generator(), load_vgg(), device) for style in styles]


def before_after(
    pictures: list[Tensor], unseen: dict[str, Tensor], painted: dict[str, list[Tensor]], accepted: bool
) -> Tensor:
    """One sheet: the artist's pictures above, and below each unseen photograph before and after."""
    rows = [pictures, *([photo, *painted[name]] for name, photo in unseen.items())]
    last = "fine-tuned" if accepted else "fine-tuned: no gain, kept as learned"
    labels = [["learned from"] * len(pictures), *([name, "learned", last] for name in unseen)]
    return contact_sheet(rows, labels, cell_px=384)
