"""Protects `pstyle inspect`: it prints what a style file holds."""

from __future__ import annotations


def test_inspect_tells_what_a_style_holds(call) -> None:
    code, out, err = call("inspect", "style.safetensors")
    assert code == 0 and err == ""
    told = dict(line.split(": ", 1) for line in out)
    assert (told["pictures"], told["steps"], told["note"]) == ("3", "7", "random")
    assert len(told["generator"]) == 64 and "license" in told
