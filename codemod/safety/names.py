"""Do names and cells mean what the analysis takes them for?"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from codemod.cell_order import order_matters
from codemod.definitions import Kind
from codemod.facts import Facts
from codemod.inputs import METHOD
from codemod.invocations import Invocation
from codemod.layout import gone
from codemod.payload import Form
from codemod.proposals import Proposal
from codemod.refusals import Refusal
from codemod.reliance import asked
from codemod.replaced import replaced_by_name, replaced_method
from codemod.transfers import Upload

_GENERATED = {
    Form.UNKNOWN: ("len", "isinstance", "str", "bytes"),
    Form.BUFFER: ("len", "isinstance", "bytes"),
    Form.PATH: ("len", "open"),
}


def names_mean_what_they_say(case: Proposal) -> Refusal | None:
    """A parameter called ``len`` or a local ``json`` is not what the analysis takes it for."""
    function = case.facts.index.function(case.candidate.upload.uploading)
    walk = case.facts.definitions.walk(function)
    for text in _GENERATED.get(case.candidate.payload.form, ("len",)):
        is_local = text in walk.local
        if is_local or case.facts.definitions.free(text, function).kind is not Kind.OUTSIDE:
            return Refusal("name-shadowed", case.layout.uploading, text, f"rename {text}")
    functions = [function]
    if case.candidate.upload.via is not None:
        functions.append(case.candidate.upload.via.function)
    for one in functions:
        for name in case.facts.index.well_known_bound.get(one, ()):
            if _is_bound_here(case.facts, name):
                return Refusal("name-shadowed", name, name.value, f"rename {name.value}")
    return None


def _is_bound_here(facts: Facts, name: cst.Name) -> bool:
    definition = facts.definitions.of(name)
    shared = definition.sources if definition.kind is Kind.SHARED else [definition]
    kinds = {origin.kind for source in shared for origin in source.origins()}
    return not kinds <= {Kind.IMPORTED, Kind.OUTSIDE, Kind.UNBOUND}


def clients_are_what_they_seem(case: Proposal) -> Refusal | None:
    """A client may be an object of the house, or have got another method of a name."""
    for invocation, method in _clients_called(case):
        replaced = replaced_method(case.facts, method)
        if replaced is not None:
            return Refusal("name-shadowed", replaced, method)
        other = case.facts.clients.other_method(invocation.receiver, method)
        if other is not None:
            return Refusal("name-shadowed", other.name, method)
    return None


def functions_are_what_they_seem(case: Proposal) -> Refusal | None:
    """Something else may be put in the place of a function that is followed, or makes a key."""
    upload = case.candidate.upload
    for function in _followed(case):
        name, home = function.name.value, case.facts.index.module_of(function)
        replaced = replaced_by_name(case.facts, home, name)
        if replaced is not None:
            return Refusal("helper-overridden", replaced, name)
    for call in case.candidate.calls:
        for function, relied in asked(case.facts, upload, call.location).items():
            place = case.facts.rebound.get(relied)
            if place is not None:
                return Refusal("helper-overridden", function.name, relied[2], elsewhere=place)
    return None


def _clients_called(case: Proposal) -> Iterator[tuple[Invocation, str]]:
    """Yield the calls of AWS clients, each with the name of the method."""
    yield case.candidate.upload.innermost.invocation, case.candidate.upload.innermost.api
    for call in case.candidate.calls:
        inner = call.innermost
        if inner is not None:
            yield inner.invocation, METHOD


def _followed(case: Proposal) -> Iterator[cst.FunctionDef]:
    """Yield the functions on the way from the upload to the call, and those of key and URI."""
    upload: Upload | None = case.candidate.upload
    for call in case.candidate.calls:
        yield from asked(case.facts, case.candidate.upload, call.location)
        for one in call.inward():
            if one.through is not None:
                yield one.through.function
    while upload is not None and upload.via is not None:
        yield upload.via.function
        upload = upload.via.inner


def nobody_else_reads_the_names(case: Proposal) -> Refusal | None:
    """Another file may read a variable of the module that only an upload gives a value."""
    for name in gone(case.facts, case.layout):
        home = case.facts.index.module_of(name)
        place = case.facts.rebound.get((home, "", name.value))
        if place is not None:
            return Refusal("upload-response-used", name, name.value, elsewhere=place)
    return None


def nobody_lists_the_names(case: Proposal) -> Refusal | None:
    """``locals()``, ``eval`` and the like see names that come and go with a rewrite."""
    function = case.facts.index.function(case.candidate.upload.uploading)
    for text in ("locals", "vars", "eval", "exec", "dir", "globals"):
        for name in case.facts.index.names.get(text, ()):
            call = case.facts.index.parent[name]
            if not isinstance(call, cst.Call) or call.func is not name:
                continue
            if text in ("vars", "dir") and call.args:
                continue
            if case.facts.index.function(name) is function:
                return Refusal("name-shadowed", call, text, f"do without {text}()")
    for frame in case.facts.index.attributes.get("f_locals", ()):  # perhaps of this function
        return Refusal("name-shadowed", frame, "f_locals", "do without f_locals")
    return None


def cells_are_in_order(case: Proposal) -> Refusal | None:
    """That upload and call mean one object is proven for cells run from top to bottom."""
    return order_matters(case.facts, case.candidate)
