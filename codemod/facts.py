"""Everything that is known of one module, made once and asked by every later stage."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from codemod.cells import Borders, Cells
from codemod.clients import Clients
from codemod.definitions import Definitions
from codemod.evaluation import Templates
from codemod.index import Index


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """The questions that can be asked about a module, by room."""

    index: Index
    definitions: Definitions
    templates: Templates
    clients: Clients
    cells: Cells

    @classmethod
    def of(cls, module: cst.Module, borders: Borders | None = None) -> Facts:
        """Walk a module and prepare the answers; most are worked out when first asked for.

        ``borders`` tells where the cells of a notebook begin that is joined to a module.
        """
        index = Index(module)
        definitions = Definitions(index)
        return cls(
            index,
            definitions,
            Templates(definitions),
            Clients(index, definitions),
            Cells(index, borders or {}),
        )
