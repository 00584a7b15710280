"""Protects workflow files: ids, inputs and outputs stay what contract.json froze, and only ever grow."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pstyle_pack.nodes import NODE_CLASSES

from pstyle.workflow.schema import read_schema
from tests import contract
from tests.contract import EXTEND, Contract, breaches, declared, node_breaches, read

NODE = {
    "required": {"image": "IMAGE", "size": "INT", "kind": ["a", "b"]},
    "optional": {"mask": "MASK", "losses": "HISTORY,LOSS_MAP"},
    "outputs": {"image": "IMAGE", "report": "STRING"},
}


def test_nothing_frozen_has_changed() -> None:
    assert breaches(read(), declared(NODE_CLASSES)) == []


def test_everything_is_frozen() -> None:
    now, frozen = declared(NODE_CLASSES), read()
    news = [node for node in now if json.dumps(now[node]) != json.dumps(frozen.get(node))]
    assert news == [], f"new inputs, outputs or nodes are to be frozen: run `{EXTEND}` and commit its file"


@pytest.mark.parametrize("node", NODE_CLASSES, ids=lambda node: node.__name__)
def test_older_workflow_files_can_do_without_what_is_optional(node: type) -> None:
    entries = [entry for entry in read_schema(node).inputs.values() if not entry.required]
    assert all("default" in entry.options for entry in entries if entry.is_widget)
    assert len({*node.RETURN_NAMES}) == len(node.RETURN_NAMES)  # else the contract could not tell them apart


def changed(part: str, entries: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {**NODE, part: entries}


@pytest.mark.parametrize(
    ("part", "entries", "told"),
    [
        ("required", {"image": "IMAGE", "size_px": "INT", "kind": ["a", "b"]}, "size_px"),
        ("required", {"image": "IMAGE", "size": "INT"}, "required"),
        ("required", {"size": "INT", "image": "IMAGE", "kind": ["a", "b"]}, "size, image, kind"),
        ("required", NODE["required"] | {"more": "INT"}, "append new inputs to the optional ones"),
        ("required", NODE["required"] | {"size": "FLOAT"}, "size no longer knows INT"),
        ("required", NODE["required"] | {"kind": ["a"]}, "kind no longer knows b"),
        ("optional", {"losses": "HISTORY,LOSS_MAP", "mask": "MASK"}, "optional began with mask, losses"),
        ("optional", {"mask": "MASK"}, "optional began"),
        ("optional", {"more": "INT"} | NODE["optional"], "append at the end"),
        ("optional", NODE["optional"] | {"losses": "HISTORY"}, "losses no longer knows LOSS_MAP"),
        ("outputs", {"picture": "IMAGE", "report": "STRING"}, "outputs began"),
        ("outputs", {"report": "STRING", "image": "IMAGE"}, "outputs began"),
        ("outputs", {"image": "IMAGE"}, "outputs began"),
        ("outputs", NODE["outputs"] | {"report": "FLOAT"}, "report no longer knows STRING"),
    ],
)
def test_a_breach_is_told(part: str, entries: dict[str, Any], told: str) -> None:
    assert any(told in sentence for sentence in node_breaches(NODE, changed(part, entries)))


@pytest.mark.parametrize(
    ("part", "entries"),
    [
        ("required", NODE["required"] | {"kind": ["c", "b", "a"]}),
        ("optional", NODE["optional"] | {"more": "INT"}),
        ("optional", NODE["optional"] | {"losses": "HISTORY,LOSS_MAP,FLOAT"}),
        ("outputs", NODE["outputs"] | {"score": "FLOAT"}),
    ],
)
def test_what_is_appended_breaks_nothing(part: str, entries: dict[str, Any]) -> None:
    assert [*node_breaches(NODE, changed(part, entries))] == []


def test_a_node_may_come_but_never_go() -> None:
    assert breaches({"A": NODE}, {"A": NODE, "B": NODE}) == []
    assert breaches({"A": NODE, "B": NODE}, {"A": NODE}) == [
        "B is gone: keep its class, with DEPRECATED = True"
    ]


def loaded(values: list[int], now: list[str]) -> dict[str, int]:
    """What a page reads into a node's widgets from a file that holds their values by their order."""
    return dict(zip(now, values, strict=False))


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdef"), unique=True))
def test_a_kept_contract_is_one_under_which_old_files_still_load(frozen: list[str], now: list[str]) -> None:
    """Against the page's own rule: each value of an old file must reach the widget it was saved from."""
    values = [ord(name) for name in frozen]
    loads = loaded(values, now) == dict(zip(frozen, values, strict=True))
    old, new = ({**NODE, "optional": dict.fromkeys(names, "INT")} for names in (frozen, now))
    assert loads == (not [*node_breaches(old, new)])


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "contract.json"
    monkeypatch.setattr(contract, "FILE", file)
    return file


def test_what_is_new_is_appended_to_the_file(written: Path) -> None:
    frozen: Contract = copy.deepcopy(read_shipped())
    frozen["PStylePaint"]["optional"].popitem()
    del frozen["PStyleScore"]
    written.write_text(json.dumps(frozen))
    contract.extend()
    assert json.loads(written.read_text()) == read_shipped()


def test_a_broken_contract_is_not_written_over(written: Path) -> None:
    frozen: Contract = copy.deepcopy(read_shipped())
    frozen["PStylePaint"]["required"]["gone"] = "INT"
    written.write_text(json.dumps(frozen))
    with pytest.raises(SystemExit, match=r"nothing is written[^\n]*\nPStylePaint: the required inputs were"):
        contract.extend()
    assert json.loads(written.read_text()) == frozen


def read_shipped() -> Contract:
    return json.loads(Path(contract.__file__).with_name("contract.json").read_text())
