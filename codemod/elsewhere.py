"""Where the URI of an object may be spelled again: in other functions, in other turns of a loop."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property

import libcst as cst

from codemod.facts import Facts
from codemod.functions import sites
from codemod.identity import Identity
from codemod.inputs import METHOD
from codemod.pairing import Candidate
from codemod.reliance import asked
from codemod.resemblance import is_only_itself, is_spelled_alike
from codemod.sharing import is_address, may_be_same_uri
from codemod.syntax import descendants, last_name
from codemod.template import Hole, Template, contains, may_match
from codemod.transfers import Upload
from codemod.uploads import RECOGNISERS

#: What a URI has in it near its beginning, however it is put together.
_SCHEME = "s3:"

_Text = tuple[Template, list[cst.BaseExpression]]


class Elsewhere:
    """Finds what may be the URI of an object, put together where none like it is uploaded."""

    def __init__(self, facts: Facts, own: Collection[cst.Call]) -> None:
        """Take the calls that have an upload of their own."""
        self._facts = facts
        self._own = own
        self._known: dict[cst.CSTNode, _Spelled] = {}

    @cached_property
    def _busy(self) -> set[cst.CSTNode]:
        """The functions that upload or invoke objects of their own."""
        index = self._facts.index
        names = (METHOD, *RECOGNISERS)
        nodes = [*self._own, *(one for name in names for one in index.attributes.get(name, ()))]
        return set(map(index.function, nodes))

    @cached_property
    def _starting(self) -> set[str]:
        """The names of what is given, or gives, text that a URI may begin with."""
        index = self._facts.index
        found: set[str] = set()
        texts = [one for text, nodes in index.strings.items() if _SCHEME in text for one in nodes]
        texts += [one for nodes in index.texts.values() for one in nodes if _has_scheme(one)]
        for node in texts:
            function = index.function(node)
            if isinstance(function, cst.FunctionDef):
                found.add(function.name.value)
            for part in descendants(index.statement(node)):
                if isinstance(part, (cst.AssignTarget, cst.AnnAssign)):
                    found.update(filter(None, map(last_name, descendants(part.target))))
        return found

    def _may_begin(self, node: cst.BaseExpression) -> bool:
        """Tell whether a text may be a URI, before anything is worked out."""
        return _has_scheme(node) or any(
            last_name(part) in self._starting
            for part in descendants(node)
            if isinstance(part, (cst.Name, cst.Attribute))
        )

    @cached_property
    def _addresses(self) -> list[tuple[cst.CSTNode, Template, cst.BaseExpression]]:
        """The URIs that other functions put together, each with its function."""
        templates = self._facts.templates
        return [
            (function, template, node)
            for function, nodes in self._facts.index.texts.items()
            if function not in self._busy
            for node in filter(self._may_begin, nodes)
            if is_address(self._facts, template := templates.of(node))
        ]

    def of(self, candidate: Candidate, identity: Identity) -> Iterator[cst.BaseExpression]:
        """Yield what may be the URI of the object of a candidate.

        In the function that uploads it is that of another turn of a loop, in the same words.
        """
        facts, index, upload = self._facts, self._facts.index, candidate.upload
        here = index.function(upload.invocation.carrier)
        makers = {one for call in candidate.calls for one in asked(facts, upload, call.location)}
        skipped = {here, *identity.helpers, *makers}
        for function, template, node in self._addresses:
            if function not in skipped and may_be_same_uri(facts, template, upload.uri):
                yield node
        for maker in makers:
            for func in sites(facts, maker):
                call, around = index.parent[func], index.function(func)
                if isinstance(call, cst.Call) and around not in skipped | self._busy:
                    if _may_tell(facts, call, upload):
                        yield call
        if any(isinstance(one, Hole) and is_only_itself(facts, one) for one in upload.uri):
            return
        for template, nodes in self._spelled(here).by_text.get(_text_of(upload.uri), ()):
            if template != upload.uri and is_spelled_alike(facts, template, upload):
                yield from (one for one in nodes if not index.within(one, identity.own))

    def beside(
        self, candidate: Candidate, wanted: Sequence[Template]
    ) -> Iterator[cst.BaseExpression]:
        """Yield what puts the URI of an object together anew, or has one of some keys in it.

        That is looked for in the function that uploads.
        """
        here = self._facts.index.function(candidate.upload.invocation.carrier)
        spelled, uri = self._spelled(here), candidate.upload.uri
        found = {uri: self._facts.templates.spelled(here).get(uri, ())}
        for key in wanted:
            found.update(spelled.holding(key))
        for nodes in found.values():
            yield from nodes

    def _spelled(self, function: cst.CSTNode) -> _Spelled:
        if function not in self._known:
            self._known[function] = _Spelled(self._facts.templates.spelled(function))
        return self._known[function]


class _Spelled:
    """The texts that a function puts together, by what they have in them."""

    def __init__(self, spelled: Mapping[Template, list[cst.BaseExpression]]) -> None:
        self.by_text: dict[object, list[_Text]] = {}
        self._by_hole: dict[Hole, list[_Text]] = {}
        self._every = list(spelled.items())
        for one in self._every:
            self.by_text.setdefault(_text_of(one[0]), []).append(one)
            for piece in dict.fromkeys(one[0]):
                if isinstance(piece, Hole):
                    self._by_hole.setdefault(piece, []).append(one)
        self._all_text = "\0".join(
            piece for one in spelled for piece in one if isinstance(piece, str)
        )

    def holding(self, key: Template) -> Iterator[_Text]:
        """Yield the texts that have a key in them as a whole."""
        hole = next((piece for piece in key if isinstance(piece, Hole)), None)
        if hole is not None:
            among = self._by_hole.get(hole, ())
        else:
            among = self._every if "".join(map(str, key)) in self._all_text else ()
        yield from (one for one in among if contains(one[0], key))


def _text_of(template: Template) -> tuple[str | None, ...]:
    """Return the text of a template, with the places of what is not known."""
    return tuple(piece if isinstance(piece, str) else None for piece in template)


def _has_scheme(node: cst.CSTNode) -> bool:
    return any(
        _SCHEME in part.value
        for part in descendants(node)
        if isinstance(part, (cst.SimpleString, cst.FormattedStringText))
    )


def _may_tell(facts: Facts, call: cst.Call, upload: Upload) -> bool:
    """Tell whether what a function makes may be the URI or the key of an object."""
    template = facts.templates.of(call)
    loosely = facts.templates.loosely
    return may_be_same_uri(facts, template, upload.uri) or may_match(
        loosely(template), loosely(upload.key or ())
    )
