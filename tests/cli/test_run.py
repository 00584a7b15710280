"""Protects `pstyle run`: a workflow's pictures are saved, and its faults are one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pstyle.image.reading import open_image
from tests.workflow.pack_on_disk import api, make_pack


def test_run_runs_a_workflow(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pstyle.cli.run.PACK_ROOT", make_pack(place / "pack"))
    nodes = {
        "1": ("Color", {"width": 8, "seed": 7, "tint": "gray"}),
        "2": ("SaveImage", {"images": ("1", 0), "filename_prefix": "made"}),
    }
    (place / "flow.json").write_text(json.dumps(api(nodes)))
    code, out, err = call("run", "flow.json", "--output", "saved", "--set", "1.width=12")
    assert code == 0 and err == "" and out == [str(place / "saved" / "made_00001_.png")]
    assert open_image(out[0]).shape[3] == 12


def test_a_workflow_with_several_faults_is_still_one_line(
    call, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pstyle.cli.run.PACK_ROOT", make_pack(place / "pack"))
    (place / "flow.json").write_text(json.dumps(api({"1": ("Nothing", {}), "2": ("Less", {})})))
    code, _, err = call("run", "flow.json")
    assert code == 2 and err.count("\n") == 1 and "'1'" in err and "'2'" in err
