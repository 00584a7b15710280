"""Protects `pstyle` itself: help comes quickly, exit codes are right, and faults are told apart."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from pstyle import cli

ROOT = Path(__file__).resolve().parents[2]


def test_a_name_cannot_write_to_the_terminal(call, place: Path) -> None:
    code, _, err = call("inspect", "a\x1b[31m\nb")
    assert code == 2 and "\x1b" not in err and err.count("\n") == 1


def test_a_fault_of_ours_is_not_called_bad_input(call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("pstyle.cli.inspect.inspect", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        call("inspect", "style.safetensors")


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help(command: str, call) -> None:
    code, out, err = call(command, "--help")
    assert code == 0 and err == "" and out[0].startswith(f"usage: pstyle {command}")


def test_help_and_version_come_without_torch() -> None:
    code = (
        "import sys; from pstyle.cli import main; codes = main(['--help']), main(['--version']); "
        "sys.exit(any(codes) or 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {name} " in done.stdout for name in cli.COMMANDS)


def test_python_dash_m_ends_with_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    for argv, code in ((["--version"], 0), (["bogus"], 2)):
        monkeypatch.setattr(sys, "argv", ["pstyle", *argv])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("pstyle", run_name="__main__")
        assert ended.value.code == code
