"""Protects jobs: what sets one apart, and what it loads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pstyle.batch.job import Job, key_of
from pstyle.core.files import BadFile
from pstyle.image.reading import open_image, open_mask
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.paint import SizeConfig, paint
from pstyle.painting.painter import Painter
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.style import load_style


def test_keys_differ_by_all_that_a_painting_comes_of(job: Job, place: Path) -> None:
    work = job.work()
    base = work.painter.style
    jobs = [
        job,
        replace(job, settings=PaintSettings(detail=0.1)),
        replace(job, size=SizeConfig("never")),
        replace(job, style=place / "second.safetensors"),
        replace(job, mask=place / "mask.png"),
        replace(job, mask=place / "mask.png", second=place / "second.safetensors"),
    ]
    digests = [one.digest(work) for one in jobs]
    work.painter.style = replace(base, generator_id="0" * 64)
    digests.append(job.digest(work))
    work.painter.style, work.painter.dtype = base, torch.bfloat16
    digests.append(job.digest(work))
    keys = {key_of(digest, picture) for digest in digests for picture in ("1" * 64, "2" * 64)}
    assert len(keys) == 2 * len(digests) == 16
    work.painter.dtype = torch.float32
    elsewhere = place / "elsewhere.safetensors"
    elsewhere.write_bytes(job.style.read_bytes())
    assert replace(job, style=elsewhere).digest(work) == digests[0]


@pytest.mark.parametrize("file", ["style.safetensors", "second.safetensors", "mask.png"])
def test_a_job_is_that_of_the_bytes_of_its_files(job: Job, place: Path, file: str) -> None:
    """Another file under the same name is another job; the same bytes written again are the same one."""
    everything = replace(job, mask=place / "mask.png", second=place / "second.safetensors")
    work = everything.work()
    before, data = everything.digest(work), (place / file).read_bytes()
    (place / file).write_bytes(data + b"x")
    assert everything.digest(work) != before
    (place / file).write_bytes(data)
    assert everything.digest(work) == before


@pytest.mark.parametrize("regions", [{}, {"mask"}, {"mask", "second"}])
def test_its_work_paints_as_the_one_call_does(job: Job, place: Path, regions: set[str]) -> None:
    files = {"mask": place / "mask.png", "second": place / "second.safetensors"}
    given = {name: files[name] for name in regions}
    settings, size = PaintSettings(strength=0.8, detail=0.2), SizeConfig(look_size_px=24)
    work = replace(job, settings=settings, size=size, **given).work()
    image = open_image(place / "in" / "a.jpg")
    painter, second = (
        Painter(load_style(file), load_generator(), load_vgg(), "cpu", torch.float32)
        for file in (job.style, files["second"])
    )
    mask = open_mask(files["mask"]) if "mask" in regions else None
    expected = paint(image, painter, settings, mask, second if "second" in regions else None, size)
    assert torch.equal(work.paint(image), expected) and not torch.equal(expected, image)
    assert (work.mask is None) == ("mask" not in regions) and (work.second is None) == (
        "second" not in regions
    )


def test_a_second_style_without_a_mask_is_refused(job: Job, place: Path) -> None:
    with pytest.raises(ValueError, match="give a mask"):
        replace(job, second=place / "second.safetensors")


def test_files_that_cannot_be_used_are_named(job: Job, place: Path) -> None:
    (place / "none.safetensors").write_bytes(b"nothing")
    for bad in ({"style": place / "none.safetensors"}, {"mask": place / "away.png"}):
        with pytest.raises(BadFile, match=next(iter(bad.values())).name):
            replace(job, **bad).work()
