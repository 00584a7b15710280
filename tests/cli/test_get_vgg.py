"""Protects `pstyle get-vgg`: the network lands in the model folder."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_get_vgg_fetches_into_the_model_folder(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple] = []

    def fetch(folder: Path, url: str | None, on_progress: object, overwrite: bool) -> Path:
        asked.append((folder, url, overwrite))
        return Path(folder) / "vgg19_imagenet.safetensors"

    monkeypatch.setattr("pstyle.cli.get_vgg.fetch_vgg", fetch)
    code, out, _ = call("get-vgg", "--url", "http://127.0.0.1:9/vgg19-dcbb9e9d.pth", "--overwrite")
    assert code == 0 and "vgg19_imagenet.safetensors" in out[0] and "--vgg vgg19_imagenet" in out[1]
    assert asked == [(place / "models" / "pstyle", "http://127.0.0.1:9/vgg19-dcbb9e9d.pth", True)]
