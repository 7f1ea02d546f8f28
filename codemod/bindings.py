"""What a name can be bound to, and the environment that says what it is bound to now."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import libcst as cst


class Kind(enum.Enum):
    """How a name got its value."""

    ASSIGNED = "assigned"
    AUGMENTED = "augmented"
    PARAMETER = "parameter"
    WITH = "with"
    LOOP = "loop"
    UNPACKED = "unpacked"
    IMPORTED = "imported"
    DEFINED = "defined"
    CAPTURED = "captured"
    MERGED = "merged"
    UNBOUND = "unbound"
    SHARED = "shared"
    OUTSIDE = "outside"


@dataclass(eq=False, slots=True)
class Definition:
    """One way in which a name gets its value; compared by identity.

    Attributes:
        name: The name that is bound.
        kind: How.
        node: The target, parameter or statement that binds it, where there is one.
        value: The expression behind it: assigned, entered by ``with``, iterated or unpacked.
        sources: For a merged definition those it stands for, for ``+=`` the one before.
        made_at: Its place among the definitions of its scope, in the order of execution.
    """

    name: str
    kind: Kind
    node: cst.CSTNode | None = None
    value: cst.BaseExpression | None = None
    sources: list[Definition] = field(default_factory=list)
    made_at: int = -1

    def origins(self) -> list[Definition]:
        """Return the definitions that may have given the value, one or several."""
        found: list[Definition] = []
        seen: set[Definition] = set()
        stack = [self]
        while stack:
            current = stack.pop()
            if current in seen:
                continue
            seen.add(current)
            if current.kind in (Kind.MERGED, Kind.SHARED) and current.sources:
                stack.extend(reversed(current.sources))
            else:
                found.append(current)
        return found


class Environment:
    """Names to definitions at one point; a branch records only what it changes."""

    __slots__ = ("above", "here")

    def __init__(self, above: Environment | None = None) -> None:
        self.above = above
        self.here: dict[str, Definition] = {}

    def get(self, key: str) -> Definition | None:
        env: Environment | None = self
        while env is not None:
            found = env.here.get(key)
            if found is not None:
                return found
            env = env.above
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """What a walk over the statements of a scope found out.

    Attributes:
        bindings: The definitions of each name, in the order of execution.
        local: The names that belong to the scope.
        clock: How many definitions there were before each statement.
    """

    bindings: defaultdict[str, list[Definition]]
    local: set[str]
    clock: Mapping[cst.CSTNode, int]
