"""Everything that is known of one module, made once and asked by every later stage."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from codemod.clients import Clients
from codemod.definitions import Definitions
from codemod.index import Index
from codemod.template import Templates


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """The questions that can be asked about a module, by room."""

    index: Index
    definitions: Definitions
    templates: Templates
    clients: Clients

    @classmethod
    def of(cls, module: cst.Module) -> Facts:
        """Walk a module and prepare the answers; most are worked out when first asked for."""
        index = Index(module)
        definitions = Definitions(index)
        return cls(index, definitions, Templates(definitions), Clients(index, definitions))
