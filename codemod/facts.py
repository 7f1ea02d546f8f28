"""Everything that is known of a module, made once and asked by every later stage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import libcst as cst

from codemod.cells import Borders, Cells
from codemod.clients import Clients
from codemod.definitions import Definition, Definitions
from codemod.evaluation import Templates
from codemod.index import Index
from codemod.model import Place
from codemod.template import Template
from codemod.tree import LineOrCompound, Linker


class Accesses(NamedTuple):
    """The accesses to an attribute: by each class the methods of which may mean it, and others."""

    on_self: defaultdict[cst.ClassDef, list[cst.Attribute]]
    elsewhere: list[cst.Attribute]


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """The questions that can be asked about a module and those it is read with, by room.

    ``changeable`` are the modules that a fix may change, ``notebooks`` those that call functions of
    them and never change together with another file.
    ``sites``, ``ambiguous``, ``accesses``, ``ancestries`` and ``relatives`` keep what
    :mod:`codemod.functions` and :mod:`codemod.classes` found of who calls a function and what
    classes are made from, ``makers`` the names of functions to come, ``imports`` those of imports,
    ``changes`` where collections are changed. ``lookups`` and ``asked_for`` keep what
    :mod:`codemod.lookups` found in a function, ``uses`` what :mod:`codemod.inputs` found of the
    dictionaries with parameters, ``addresses`` what :mod:`codemod.sharing` made of URIs, ``asked``
    what :mod:`codemod.reliance` found in an upload.
    """

    index: Index
    definitions: Definitions
    templates: Templates
    clients: Clients
    cells: Cells
    rebound: Mapping[tuple[cst.Module, str, str], Place]
    changeable: Collection[cst.Module]
    notebooks: Collection[cst.Module]
    sites: dict[cst.FunctionDef, tuple[cst.Name | cst.Attribute, ...]] = field(default_factory=dict)
    ambiguous: dict[str, list[tuple[cst.Name | cst.Attribute, list[cst.CSTNode]]]] = field(
        default_factory=dict
    )
    accesses: dict[str, Accesses] = field(default_factory=dict)
    ancestries: dict[cst.ClassDef, frozenset[cst.ClassDef]] = field(default_factory=dict)
    relatives: dict[cst.ClassDef, set[cst.ClassDef]] = field(default_factory=dict)
    makers: dict[str, cst.FunctionDef] = field(default_factory=dict)
    imports: dict[tuple[cst.Module, str], cst.Module] = field(default_factory=dict)
    changes: dict[str, dict[cst.CSTNode, list[cst.CSTNode]]] = field(default_factory=dict)
    lookups: dict[cst.CSTNode, dict[object, list[LineOrCompound]]] = field(default_factory=dict)
    asked_for: dict[cst.CSTNode, set[str | None]] = field(default_factory=dict)
    uses: dict[Definition, Any] = field(default_factory=dict)
    asked: dict[tuple[object, cst.CSTNode], Any] = field(default_factory=dict)
    addresses: dict[Template, tuple[Template, Template] | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        module: cst.Module,
        borders: Borders | None = None,
        others: Sequence[cst.Module] = (),
        linked: Linker | None = None,
        rebound: Mapping[tuple[cst.Module, str, str], Place] | None = None,
        changeable: Collection[cst.Module] = (),
        notebooks: Collection[cst.Module] = (),
    ) -> Facts:
        """Walk a module and prepare the answers; most are worked out when first asked for.

        Args:
            module: The module.
            borders: Where the cells of a notebook begin that is joined to a module.
            others: The modules to read it together with.
            linked: Resolves what one of them imports from another.
            rebound: The names, by their module and class, that other files of the repository give
                another value, and where.
            changeable: Those of the others that may change.
            notebooks: Those of the others that are notebooks.
        """
        index = Index(module, others, linked)
        definitions = Definitions(index)
        return cls(
            index,
            definitions,
            Templates(definitions),
            Clients(index, definitions),
            Cells(index, borders or {}),
            rebound or {},
            (module, *changeable),
            notebooks,
        )
