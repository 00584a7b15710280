"""Google's Photo Sphere metadata (GPano) in XMP, by which viewers recognize 360 pictures.

Untrusted XMP is never parsed as XML: known names with plain numbers are searched for in it, and a new packet
is written.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from torch import Tensor

from ..core.files import BadFile, read_file, write_atomically
from ..image.reading import FORMATS, MAX_FILE_BYTES
from ..image.writing import encoded

HEADINGS = {  # kept from the input picture, with their range in degrees
    "PoseHeadingDegrees": (0, 360),
    "PosePitchDegrees": (-90, 90),
    "PoseRollDegrees": (-180, 180),
    "InitialViewHeadingDegrees": (0, 360),
    "InitialViewPitchDegrees": (-90, 90),
    "InitialViewRollDegrees": (-180, 180),
    "InitialHorizontalFOVDegrees": (0, 180),
}
JPEG_NAME, PNG_NAME = b"http://ns.adobe.com/xap/1.0/\0", "XML:com.adobe.xmp"
MAX_XMP_BYTES = 65000  # more does not fit into a JPEG's segment
PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"
{values}/></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def read_headings(path: str | Path) -> dict[str, float]:
    """Read the headings in a file's GPano metadata; empty without any. Raises BadFile."""
    data = read_file(path, MAX_FILE_BYTES)
    try:
        info = Image.open(io.BytesIO(data), formats=FORMATS).info
    except Exception as error:  # Pillow raises many types for damaged files; the file is at fault
        raise BadFile(f"{str(path)!r} cannot be opened as a picture: {error}") from error
    packet = info.get("xmp") or info.get(PNG_NAME) or b""
    packet = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    return headings_in(packet[:MAX_XMP_BYTES].decode("utf-8", "replace"))


def headings_in(packet: str) -> dict[str, float]:
    """The valid headings in an XMP packet, written as attributes or as elements."""
    found = {}
    for name, (low, high) in HEADINGS.items():
        given = re.search(
            rf'GPano:{name}\s{{0,9}}(?:=\s{{0,9}}["\']|>)\s{{0,9}}(-?\d{{1,3}}(?:\.\d{{1,9}})?)\b', packet
        )
        if given and low <= float(given[1]) <= high:
            found[name] = float(given[1])
    return found


def packet_of(height: int, width: int, headings: Mapping[str, float] | None = None) -> str:
    """The XMP of a full sphere in an equirectangular picture of this size."""
    size = {
        f"{kind}{side}Pixels": number
        for kind in ("CroppedAreaImage", "FullPano")
        for side, number in (("Width", width), ("Height", height))
    }
    corner = {"CroppedAreaLeftPixels": 0, "CroppedAreaTopPixels": 0}
    values = {"ProjectionType": "equirectangular", "UsePanoramaViewer": "True", **size, **corner}
    values |= {name: f"{value:g}" for name, value in (headings or {}).items()}
    lines = (f'GPano:{name}="{value}"' for name, value in values.items())
    return PACKET.format(values="\n".join(lines))


def save_panorama(
    path: str | Path, image: Tensor, headings: Mapping[str, float] | None = None, *, overwrite: bool = False
) -> None:
    """Write an equirectangular picture (1, C, H, W) as a PNG or JPEG, by suffix, that viewers open as 360.

    Raises ValueError for a bad picture or suffix, BadFile if the file exists and `overwrite` is False.
    """
    path = Path(path)
    packet = packet_of(*image.shape[2:], headings)
    if path.suffix.lower() == ".png":
        data = encoded(image, path.name, {PNG_NAME: packet})
    else:
        data = _with_xmp(encoded(image, path.name), packet.encode())
    write_atomically(path, data, overwrite=overwrite)


def _with_xmp(jpeg: bytes, packet: bytes) -> bytes:
    """A JPEG as Pillow writes it, with an XMP packet, which Pillow itself can write only from 11.0 on."""
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(JPEG_NAME) + len(packet)) + JPEG_NAME + packet
    place = 4 + struct.unpack(">H", jpeg[4:6])[0]  # after the JFIF segment, which Pillow puts first
    return jpeg[:place] + segment + jpeg[place:]
