"""Who else can see the uploaded object: what becomes of its key, its URI and the object itself."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import libcst as cst

from codemod import effects
from codemod.calls import LegacyCall
from codemod.clients import Role
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.invocations import Invocation, invocation
from codemod.pairing import Candidate, made_by
from codemod.syntax import (
    argument,
    callee,
    descendants,
    dotted,
    keyword,
    last_name,
    names_in,
    string_value,
    unwrap_await,
)
from codemod.template import Template, contains, literal, may_match


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


_READERS = frozenset(
    "get_object download_file download_fileobj head_object copy_object copy get_object_attributes"
    " select_object_content generate_presigned_url get_object_tagging put_object_tagging"
    " get_object_acl put_object_acl restore_object get download copy_from load"
    " read_file read_string_as_string download_data read_s3_file".split()
)
_CERTAIN_READERS = frozenset("get_object head_object copy_object download_fileobj".split())
_LISTERS = frozenset(
    "list_objects_v2 list_objects list_object_versions filter paginate all".split()
)
_DELETERS = frozenset("delete_object delete_objects delete".split())
#: A key without a slash or a dot may be any word of the program.
_TELLING = re.compile(r"\w[/.]\w")
_COLLECTORS = frozenset(
    "append appendleft add insert extend put put_nowait setdefault put_item set hset".split()
)
_LOCAL_FUNCTIONS = frozenset(
    "open remove unlink rmtree exists isfile getsize Path makedirs mkdir basename dirname join"
    " copyfile move rename stat abspath".split()
)
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
    cst.UnaryOperation,
)
_CONDITIONS = (cst.MatchValue, cst.Comparison, cst.ComparisonTarget, cst.If, cst.While, cst.Assert, cst.Raise)


class Visibility:
    """Follows everything that identifies one candidate's object through its function."""

    def __init__(self, facts: Facts, candidate: Candidate) -> None:
        self._facts = facts
        self._candidate = candidate
        self._own = {candidate.upload.invocation.carrier}
        self._own.update(call.invocation.carrier for call in candidate.calls)
        self._entries = {call.entry for call in candidate.calls if call.through is None}
        self.uses: list[Use] = []
        self._followed: set[Definition] = set()
        self.behind: set[Definition] = set()
        self.identifying = list(self._identifying())
        for definition in self.identifying:
            self._follow(definition)
        self._literals()
        self._operations()

    # -- what identifies the object --------------------------------------------------------

    def _identifying(self) -> Iterator[Definition]:
        """Yield the variables whose value holds the whole key or the URI."""
        upload = self._candidate.upload
        starts = []
        for call in self._candidate.calls:
            if call.through is None or isinstance(call.location, cst.Name):
                starts.append(call.location)
            yield from self._handed_on(call)
        starts.extend(node for node in (upload.key_node,) if node is not None)
        for arg in upload.invocation.args:
            if upload.key is None and arg.value is not upload.payload:
                starts.append(arg.value)
        receiver = upload.invocation.receiver
        if isinstance(receiver, cst.Name):
            if self._facts.clients.receiver(receiver).role is Role.OBJECT:
                yield self._facts.definitions.of(receiver)
        seen = self.behind
        stack = [name for node in starts for name in self._names(node)]
        while stack:
            definition = self._facts.definitions.of(stack.pop())
            if definition in seen:
                continue
            seen.add(definition)
            if definition.value is not None and definition.kind is Kind.ASSIGNED:
                stack.extend(names_in(definition.value))
            if definition.kind is not Kind.OUTSIDE and self._identifies(definition):
                yield definition

    def _handed_on(self, call: LegacyCall) -> Iterator[Definition]:
        """Yield the parameters in which functions get the URI on its way to the API."""
        while call.through is not None and call.through.inner is not None:
            call = call.through.inner
            self._own.add(call.invocation.carrier)
            if call.through is None:
                self._entries.add(call.entry)
            if isinstance(call.location, cst.Name):
                yield self._facts.definitions.of(call.location)

    def _names(self, node: cst.BaseExpression) -> Iterator[cst.Name]:
        """Yield the names in an expression, looking through attributes that were just set."""
        yield from names_in(node)
        for part in descendants(node):
            stored = self._facts.definitions.attribute_reads.get(part)
            if stored is not None and stored.node is not None and stored.value is not None:
                if self._identifies(stored):
                    self._add(Fate.STORED, stored.node, stored.name.lstrip("."))
                yield from names_in(stored.value)

    def _identifies(self, definition: Definition) -> bool:
        upload = self._candidate.upload
        value = definition.value
        if value is not None and upload.returns_uri and made_by(self._facts, value, upload):
            return True
        template = self._facts.templates.of_definition(definition)
        return contains(template, upload.key if upload.key is not None else upload.uri)

    def _literals(self) -> None:
        """Follow the key and the URI where they are written out again as plain strings."""
        upload = self._candidate.upload
        for template in (upload.key, upload.uri):
            text = literal(template or ())
            if not text or not _TELLING.search(text):
                continue
            for node in self._facts.index.strings.get(text, ()):
                if not any(above in self._own for above in self._facts.index.ancestors(node)):
                    self._trace(node, text)

    # -- where a variable goes -------------------------------------------------------------

    def _follow(self, definition: Definition) -> None:
        if definition in self._followed:
            return
        self._followed.add(definition)
        for name in self._facts.definitions.reads(definition):
            self._trace(name, definition.name)

    def _add(self, fate: Fate, node: cst.CSTNode, what: str) -> None:
        self.uses.append(Use(fate, node, what))

    def _trace(self, node: cst.CSTNode, what: str) -> None:  # noqa: PLR0911, PLR0912
        """Climb from a use to what is done with the value."""
        index = self._facts.index
        while True:
            above = index.parent[node]
            if node in self._entries or above in self._entries:
                return None
            if isinstance(above, _PASSING):
                node = above
            elif isinstance(above, (cst.Return, cst.Yield)):
                return self._add(Fate.RETURNED, above, what)
            elif isinstance(above, cst.Arg):
                call = index.parent[above]
                if not isinstance(call, cst.Call):  # a base class
                    return self._add(Fate.PASSED_ON, above, what)
                if call in self._own:
                    return None
                if self._ends_in_call(call, above, what):
                    return None
                node = call
            elif isinstance(above, cst.Attribute):
                called = index.parent[above]
                if self._is_read_of_object(node, above):
                    return self._add(Fate.READ, above, what)
                if not (isinstance(called, cst.Call) and called.func is above):
                    node = above
                elif effects.is_stable_call(called):
                    node = called
                else:
                    return self._method(called, above, what)
            elif isinstance(above, cst.Subscript):
                node = above
            elif isinstance(above, (cst.AssignTarget, cst.AugAssign, cst.Del)):
                if isinstance(node, (cst.Subscript, cst.Attribute)):
                    self._item_store(node, what)
                elif isinstance(above, cst.AugAssign) and isinstance(above.target, cst.Name):
                    self._follow(self._made(above.target, above))
                return None
            elif isinstance(above, (cst.Assign, cst.AnnAssign, cst.NamedExpr)):
                self._assigned(above, what)
                if not isinstance(above, cst.NamedExpr):
                    return None
                node = above
            elif isinstance(above, cst.IfExp):
                if above.test is node:
                    return None
                node = above
            elif isinstance(above, cst.BooleanOperation):
                node = above
            elif isinstance(above, (*_CONDITIONS, cst.Expr, cst.CompIf)):
                return None
            else:
                return self._add(Fate.PASSED_ON, above, what)

    def _is_read_of_object(self, node: cst.CSTNode, above: cst.Attribute) -> bool:
        """``obj.content_length`` asks S3 for the object; ``obj.key`` does not."""
        called = self._facts.index.parent[above]
        if isinstance(called, cst.Call) and called.func is above:
            return False
        if above.attr.value in ("key", "bucket_name", "meta") or not isinstance(node, cst.Name):
            return False
        return self._facts.clients.receiver(node).role is Role.OBJECT

    def _item_store(self, node: cst.Subscript | cst.Attribute, what: str) -> None:
        """``jobs[key] = …`` keeps the key; ``params["Accept"] = …`` changes our own dictionary."""
        if isinstance(node, cst.Subscript) and any(
            self._mentions_identity(part) for part in node.slice
        ):
            self._add(Fate.STORED, node, what)

    def _mentions_identity(self, node: cst.CSTNode) -> bool:
        return any(
            self._facts.definitions.of(name) in self._followed for name in names_in(node)
        )

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

    def _ends_in_call(self, call: cst.Call, arg: cst.Arg, what: str) -> bool:
        """Handle a value passed to a call; ``False`` means the call's result carries it on."""
        if effects.is_log(call):
            self._add(Fate.LOGGED, call, what)
            return True
        name = callee(call) or ""
        if name in _LOCAL_FUNCTIONS or effects.is_stable_call(call):
            return name in ("remove", "unlink", "open", "rmtree", "makedirs", "mkdir")
        above = self._facts.index.parent[call]
        if isinstance(above, cst.Raise):
            return True
        if isinstance(call.func, cst.Attribute):
            kind = self._operation(call.func.attr.value)
            if kind is not None:
                return True  # found again, and judged, by what it names
            if name == "wait":
                return True
            if name in ("put_object", "upload_file", "upload_fileobj", "Object", "Bucket"):
                return True
        if name == "partial" and any(arg.value in self._own for arg in call.args):
            return True
        if name in ("dict", "update") and self._is_parameters(call):
            return name == "update"
        self._add(Fate.STORED if name in _COLLECTORS else Fate.PASSED_ON, call, what)
        return True

    def _is_parameters(self, call: cst.Call) -> bool:
        made = {one.parameters_made for one in self._candidate.calls}
        return call in made or callee(call) == "dict"

    def _method(self, call: cst.Call, func: cst.Attribute, what: str) -> None:
        """A method called on the value itself, such as ``obj.delete()`` on an S3 object."""
        if call in self._own or effects.is_log(call):
            return
        name = func.attr.value
        if name in ("wait_until_exists", "wait_until_not_exists"):
            self._add(Fate.WAITED_FOR, call, what)
        elif name in _DELETERS:
            self._add(Fate.DELETED, call, what)
        elif name in _READERS:
            self._add(Fate.READ, call, what)
        elif name in ("append", "pop", "setdefault", "update", "add"):
            return
        else:
            self._add(Fate.PASSED_ON, call, what)

    # -- operations that name the object ---------------------------------------------------

    @staticmethod
    def _operation(name: str) -> Fate | None:
        if name in _READERS or name in _LISTERS:
            return Fate.READ
        return Fate.DELETED if name in _DELETERS else None

    def _operations(self) -> None:
        """Find S3 calls anywhere in the file whose key is, or may be, the object's."""
        facts, index = self._facts, self._facts.index
        key = self._candidate.upload.key
        if key is None:
            return
        names = (*_READERS, *_LISTERS, *_DELETERS, "wait")
        here = index.function(self._candidate.upload.invocation.carrier)
        for name in names:
            for func in index.attributes.get(name, ()):
                call = invocation(index, func)
                if call is None:
                    continue
                same_place = index.function(func) is here
                certain = self._names_object(call, name, key)
                if certain is None:
                    continue
                fate = Fate.WAITED_FOR if name == "wait" else self._operation(name)
                assert fate is not None
                if fate is Fate.READ and not (certain and same_place):
                    fate = Fate.MAY_BE_READ
                elif not certain and fate is Fate.DELETED and same_place:
                    continue
                if not any(use.node is call.carrier for use in self.uses):
                    self._add(fate, call.carrier, last_name(func) or "")

    def _names_object(self, call: Invocation, name: str, key: Template) -> bool | None:
        """Tell whether an operation is on the object: certainly, perhaps, or not (``None``)."""
        facts = self._facts
        copied = keyword(call.args, "CopySource")
        if copied is None and name == "copy":
            copied = argument(call.args, 0, "CopySource")
        if copied is not None:
            return self._copies_object(copied, key)
        if self._is_other_bucket(call):
            return None
        if name in _LISTERS or keyword(call.args, "Prefix") is not None:
            return self._lists_object(call, key)
        found = self._key_of(call, name)
        if found is None:
            if name in _CERTAIN_READERS and any(arg.star == "**" for arg in call.args):
                return False
            several = keyword(call.args, "Delete")
            found_keys = _keys_in(several) if several is not None else []
            if several is not None and self._mentions_key(several):
                return True
        else:
            found_keys = [found]
        templates = [facts.templates.of(one) for one in found_keys]
        if key in templates:
            return True
        return False if any(may_match(template, key) for template in templates) else None

    def _copies_object(self, source: cst.Arg, key: Template) -> bool | None:
        """``CopySource`` is ``{"Bucket": …, "Key": …}`` or ``"bucket/key"``."""
        node = self._facts.definitions.resolve(source.value)
        if self._mentions_key(node) or contains(self._facts.templates.of(source.value), key):
            return True
        keys = [self._facts.templates.of(one) for one in _keys_in(node)]
        if key in keys:
            return True
        return False if any(may_match(one, key) for one in keys) else None

    def _key_of(self, call: Invocation, name: str) -> cst.BaseExpression | None:
        arg = keyword(call.args, "Key")
        if arg is None and name in ("download_file", "download_fileobj"):
            arg = argument(call.args, 1, "Key")
        if arg is None:
            made = self._facts.clients.receiver(call.receiver).made
            if made is not None and callee(made) == "Object":
                arg = argument(made.args, len(made.args) - 1, "key")
        return arg.value if arg is not None else None

    def _is_other_bucket(self, call: Invocation) -> bool:
        bucket = keyword(call.args, "Bucket")
        if bucket is None:
            return False
        one = literal(self._facts.templates.of(bucket.value))
        other = literal(self._candidate.upload.bucket or ())
        return bool(one and other) and one != other

    def _bucket_listed(self, call: Invocation) -> Template | None:
        """Return the bucket of a listing: an argument, or what ``.objects`` belongs to."""
        bucket = keyword(call.args, "Bucket")
        if bucket is not None:
            return self._facts.templates.of(bucket.value)
        objects = call.receiver
        if isinstance(objects, cst.Attribute) and objects.attr.value == "objects":
            made = self._facts.clients.receiver(objects.value).made
            name = argument(made.args, 0, "name") if made is not None else None
            return self._facts.templates.of(name.value) if name is not None else None
        return None

    def _lists_object(self, call: Invocation, key: Template) -> bool | None:
        prefix = keyword(call.args, "Prefix")
        if prefix is None:
            same = self._bucket_listed(call) == self._candidate.upload.bucket
            return True if same else None
        template = self._facts.templates.of(prefix.value)
        text, start = literal(template), key[0] if key else ""
        if text is not None:
            return True if isinstance(start, str) and start.startswith(text) else None
        if template == key[: len(template)]:
            return True
        return False if may_match(template, key) else None

    def _mentions_key(self, node: cst.CSTNode) -> bool:
        return any(
            self._facts.definitions.of(name) in self._followed for name in names_in(node)
        )


