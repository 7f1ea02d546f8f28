"""S3 operations that name an object: reading, listing, copying, deleting, waiting."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.invocations import Invocation, invocations
from codemod.syntax import (
    argument,
    callee,
    descendants,
    dict_items,
    keyword,
    names_in,
    string_value,
)
from codemod.template import Template, contains, literal, may_match
from codemod.transfers import Upload

READERS = frozenset(
    "get_object download_file download_fileobj head_object copy_object copy get_object_attributes"
    " select_object_content generate_presigned_url get_object_tagging put_object_tagging"
    " get_object_acl put_object_acl restore_object get download copy_from load"
    " read_file read_string_as_string download_data read_s3_file".split()
)
_CERTAIN_READERS = frozenset(
    "get_object head_object copy_object download_fileobj get_object_tagging put_object_tagging"
    " put_object_acl get_object_acl restore_object get_object_attributes".split()
)
LISTERS = frozenset("list_objects_v2 list_objects list_object_versions filter paginate all".split())
DELETERS = frozenset("delete_object delete_objects delete".split())
WAITERS = frozenset(("wait",))


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation on an object; not certain if its key may also be another one."""

    invocation: Invocation
    is_certain: bool


class Operations:
    """Finds the operations of a file that are, or may be, on the object of one upload."""

    def __init__(
        self,
        facts: Facts,
        upload: Upload,
        known: Collection[Definition],
        given: Collection[Template] = (),
    ) -> None:
        """Take what the object is known by: variables, and the keys that callers give."""
        self._given = given
        self._facts = facts
        self._upload = upload
        self._known = known

    def __iter__(self) -> Iterator[Operation]:
        key = self._upload.key
        if key is None:
            return
        for name in (*READERS, *LISTERS, *DELETERS, *WAITERS):
            for func in self._facts.index.attributes.get(name, ()):
                for call in invocations(self._facts.definitions, func):
                    certain = self._names_object(call, name, key)
                    if certain is not None:
                        yield Operation(call, certain)

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
        if name in LISTERS or keyword(call.args, "Prefix") is not None:
            return self._lists_object(call, key)
        found = self._key_of(call, name)
        if found is None:
            unpacked = self._unpacked_key(call)
            if unpacked is not None:
                return True if facts.templates.of(unpacked) == key else None
            if name in _CERTAIN_READERS and any(arg.star == "**" for arg in call.args):
                return False
            several = keyword(call.args, "Delete") or keyword(call.args, "Params")
            found_keys = _keys_in(several) if several is not None else []
            if several is not None and self._mentions_key(several):
                return True
        else:
            found_keys = [found]
        templates = [facts.templates.of(one) for one in found_keys]
        if any(template == key or template in self._given for template in templates):
            return True
        return False if any(self._may_be(template, key) for template in templates) else None

    def _may_be(self, template: Template, key: Template) -> bool:
        """Tell whether a key may be that of the object, seen through functions that make keys."""
        loosely = self._facts.templates.loosely
        template = loosely(template)
        return may_match(template, loosely(key)) or may_match(template, self._inner_key)

    @cached_property
    def _inner_key(self) -> Template:
        """The key as the function that uploads spells it."""
        return self._facts.templates.loosely(self._upload.innermost.key or ())

    def _unpacked_key(self, call: Invocation) -> cst.BaseExpression | None:
        """Return the key in ``get_object(**where)`` if the dictionary can be seen."""
        for arg in call.args:
            items = dict_items(self._facts.definitions.resolve(arg.value)) if arg.star else None
            for name, value, _ in items or ():
                if name == "Key":
                    return value
        return None

    def _copies_object(self, source: cst.Arg, key: Template) -> bool | None:
        """``CopySource`` is ``{"Bucket": …, "Key": …}`` or ``"bucket/key"``."""
        node = self._facts.definitions.resolve(source.value)
        if self._mentions_key(node) or contains(self._facts.templates.of(source.value), key):
            return True
        keys = [self._facts.templates.of(one) for one in _keys_in(node)]
        if key in keys:
            return True
        return False if any(self._may_be(one, key) for one in keys) else None

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
        other = literal(self._upload.bucket or ())
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
            same = self._bucket_listed(call) == self._upload.bucket
            return True if same else None
        template = self._facts.templates.of(prefix.value)
        text, start = literal(template), key[0] if key else ""
        if text is not None:
            return True if isinstance(start, str) and start.startswith(text) else None
        if _begins(key, template):
            return True
        return False if self._may_be(template, key) else None

    def _mentions_key(self, node: cst.CSTNode) -> bool:
        return any(self._facts.definitions.of(name) in self._known for name in names_in(node))


def _begins(key: Template, prefix: Template) -> bool:
    """Tell whether a key begins with a prefix, which may end within a piece of its text."""
    *head, last = prefix
    if tuple(key[: len(head)]) != tuple(head) or len(key) <= len(head):
        return False
    piece = key[len(head)]
    if isinstance(piece, str) and isinstance(last, str):
        return piece.startswith(last)
    return piece == last


def _keys_in(node: cst.CSTNode) -> list[cst.BaseExpression]:
    """Return the values of every ``"Key": …`` in an argument such as ``CopySource``."""
    return [
        part.value
        for part in descendants(node)
        if isinstance(part, cst.DictElement) and string_value(part.key) == "Key"
    ]
