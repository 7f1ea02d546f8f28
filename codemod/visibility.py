"""Who else can see the uploaded object: what becomes of its key, its URI and the object itself."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from codemod import effects
from codemod.calls import describe
from codemod.clients import Role
from codemod.definitions import Definition, Kind
from codemod.elsewhere import Elsewhere
from codemod.facts import Facts
from codemod.fields import read_again
from codemod.identity import Identity
from codemod.inputs import METHOD
from codemod.operations import DELETERS, LISTERS, READERS, WAITERS, Operations
from codemod.pairing import Candidate
from codemod.quiet import grows_in_place
from codemod.recipients import Handling, handling
from codemod.sharing import Sharing
from codemod.syntax import (
    callee,
    dotted,
    names_in,
    unwrap_await,
)
from codemod.template import literal, source


class Fate(enum.Enum):
    """What happens to a value that identifies the object."""

    RETURNED = "returned"
    STORED = "stored"
    PASSED_ON = "passed on"
    LOGGED = "logged"
    READ = "object read"
    MAY_BE_READ = "object perhaps read"
    WAITED_FOR = "object waited for"
    DELETED = "object deleted"


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """One use of the object, its key or its URI, with the node to point at."""

    fate: Fate
    node: cst.CSTNode
    what: str


#: A key without a slash or a dot may be any word of the program.
_TELLING = re.compile(r"\w[/.]\w")
_COLLECTORS = frozenset(
    "append appendleft add insert extend put put_nowait setdefault put_item set hset".split()
)
_LOCAL_FUNCTIONS = frozenset(
    "open remove unlink rmtree exists isfile getsize Path makedirs mkdir basename dirname join"
    " copyfile move rename stat abspath".split()
)
#: Calls that are told an object or a local file, and the parameters that say which.
_PLACES = frozenset("put_object upload_file upload_fileobj Object Bucket".split())
_WHERE = frozenset("Bucket Key bucket_name key name Filename Fileobj".split())
_PASSING = (
    cst.FormattedStringExpression,
    cst.FormattedString,
    cst.BinaryOperation,
    cst.ConcatenatedString,
    cst.Element,
    cst.StarredElement,
    cst.Tuple,
    cst.List,
    cst.Set,
    cst.Dict,
    cst.DictElement,
    cst.StarredDictElement,
    cst.Await,
    cst.Index,
    cst.SubscriptElement,
    cst.Slice,
    cst.Subscript,
    cst.BooleanOperation,
    cst.UnaryOperation,
)
_CONDITIONS = (
    cst.MatchValue,
    cst.Comparison,
    cst.ComparisonTarget,
    cst.If,
    cst.While,
    cst.Assert,
    cst.Raise,
)


class Visibility:
    """Follows everything that identifies one candidate's object through its function."""

    def __init__(
        self,
        facts: Facts,
        candidate: Candidate,
        others: Collection[cst.Call],
        sharing: Iterable[Sharing],
        elsewhere: Elsewhere,
    ) -> None:
        """Take the calls of the API that are judged on their own, besides the candidate's.

        Those that are ``sharing`` may invoke the candidate's object and have no other.
        ``elsewhere`` knows where its URI may be spelled again.
        """
        self._facts = facts
        self._others = others
        self._elsewhere = elsewhere
        self._candidate = candidate
        self._identity = identity = Identity(facts, candidate)
        self._followed: set[Definition] = set()
        self.uses: list[Use] = []
        for stored in identity.stored:
            assert stored.node is not None
            self._add(Fate.STORED, stored.node, stored.name.lstrip("."))
        for definition in list(identity.exact):
            self._follow(definition)
        self._literals()
        self._operations()
        for one in sharing:
            self._add_sharing(one)

    @property
    def behind(self) -> set[Definition]:
        """The variables that the key and the URI are made of."""
        return self._identity.behind

    # -- where the key and the URI go ------------------------------------------------------

    def _literals(self) -> None:
        """Follow the key and the URI where they are written out again as plain strings."""
        upload = self._candidate.upload
        for template in (upload.key, upload.told, upload.uri):
            text = literal(template or ())
            if not text or not _TELLING.search(text):
                continue
            for node in self._facts.index.strings.get(text, ()):
                if self._facts.index.within(node, self._identity.helpers):
                    continue
                if not any(
                    above in self._identity.own for above in self._facts.index.ancestors(node)
                ):
                    self._trace(node, text)
        again = read_again(self._facts, self._candidate, self._identity.own)
        perhaps = self._elsewhere.of(self._candidate, self._identity)
        for node in (*self._spelled_again(), *perhaps, *again):
            self._trace(node, source(node))

    def _spelled_again(self) -> Iterator[cst.BaseExpression]:
        """Yield what puts the key or the URI together anew, in the function that uploads."""
        upload, index = self._candidate.upload, self._facts.index
        wanted = [
            key
            for key in (upload.key, upload.told)
            if key is not None and any("/" in one for one in key if isinstance(one, str))
        ]
        for node in self._elsewhere.beside(self._candidate, wanted):
            if not index.within(node, self._identity.own) or self._is_attribute(node):
                yield node

    def _is_attribute(self, node: cst.CSTNode) -> bool:
        """Tell whether a value goes to the endpoint in ``CustomAttributes``."""
        return any(
            isinstance(above, cst.Arg)
            and above.keyword is not None
            and above.keyword.value == "CustomAttributes"
            for above in self._facts.index.ancestors(node)
        )

    def _follow(self, definition: Definition) -> None:
        if definition in self._followed:
            return
        self._followed.add(definition)
        shared = definition.name in self._facts.definitions.declared_elsewhere
        if shared and definition.node is not None:
            self._add(Fate.STORED, definition.node, definition.name)
        for name in self._facts.definitions.reads(definition):
            self._trace(name, definition.name)

    def _add(self, fate: Fate, node: cst.CSTNode, what: str) -> None:
        self.uses.append(Use(fate, node, what))

    def _trace(self, node: cst.CSTNode, what: str) -> None:
        """Climb from a use to what is done with the value."""
        current: cst.CSTNode | None = node
        while current is not None:
            above = self._facts.index.parent[current]
            if current in self._identity.entries or above in self._identity.entries:
                return
            current = self._carried_by(current, above, what)

    def _carried_by(self, node: cst.CSTNode, above: cst.CSTNode, what: str) -> cst.CSTNode | None:
        """Return what the value goes on in; ``None`` where its way ends, noted if it matters."""
        if isinstance(above, _PASSING):
            return above
        if isinstance(above, (*_CONDITIONS, cst.Expr, cst.CompIf)):
            return None
        if isinstance(above, cst.Arg):
            return self._through_argument(above, what)
        if isinstance(above, cst.Attribute):
            return self._through_attribute(node, above, what)
        if isinstance(above, (cst.AssignTarget, cst.AugAssign, cst.Del)):
            self._into_target(node, above, what)
            return None
        if isinstance(above, (cst.Assign, cst.AnnAssign, cst.NamedExpr)):
            self._assigned(above, what)
            return above if isinstance(above, cst.NamedExpr) else None
        if isinstance(above, cst.IfExp):
            return None if above.test is node else above
        is_returned = isinstance(above, (cst.Return, cst.Yield))
        self._add(Fate.RETURNED if is_returned else Fate.PASSED_ON, above, what)
        return None

    def _through_argument(self, arg: cst.Arg, what: str) -> cst.CSTNode | None:
        call = self._facts.index.parent[arg]
        if not isinstance(call, cst.Call):  # a base class
            self._add(Fate.PASSED_ON, arg, what)
            return None
        if call in self._identity.own:
            if self._is_sent(call, arg):
                self._add(Fate.PASSED_ON, arg, what)
            return None
        return None if self._ends_in_call(arg, call, what) else call

    def _is_sent(self, call: cst.Call, arg: cst.Arg) -> bool:
        """Tell whether an address goes to the endpoint as well, which may read the object by it.

        A key that is not like a path may be any number or name that the request has as well.
        """
        if arg.keyword is not None and arg.keyword.value == "CustomAttributes":
            return callee(call) == METHOD
        upload, index = self._candidate.upload, self._facts.index
        if call is not upload.invocation.carrier:
            return False
        if not any("/" in piece for piece in upload.key or ("/",) if isinstance(piece, str)):
            return False
        if upload.payload in index.parent:
            return index.inside(upload.payload, arg)
        made_of = {name.value for name in names_in(upload.payload)}
        return any(name.value in made_of for name in names_in(arg.value))

    def _through_attribute(
        self, node: cst.CSTNode, above: cst.Attribute, what: str
    ) -> cst.CSTNode | None:
        called = self._facts.index.parent[above]
        if self._is_read_of_object(node, above):
            self._add(Fate.READ, above, what)
            return None
        if not (isinstance(called, cst.Call) and called.func is above):
            return above
        if effects.is_stable_call(called):
            return called
        self._method(called, above, what)
        return None

    def _into_target(
        self, node: cst.CSTNode, above: cst.AssignTarget | cst.AugAssign | cst.Del, what: str
    ) -> None:
        """``jobs[key] = …`` keeps the key, and so does ``jobs += [key]`` if others know the list.

        ``params["Accept"] = …`` changes our own dictionary.
        """
        if isinstance(node, cst.Subscript):
            if any(self._mentions_identity(part) for part in node.slice):
                self._add(Fate.STORED, node, what)
        elif isinstance(above, cst.AugAssign) and isinstance(above.target, cst.Name):
            if grows_in_place(self._facts, above):
                self._add(Fate.STORED, above, what)
            else:
                self._follow(self._made(above.target, above))

    def _is_read_of_object(self, node: cst.CSTNode, above: cst.Attribute) -> bool:
        """``obj.content_length`` asks S3 for the object; ``obj.key`` does not."""
        called = self._facts.index.parent[above]
        if isinstance(called, cst.Call) and called.func is above:
            return False
        if above.attr.value in ("key", "bucket_name", "meta") or not isinstance(node, cst.Name):
            return False
        return self._facts.clients.receiver(node).role is Role.OBJECT

    def _mentions_identity(self, node: cst.CSTNode) -> bool:
        return any(self._facts.definitions.of(name) in self._followed for name in names_in(node))

    def _assigned(self, assign: cst.Assign | cst.AnnAssign | cst.NamedExpr, what: str) -> None:
        targets: list[cst.BaseExpression]
        if isinstance(assign, cst.Assign):
            targets = [target.target for target in assign.targets]
        else:
            targets = [assign.target]
        for target in targets:
            if isinstance(target, cst.Name):
                self._follow(self._made(target, assign))
            elif isinstance(target, (cst.Tuple, cst.List)):
                for element in target.elements:
                    if isinstance(element.value, cst.Name):
                        self._follow(self._made(element.value, assign))
            else:
                self._add(Fate.STORED, assign, what)

    def _made(self, target: cst.Name, statement: cst.CSTNode) -> Definition:
        walk = self._facts.definitions.walk(self._facts.index.function(target))
        for definition in walk.bindings.get(target.value, ()):
            if definition.node is target or definition.node is statement:
                return definition
        return self._facts.definitions.of(target)

    def _ends_in_call(self, arg: cst.Arg, call: cst.Call, what: str) -> bool:
        """Handle a value passed to a call; ``False`` means the call's result carries it on."""
        name = callee(call) or ""
        if name in self._facts.index.defined_functions:
            done = handling(self._facts, arg, call)
            self._add(Fate.PASSED_ON if done is Handling.KEPT else Fate.LOGGED, call, what)
            return done is not Handling.RETURNED
        if effects.is_log(call):
            self._add(Fate.LOGGED, call, what)
            return True
        if name in _LOCAL_FUNCTIONS or effects.is_stable_call(call):
            return name in ("remove", "unlink", "open", "rmtree", "makedirs", "mkdir")
        above = self._facts.index.parent[call]
        if isinstance(above, cst.Raise):
            return True
        if isinstance(call.func, cst.Attribute):
            if call.func.attr.value in (READERS | LISTERS | DELETERS | WAITERS):
                self._operation_on(call, what)
                return True
            if name == METHOD and call in self._others:
                return True
            if name in _PLACES and _says_where(call, arg):
                return True
        if name == "partial" and any(arg.value in self._identity.own for arg in call.args):
            return True
        if name in ("dict", "update") and self._is_parameters(call):
            return name == "update"
        self._add(Fate.STORED if name in _COLLECTORS else Fate.PASSED_ON, call, what)
        return True

    def _operation_on(self, call: cst.Call, what: str) -> None:
        """Note an S3 operation on the object itself; others are found by what they name."""
        index = self._facts.index
        if any(self._identity.is_same(arg.value) for arg in call.args):
            fate = _fate(callee(call) or "")
            here = index.function(self._candidate.upload.invocation.carrier)
            if fate is Fate.READ and index.function(call) is not here:
                fate = Fate.MAY_BE_READ
            if not any(use.node is call for use in self.uses):
                self._add(fate, call, callee(call) or what)

    def _is_parameters(self, call: cst.Call) -> bool:
        made: set[object] = {one.parameters_made for one in self._candidate.calls}
        made |= {one.entry for one in self._candidate.calls}
        return call in made or callee(call) == "dict"

    def _method(self, call: cst.Call, func: cst.Attribute, what: str) -> None:
        """A method called on the value itself, such as ``obj.delete()`` on an S3 object."""
        if call in self._identity.own or effects.is_log(call):
            return
        name = func.attr.value
        if name in ("wait_until_exists", "wait_until_not_exists"):
            self._add(Fate.WAITED_FOR, call, what)
        elif name in DELETERS:
            self._add(Fate.DELETED, call, what)
        elif name in READERS:
            self._add(Fate.READ, call, what)
        elif name in ("append", "pop", "setdefault", "update", "add"):
            return
        else:
            self._add(Fate.PASSED_ON, call, what)

    # -- operations that name the object ---------------------------------------------------

    def _operations(self) -> None:
        """Take account of the S3 calls anywhere in the file that name the object."""
        index = self._facts.index
        here = index.function(self._candidate.upload.invocation.carrier)
        upload = self._candidate.upload
        for operation in Operations(self._facts, upload, self._followed, self._identity.given):
            call = operation.invocation
            same_place = index.function(call.carrier) is here
            fate = _fate(call.method)
            if fate is Fate.READ and not (operation.is_certain and same_place):
                fate = Fate.MAY_BE_READ
            elif not operation.is_certain and (same_place or fate is Fate.WAITED_FOR):
                continue
            if not any(use.node is call.carrier for use in self.uses):
                self._add(fate, call.carrier, call.method)

    def _add_sharing(self, other: Sharing) -> None:
        """Note a call that invokes the object, or may, and for which nothing else is uploaded."""
        index, carrier = self._facts.index, other.call.invocation.carrier
        here = index.function(self._candidate.upload.invocation.carrier)
        is_read = other.is_certain and index.function(carrier) is here
        self._add(Fate.READ if is_read else Fate.MAY_BE_READ, carrier, describe(other.call))


def _says_where(call: cst.Call, arg: cst.Arg) -> bool:
    """Tell an argument that says where something goes from what is written or said of it."""
    if arg.keyword is not None:
        return arg.keyword.value in _WHERE
    return bool(arg.star) or list(call.args).index(arg) < len(("Filename", "Bucket", "Key"))


def _fate(method: str) -> Fate:
    if method in WAITERS:
        return Fate.WAITED_FOR
    return Fate.DELETED if method in DELETERS else Fate.READ


def is_response_name(facts: Facts, name: cst.Name, candidate: Candidate) -> bool:
    """Tell whether a name reads what the upload returned."""
    definition = facts.definitions.of(name)
    return (
        definition.kind in (Kind.ASSIGNED, Kind.UNPACKED)
        and definition.value is not None
        and unwrap_await(definition.value) is unwrap_await(candidate.upload.uploading)
        and dotted(name) is not None
    )
