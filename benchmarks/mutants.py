"""Mutants of modules that their tests let live: how well the tests themselves are tested.

    python benchmarks/mutants.py pstyle/core/checkpoint.py -- tests/core/test_checkpoint.py
    python benchmarks/mutants.py pstyle/workflow/*.py --most 200 -- tests/test_workflow*.py -k "not very_long"

A mutant is the module with one change: an operator exchanged, a number moved by one, a check that is never
made or always, a call left out, a result lost. Each meets the tests in a forked process of its own, which
ends at the first that fails; a mutant that all of them pass has survived and is printed. What follows `--`
goes to pytest.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import SourceFileLoader
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEMORY_BYTES = 16 << 30  # of addresses; a mutant that allocates without end dies of it
FOREIGN = ("hypothesis", "numpy", "PIL.Image", "pytest", "safetensors.torch", "torch")
SLOWEST = 3.0  # times what the tests take without a mutant, and then it counts as killed
EXCHANGED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or,
    ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.LShift: ast.RShift, ast.BitXor: ast.BitAnd,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
UNTOLD = (ast.JoinedStr, ast.arg, ast.Import, ast.ImportFrom)  # messages, annotations, names: not mutated


@dataclass(frozen=True)
class Mutant:
    """One changed module: what stood in its line and what stands there now; which node changes, and how."""

    path: Path
    line: int
    before: str
    after: str
    source: str
    number: int  # of the node, in the order of `ast.walk`
    change: Callable[[ast.AST], None]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.before}  ->  {self.after}"

    def tree(self) -> ast.Module:
        """The changed module."""
        tree = ast.parse(self.source)
        self.change(next(islice(ast.walk(tree), self.number, None)))
        return ast.fix_missing_locations(tree)


def mutants(path: Path, source: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    passed_over, found = hidden(tree), []
    for number, node in enumerate(ast.walk(tree)):
        for change in changes(node) if id(node) not in passed_over else ():
            twin = deepcopy(node)
            change(twin)
            before, after = told(node), told(twin)
            if before != after:
                found.append(Mutant(path, node.lineno, before, after, source, number, change))
    return sorted(found, key=lambda mutant: mutant.line)


def hidden(tree: ast.Module) -> set[int]:
    """The `id` of every node that only makes a message, an annotation or a name."""
    nodes = [*ast.walk(tree)]
    roots = [node for node in nodes if isinstance(node, UNTOLD)]
    roots += [node.annotation for node in nodes if isinstance(node, ast.AnnAssign)]
    roots += [node.returns for node in nodes if isinstance(node, ast.FunctionDef) and node.returns]
    return {id(part) for root in roots for part in ast.walk(root)}


def changes(node: ast.AST) -> Iterator[Callable[[ast.AST], None]]:
    """What may be done to a node, or to its twin in a copy of the tree."""
    if isinstance(node, ast.Compare | ast.BoolOp | ast.BinOp):
        yield exchange
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        yield lambda twin: setattr(twin, "test", ast.Constant(False))
        if not isinstance(node, ast.While):
            yield lambda twin: setattr(twin, "test", ast.Constant(True))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield lambda twin: setattr(twin, "value", not twin.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield lambda twin: setattr(twin, "value", twin.value + 1)
        yield lambda twin: setattr(twin, "value", twin.value - 1)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield lambda twin: setattr(twin, "operand", ast.UnaryOp(ast.Not(), twin.operand))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda twin: setattr(twin, "op", ast.UAdd())
    elif isinstance(node, ast.Return | ast.Expr) and not isinstance(node.value, ast.Constant | None):
        yield lambda twin: setattr(twin, "value", ast.Constant(None))


def exchange(node: ast.AST) -> None:
    """Put another operator in place of the first that has one."""
    operators = node.ops if isinstance(node, ast.Compare) else [node.op]
    kinds = [EXCHANGED.get(type(one)) for one in operators]
    if kinds[0] is None:
        return
    if isinstance(node, ast.Compare):
        node.ops[0] = kinds[0]()
    else:
        node.op = kinds[0]()


def told(node: ast.AST) -> str:
    """A node in one short line."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def run_tests(arguments: list[str], mutant: Mutant | None, limit_seconds: float) -> tuple[bool, float]:
    """(whether all tests passed, seconds it took) in a process of its own, killed after the limit."""
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        meet(arguments, mutant)
    while time.monotonic() - start < limit_seconds:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0, time.monotonic() - start
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False, limit_seconds


def meet(arguments: list[str], mutant: Mutant | None) -> None:
    """Let the tests meet a mutant, and end the process; nothing of the library was imported before."""
    import pytest

    code = 1
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # half of the time of a test that fails at once
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        if mutant is not None:
            put_in_place(mutant)
        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *arguments]))
    finally:
        os._exit(code)


def put_in_place(mutant: Mutant) -> None:
    """Have Python find the mutant where it looks for the module's file."""
    usual = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str) -> object:
        if Path(loader.path) == mutant.path:
            return compile(mutant.tree(), loader.path, "exec")
        return usual(loader, name)

    SourceFileLoader.get_code = get_code


def main() -> None:
    """Print the mutants that survived, and their share."""
    split = sys.argv.index("--")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="+", type=Path, help="files to mutate")
    parser.add_argument("--most", type=int, default=10**6, help="how many mutants to draw of all there are")
    parser.add_argument("--seed", type=int, default=0, help="which ones are drawn")
    args = parser.parse_args(sys.argv[1:split])
    arguments = sys.argv[split + 1 :]
    for name in FOREIGN:  # once, and not anew in every process
        import_module(name)
    passed, seconds = run_tests(arguments, None, 3600)
    if not passed:
        raise SystemExit("the tests fail without a mutant")
    every = [one for path in args.modules for one in mutants(path.resolve(), path.read_text())]
    drawn = random.Random(args.seed).sample(every, min(args.most, len(every)))
    met = alive = 0
    try:
        for mutant in drawn:
            survived, _ = run_tests(arguments, mutant, SLOWEST * seconds + 10)
            met, alive = met + 1, alive + survived
            if survived:
                print(f"survived: {mutant}", flush=True)  # noqa: T201
    finally:  # also of a run that is interrupted, since the order is random
        share = 100 * (1 - alive / max(met, 1))
        print(f"mutants={met} of {len(every)} killed={met - alive} ({share:.1f} %)", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
