"""Protects reports: whole HTML that fetches and runs nothing, whatever a stranger's style file says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pstyle.evaluation import report, report_sections
from pstyle.evaluation.metrics import score
from pstyle.evaluation.report import STRENGTHS, report_of
from pstyle.nets.vgg import VGG
from pstyle.painting.painter import Painter
from pstyle.style.provenance import Provenance
from pstyle.style.style import preview_of
from tests.conftest import random_picture
from tests.evaluation.html_reading import HOSTILE, Page, pixels

HISTORY = [{"step": step, "loss": 1 / step, "style": 0.5 / step} for step in range(1, 6)]


MAP = [(900, 900)]  # the map of the pictures


@pytest.fixture
def photos(rng: torch.Generator) -> dict[str, torch.Tensor]:
    return {"one": random_picture(rng, 64, 80), "two": random_picture(rng, 72, 66)}


@pytest.fixture
def written(painter: Painter, rng: torch.Generator) -> Painter:
    """A painter whose style tells where it came from."""
    told = Provenance(
        2, "80x64, 90x70", 3, 85, '{"steps": 85, "lr_latent": 0.02}', "2026-11-25", "pstyle 1", ""
    )
    painter.style = replace(painter.style, provenance=told, preview=preview_of(random_picture(rng, 96, 96)))
    return painter


def make(painter: Painter, tiny_vgg: VGG, **given: object) -> Page:
    return Page(report_of(painter, "my style", vgg=tiny_vgg, **given))


def test_it_shows_all_there_is(written, tiny_vgg, photos, pictures) -> None:
    found = make(written, tiny_vgg, pictures=pictures, photos=list(photos.items()), history=HISTORY)
    images = found.all("img")
    sizes = [pixels(image).size for image in images]
    styles = [(picture.shape[3], picture.shape[2]) for picture in pictures]
    assert sizes == [
        (96, 96),
        *styles,
        (80, 64),
        (80, 64),
        (66, 72),
        (66, 72),
        *[(80, 64)] * 6,
        *MAP,
        (960, 540),
    ]
    assert [image["alt"] for image in images[8:14]] == [f"strength {strength:g}" for strength in STRENGTHS]
    titles = "Learned from, Before and after, Strength, Where it lies, Scores, Adversarial fine-tuning, "
    titles += "Curves, Settings"
    assert [text for text in found.texts if text in titles.split(", ")] == titles.split(", ")
    for text in ("80x64, 90x70", "2026-11-25", "lr latent", "0.02", "my style"):
        assert text in found.texts
    assert "A style learned from 2 pictures in 85 steps. 2026-11-25" in found.texts


def test_paintings_are_the_painters_own(written, tiny_vgg, photos) -> None:
    images = [pixels(image) for image in make(written, tiny_vgg, photos=list(photos.items())).all("img")]
    for shown, wanted in (
        (images[1], photos["one"]),
        (images[2], written(photos["one"])),
        (images[5], written(photos["one"], strength=0.25)),
        (images[10], written(photos["one"], strength=1.5)),
    ):
        found = torch.from_numpy(np.array(shown)).permute(2, 0, 1)[None] / 255
        difference = F.avg_pool2d(found - wanted, 8)  # of what JPEG keeps
        assert difference.abs().mean() < 0.02


def test_large_pictures_are_reduced(written, tiny_vgg, rng, monkeypatch) -> None:
    monkeypatch.setattr(report, "SIZE_PX", 48)
    monkeypatch.setattr(report_sections, "STRIP_PX", 24)
    monkeypatch.setattr(report_sections, "THUMB_PX", 16)
    large = random_picture(rng, 96, 128)
    found = make(written, tiny_vgg, pictures=[large], photos=[("a", large)]).all("img")
    assert [pixels(image).size for image in found] == [
        (96, 96),
        (21, 16),
        *[(64, 48)] * 2,
        *[(32, 24)] * 6,
        *MAP,
    ]


def test_drawn_scenes_stand_in_for_photographs(written, tiny_vgg, monkeypatch) -> None:
    monkeypatch.setattr(report, "SIZE_PX", 64)
    found = make(written, tiny_vgg)
    assert [text for text in found.texts if text.startswith("scene")] == ["scene 1", "scene 2", "scene 3"]
    assert any("none were given" in text for text in found.texts)  # of style pictures, so no scores


def test_scores_are_means_beside_the_photographs(written, tiny_vgg, photos, pictures) -> None:
    found = make(written, tiny_vgg, pictures=pictures, photos=list(photos.items()), judge="the judge").texts
    own = [score(photo, photo, pictures, tiny_vgg) for photo in photos.values()]
    painted = [score(written(photo), photo, pictures, tiny_vgg) for photo in photos.values()]
    for name in ("style", "patch_swd", "color", "ssim"):
        row = found[found.index(name) : found.index(name) + 3]
        means = [sum(one[name] for one in rows) / 2 for rows in (painted, own)]
        assert row == [name, *(f"{mean:.3f}" for mean in means)]
    assert "Means over 2 paintings, judged by the network the judge." in found


def test_nothing_is_loaded_from_elsewhere(written, tiny_vgg, photos, pictures) -> None:
    source = report_of(
        written, "a", pictures[:1], list(photos.items()), HISTORY, {"Map": photos["two"]}, tiny_vgg
    )
    found = Page(source)
    linked = [
        attributes[name] for _, attributes in found.tags for name in ("src", "href") if name in attributes
    ]
    assert linked and all(link.startswith("data:image/") for link in linked)
    assert not re.search(r"https?:|url\(|@import", source)
    (policy,) = [meta for meta in found.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert source.index("Content-Security-Policy") < source.index("<style>") < source.index("<img")
    assert "Map" in found.texts


def test_a_discriminators_curves_are_drawn_too(written, tiny_vgg, photos) -> None:
    history = [{"step": step, "loss": 1.0, "held_out_accuracy": 0.6} for step in range(3)]
    images = [
        pixels(image).size
        for image in make(written, tiny_vgg, photos=list(photos.items()), history=history).all("img")
    ]
    assert images[-2:] == [(960, 540), (960, 900)]


def test_following_sees_each_photograph_and_may_stop(written, tiny_vgg, photos) -> None:
    seen = []

    def follow(items):
        for item in items:
            seen.append(item.shape)
            yield item
            if len(seen) == 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(written, tiny_vgg, photos=list(photos.items()), follow=follow)
    assert seen == [(1, 3, 64, 80)]


def browser() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.mark.skipif(browser() is None, reason="no Chromium here, nor in the variable CHROMIUM")
def test_a_browser_shows_it_without_a_network(written, tiny_vgg, photos, pictures, tmp_path: Path) -> None:
    """With a page that would run a script if its policy or its escapes let it."""
    written.style = replace(written.style, provenance=Provenance(note=HOSTILE), license=HOSTILE)
    source = report_of(written, HOSTILE, pictures[:1], list(photos.items()), HISTORY, vgg=tiny_vgg)
    (tmp_path / "a.html").write_text(source)
    (tmp_path / "b.html").write_text(source.replace("</body>", "<script>console.error(1)</script></body>"))
    shown, told = dump(tmp_path / "a.html", tmp_path)
    assert "CONSOLE" not in told, told
    assert Page(shown).all("img") == Page(source).all("img") and HOSTILE in Page(shown).texts
    assert "CONSOLE" in dump(tmp_path / "b.html", tmp_path)[1]  # so that an error would have been seen


def dump(page: Path, folder: Path) -> tuple[str, str]:
    """A page as the browser has it, and what it logged."""
    command = [browser(), "--headless", "--disable-gpu", "--no-sandbox", "--dump-dom"]
    command += ["--enable-logging=stderr", "--v=0", f"--user-data-dir={folder / 'profile'}"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    return done.stdout, done.stderr
