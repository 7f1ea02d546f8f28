"""Everything that is known of a module, made once and asked by every later stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from codemod.cells import Borders, Cells
from codemod.clients import Clients
from codemod.definitions import Definitions
from codemod.evaluation import Templates
from codemod.index import Index, Linker, unlinked


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """The questions that can be asked about a module and those it is read with, by room."""

    index: Index
    definitions: Definitions
    templates: Templates
    clients: Clients
    cells: Cells

    @classmethod
    def of(
        cls,
        module: cst.Module,
        borders: Borders | None = None,
        others: Sequence[cst.Module] = (),
        linked: Linker = unlinked,
    ) -> Facts:
        """Walk a module and prepare the answers; most are worked out when first asked for.

        Args:
            module: The module.
            borders: Where the cells of a notebook begin that is joined to a module.
            others: The modules to read it together with.
            linked: Resolves what one of them imports from another.
        """
        index = Index(module, others, linked)
        definitions = Definitions(index)
        return cls(
            index,
            definitions,
            Templates(definitions),
            Clients(index, definitions),
            Cells(index, borders or {}),
        )