def _keys_in(node: cst.CSTNode) -> list[cst.BaseExpression]:
    """Return the values of every ``"Key": …`` in an argument such as ``CopySource``."""
    return [
        part.value
        for part in descendants(node)
        if isinstance(part, cst.DictElement) and string_value(part.key) == "Key"
    ]


_UPLOAD = re.compile(r"upload", re.IGNORECASE)
_KEPT = re.compile(r"\b(stored?|saved?|wrote|written|staged|copied|pushed|sent)\b", re.IGNORECASE)
_S3 = re.compile(r"\bs3\b|\bbucket\b", re.IGNORECASE)
#: "Uploading …" and "Input uploaded" speak of this upload even if they name nothing of it …
_BARE = re.compile(
    r"^\W*(\w+\W+)?(upload(ing|ed)?\b(?!\s+by))"
    r"|\b(input|payload|request|body|json|invocation)\b[^.]{0,30}\buploaded\b(?!\s+by)",
    re.IGNORECASE,
)
#: … and these speak of somebody else's.
_OTHERS = re.compile(
    r"\b(users?|clients?|customers?|process\w*|receiv\w*|accept\w*|handl\w*)\b[^.]*upload"
    r"|uploaded by",
    re.IGNORECASE,
)


def announces_upload(
    facts: Facts, statement: cst.CSTNode, behind: Collection[Definition]
) -> bool:
    """Tell whether a statement only logs that the payload was uploaded.

    Args:
        facts: The module.
        statement: The statement.
        behind: What the key and the URI of the object are made from; to say "stored x" of one
            of these is about the upload, too.
    """
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    if not isinstance(small, cst.Expr):
        return False
    call = unwrap_await(small.value)
    if not isinstance(call, cst.Call) or not effects.is_log(call):
        return False
    if any(effects.unstable_part(arg.value) is not None for arg in call.args):
        return False
    text = _text(call)
    if _OTHERS.search(text):
        return False
    names = {facts.definitions.of(name) for name in names_in(call)}
    is_about = not names.isdisjoint(behind) or _S3.search(text) is not None
    if is_about and (_UPLOAD.search(text) or _KEPT.search(text)):
        return True
    return _BARE.search(text) is not None


def _text(node: cst.CSTNode) -> str:
    """Return all literal text in an expression."""
    found = []
    stack = [node]
    while stack:
        current = stack.pop()
        text = string_value(current)
        if text is not None:
            found.append(text)
        elif isinstance(current, cst.FormattedStringText):
            found.append(current.value)
        else:
            stack.extend(current.children)
    return " ".join(found)


def is_response_name(facts: Facts, name: cst.Name, candidate: Candidate) -> bool:
    """Tell whether a name reads what the upload returned."""
    definition = facts.definitions.of(name)
    return (
        definition.kind is Kind.ASSIGNED
        and definition.value is not None
        and unwrap_await(definition.value) is unwrap_await(candidate.upload.uploading)
        and dotted(name) is not None
    )
