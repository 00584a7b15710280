"""Protects what makes viewers open a picture as 360: metadata of our own writing, never a stranger's."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from PIL import Image

from pstyle.core.files import BadFile
from pstyle.image.reading import open_image
from pstyle.vr.gpano import headings_in, read_headings, save_panorama

GPANO = "{http://ns.google.com/photos/1.0/panorama/}"


def packet(path) -> bytes:
    info = Image.open(path).info
    found = info.get("xmp") or info["XML:com.adobe.xmp"]
    return found if isinstance(found, bytes) else found.encode()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_viewer_is_told_that_it_is_a_sphere(tmp_path, rng, suffix):
    image, path = torch.rand(1, 3, 32, 64, generator=rng), tmp_path / f"sphere{suffix}"
    save_panorama(path, image, {"PoseHeadingDegrees": 90.5})
    text = packet(path).decode().strip().removeprefix("\ufeff")
    told = next(ElementTree.fromstring(text).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"))
    assert told.get(f"{GPANO}ProjectionType") == "equirectangular"
    assert told.get(f"{GPANO}FullPanoWidthPixels") == told.get(f"{GPANO}CroppedAreaImageWidthPixels") == "64"
    assert told.get(f"{GPANO}FullPanoHeightPixels") == "32"
    assert told.get(f"{GPANO}PoseHeadingDegrees") == "90.5"
    assert read_headings(path) == {"PoseHeadingDegrees": 90.5}
    tolerance = 1 / 255 if suffix == ".png" else 0.5
    assert torch.allclose(open_image(path), image, atol=tolerance)


def test_nothing_is_read_where_nothing_is_told(tmp_path, rng):
    Image.new("RGB", (8, 4)).save(tmp_path / "plain.png")
    assert read_headings(tmp_path / "plain.png") == {}
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(BadFile, match="cannot be opened"):
        read_headings(tmp_path / "no.png")


def test_both_ways_of_writing_xmp_are_read():
    told = "<GPano:PosePitchDegrees>-3.5</GPano:PosePitchDegrees> GPano:PoseHeadingDegrees = '12'"
    assert headings_in(told) == {"PosePitchDegrees": -3.5, "PoseHeadingDegrees": 12.0}


@pytest.mark.parametrize(
    "value", ["361", "-1", "1e3", "nan", '1"/><x a="', "&entity;", "9" * 400, "١", "<b>1</b>", ""]
)
def test_a_strangers_values_are_numbers_in_range_or_nothing(value):
    found = headings_in(f'GPano:PoseHeadingDegrees="{value}"')
    assert found in ({}, {"PoseHeadingDegrees": 1.0})


def test_a_strangers_file_of_metadata_takes_no_time(tmp_path):
    from pstyle.vr.gpano import HEADINGS

    hostile = "".join(f"GPano:{name}" + " " * 5000 for name in HEADINGS) * 10
    assert headings_in(hostile) == {}


def test_a_file_is_not_replaced_unless_asked(tmp_path, rng):
    image, path = torch.rand(1, 3, 16, 32, generator=rng), tmp_path / "a.png"
    save_panorama(path, image)
    before = path.read_bytes()
    with pytest.raises(BadFile, match="exists already"):
        save_panorama(path, 1 - image)
    assert path.read_bytes() == before
    save_panorama(path, 1 - image, overwrite=True)
    assert path.read_bytes() != before and Image.open(io.BytesIO(path.read_bytes())).size == (32, 16)
