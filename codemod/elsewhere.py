"""Where the URI of an object may be spelled again: in other functions, in other turns of a loop."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property

import libcst as cst

from codemod.facts import Facts
from codemod.functions import sites
from codemod.identity import Identity
from codemod.inputs import METHOD
from codemod.pairing import Candidate
from codemod.reliance import asked
from codemod.resemblance import is_spelled_alike
from codemod.sharing import is_address, may_be_same_uri
from codemod.template import Template, may_match
from codemod.transfers import Upload
from codemod.uploads import RECOGNISERS


class Elsewhere:
    """Finds what may be the URI of an object, put together where none like it is uploaded."""

    def __init__(self, facts: Facts, own: Collection[cst.Call]) -> None:
        """Take the calls that have an upload of their own."""
        self._facts = facts
        self._own = own

    @cached_property
    def _busy(self) -> set[cst.CSTNode]:
        """The functions that upload or invoke objects of their own."""
        index = self._facts.index
        names = (METHOD, *RECOGNISERS)
        nodes = [*self._own, *(one for name in names for one in index.attributes.get(name, ()))]
        return set(map(index.function, nodes))

    @cached_property
    def _addresses(self) -> list[tuple[cst.CSTNode, Template, list[cst.BaseExpression]]]:
        """The URIs that other functions put together, each with its function."""
        return [
            (function, template, nodes)
            for function in self._facts.index.texts
            if function not in self._busy
            for template, nodes in self._facts.templates.spelled(function).items()
            if is_address(self._facts, template)
        ]

    def of(self, candidate: Candidate, identity: Identity) -> Iterator[cst.BaseExpression]:
        """Yield what may be the URI of the object of a candidate.

        In the function that uploads it is that of another turn of a loop, in the same words.
        """
        facts, index, upload = self._facts, self._facts.index, candidate.upload
        here = index.function(upload.invocation.carrier)
        makers = {one for call in candidate.calls for one in asked(facts, upload, call.location)}
        skipped = {here, *identity.helpers, *makers}
        for function, template, nodes in self._addresses:
            if function not in skipped and may_be_same_uri(facts, template, upload.uri):
                yield from nodes
        for maker in makers:
            for func in sites(facts, maker):
                call, around = index.parent[func], index.function(func)
                if isinstance(call, cst.Call) and around not in skipped | self._busy:
                    if _may_tell(facts, call, upload):
                        yield call
        for template, nodes in facts.templates.spelled(here).items():
            if template != upload.uri and is_spelled_alike(facts, template, upload):
                yield from (one for one in nodes if not index.within(one, identity.own))


def _may_tell(facts: Facts, call: cst.Call, upload: Upload) -> bool:
    """Tell whether what a function makes may be the URI or the key of an object."""
    template = facts.templates.of(call)
    loosely = facts.templates.loosely
    return may_be_same_uri(facts, template, upload.uri) or may_match(
        loosely(template), loosely(upload.key or ())
    )
