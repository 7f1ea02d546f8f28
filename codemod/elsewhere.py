"""Where the URI of an object may be spelled again: in other functions, in other turns of a loop."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import libcst as cst

from codemod.facts import Facts
from codemod.functions import sites
from codemod.identity import Identity
from codemod.inputs import METHOD
from codemod.pairing import Candidate
from codemod.reliance import asked
from codemod.resemblance import is_spelled_alike
from codemod.sharing import may_be_same_uri
from codemod.template import may_match
from codemod.transfers import Upload
from codemod.uploads import RECOGNISERS


def spelled_elsewhere(
    facts: Facts, candidate: Candidate, identity: Identity, others: Collection[cst.Call]
) -> Iterator[cst.BaseExpression]:
    """Yield what may be the URI of an object, put together in functions that upload none like it.

    In the function that uploads it is that of another turn of a loop, in the same words.

    Args:
        facts: The modules.
        candidate: The upload of the object, and its calls.
        identity: What is known of it.
        others: The calls that have an upload of their own, the candidate's among them.
    """
    index, upload = facts.index, candidate.upload
    here = index.function(upload.invocation.carrier)
    makers = {one for call in candidate.calls for one in asked(facts, upload, call.location)}
    skipped = {here, *identity.helpers, *makers, *map(index.function, others)}
    for name in (METHOD, *RECOGNISERS):  # these have objects of their own
        skipped.update(map(index.function, index.attributes.get(name, ())))
    for function in index.texts:
        if function not in skipped:
            for template, nodes in facts.templates.spelled(function).items():
                if may_be_same_uri(facts, template, upload.uri):
                    yield from nodes
    for maker in makers:
        for func in sites(facts, maker):
            call = index.parent[func]
            if isinstance(call, cst.Call) and index.function(call) not in skipped:
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
