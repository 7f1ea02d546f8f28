"""Where two statements stand to each other: blocks, branches, loops, and what lies between."""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst

from codemod.index import Index
from codemod.syntax import callee, last_name, terminates
from codemod.tree import LOOPS, Block, LineOrCompound


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One compound statement on the way from a block down to a statement inside it."""

    statement: cst.BaseCompoundStatement
    part: cst.CSTNode


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """The stretch of code from one statement to a later one.

    Attributes:
        block: The innermost block that holds both.
        first: The statement of the block that is or holds the earlier one.
        last: The same for the later one.
        between: The statements of the block between these two.
        down_to_first: The compound statements from ``first`` down to the earlier statement.
        down_to_last: The same for the later one.
    """

    block: Block
    first: LineOrCompound
    last: LineOrCompound
    between: tuple[LineOrCompound, ...]
    down_to_first: tuple[Step, ...]
    down_to_last: tuple[Step, ...]

    @property
    def swallowing(self) -> Step | None:
        """The step in which an upload error may get lost on the way to the later statement."""
        passed = {step.statement for step in self.down_to_last}
        return next(
            (
                step
                for step in self.down_to_first
                if swallows(step) and step.statement not in passed
            ),
            None,
        )

    @property
    def is_flat(self) -> bool:
        """Whether both statements stand directly in the block."""
        return not self.down_to_first and not self.down_to_last


def span(index: Index, earlier: LineOrCompound, later: LineOrCompound) -> Span | None:
    """Return the stretch between two statements; ``None`` if one holds the other."""
    up_first = _blocks(index, earlier)
    up_last = _blocks(index, later)
    inner = {id(block): position for position, (block, _) in enumerate(up_last)}
    for block, first in up_first:
        found = inner.get(id(block))
        if found is None:
            continue
        last = up_last[found][1]
        if first is last:
            return _within_try(index, block, first, earlier, later)
        body = block.body
        start, end = index.position(first), index.position(last)
        if start > end:
            return None
        return Span(
            block,
            first,
            last,
            tuple(body[start + 1 : end]),  # type: ignore[arg-type]
            steps_to(index, earlier, block),
            steps_to(index, later, block),
        )
    return None


def _within_try(
    index: Index,
    block: Block,
    statement: LineOrCompound,
    earlier: LineOrCompound,
    later: LineOrCompound,
) -> Span | None:
    """Return the stretch from the body of a ``try`` to its ``else``, which comes after it."""
    if not isinstance(statement, (cst.Try, cst.TryStar)) or statement.orelse is None:
        return None
    if not index.inside(earlier, statement.body) or not index.inside(later, statement.orelse):
        return None
    down_to_first = steps_to(index, earlier, block)
    down_to_last = steps_to(index, later, block)
    return Span(block, statement, statement, (), down_to_first, down_to_last)


def _blocks(index: Index, statement: LineOrCompound) -> list[tuple[Block, LineOrCompound]]:
    """Return the blocks around a statement, innermost first, each with its own child."""
    found: list[tuple[Block, LineOrCompound]] = []
    current: LineOrCompound = statement
    while True:
        block = index.block(current)
        found.append((block, current))
        if isinstance(block, cst.Module):
            return found
        above = index.parent[block]
        if isinstance(above, (cst.FunctionDef, cst.ClassDef)):
            return found
        current = _owner(index, above)


def _owner(index: Index, node: cst.CSTNode) -> LineOrCompound:
    """Return the statement of a block that an ``else``, handler or ``elif`` belongs to."""
    while not isinstance(index.parent[node], (cst.Module, cst.IndentedBlock)):
        node = index.parent[node]
    assert isinstance(node, (cst.SimpleStatementLine, cst.BaseCompoundStatement))
    return node


def steps_to(index: Index, statement: LineOrCompound, outer: cst.CSTNode) -> tuple[Step, ...]:
    """Return the compound statements (each ``elif`` too) on the way down to a statement."""
    steps: list[Step] = []
    below: cst.CSTNode = statement
    for above in index.ancestors(statement):
        if above is outer:
            break
        if isinstance(above, cst.BaseCompoundStatement):
            steps.append(Step(above, below))
        below = above
    steps.reverse()
    return tuple(steps)


def swallows(step: Step) -> bool:
    """Tell whether an error in this part of a ``try`` or ``with`` lets the code after it run."""
    statement = step.statement
    if isinstance(statement, cst.With):
        return not all(_lets_errors_through(item.item) for item in statement.items)
    if isinstance(statement, (cst.Try, cst.TryStar)) and step.part is statement.body:
        return any(not terminates(handler.body) for handler in statement.handlers)
    return False


#: What context managers that never swallow an error are called.
_TRANSPARENT = re.compile(
    r"open|client|resource|session|temp|lock|semaphore|closing|file|executor|pool|span|trac|timer"
    r"|spinner|progress|tqdm|bar|chdir|connect|transaction|redirect|nullcontext|catch_warnings",
    re.IGNORECASE,
)


def _lets_errors_through(item: cst.BaseExpression) -> bool:
    """Tell whether a context manager is certain not to swallow errors, as far as names say."""
    name = callee(item) if isinstance(item, cst.Call) else last_name(item)
    return name is not None and _TRANSPARENT.search(name) is not None and name != "suppress"


def is_loop(step: Step) -> bool:
    """Tell whether a step leads into the repeated part of a loop."""
    return isinstance(step.statement, LOOPS) and step.part is step.statement.body


def is_always_run(step: Step) -> bool:
    """Tell whether entering the statement always runs this part, up to errors."""
    statement = step.statement
    if isinstance(statement, cst.With):
        return True
    if isinstance(statement, (cst.Try, cst.TryStar)):
        if step.part is statement.body or step.part is statement.finalbody:
            return True
        return step.part is statement.orelse and all(
            terminates(handler.body) for handler in statement.handlers
        )
    return False


def in_handler(index: Index, node: cst.CSTNode) -> bool:
    """Tell whether a node only runs where something failed in its function."""
    for above in index.ancestors(node):
        if isinstance(above, (cst.ExceptHandler, cst.ExceptStarHandler)):
            return True
        if isinstance(above, cst.FunctionDef):
            return False
    return False
