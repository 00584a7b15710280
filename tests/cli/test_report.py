"""Protects `pstyle report`: everything about a style on one page."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.quick import PHOTOS, QUICK


def test_report_writes_a_page(call, place: Path) -> None:
    assert call("learn", "one.png", "-o", "new.safetensors", "--history", "new.json", *PHOTOS, *QUICK)[0] == 0
    assert [record["step"] for record in json.loads((place / "new.json").read_text())] == [1, 2]
    given = ["--pictures", "one.png", "--photos", "two.png", "photos", "--history", "new.json"]
    code, out, err = call("report", "new.safetensors", *given)
    assert (code, out, err) == (0, ["new.html"], "")
    page = (place / "new.html").read_text()
    assert all(f"<h2>{title}</h2>" in page for title in ("Learned from", "Scores", "Curves", "Settings"))
    assert page.count("<img") == 1 + 1 + 2 * 3 + 6 + 1 + 1  # with map and curves
    code, out, err = call("report", "new.safetensors")
    assert code == 2 and "exists already" in err
    code, out, err = call("report", "style.safetensors", "--photos", "one.png", "-o", "out/a.html")
    assert (code, out) == (0, ["out/a.html"]) and "<h2>Curves</h2>" not in (place / "out/a.html").read_text()
