"""What an upload is, as a value: what goes where, and through which functions."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import libcst as cst

from codemod.imports import Needed
from codemod.invocations import Invocation
from codemod.refusals import Refusal
from codemod.template import Template
from codemod.tree import LineOrCompound


class Given(enum.Enum):
    """How an upload is given its payload."""

    BODY = "in memory or as a handle"
    PATH = "as the path of a file"
    HANDLE = "as a file object"


@dataclass(frozen=True, slots=True, eq=False)
class Extraction:
    """What moves out of a function that uploads.

    Attributes:
        statements: The statements that make the payload.
        payload: The expression for the payload in the upload.
        result: What the maker returns.
        is_text: Whether that is still to be encoded.
        handle: What makes a file object of the bytes again, if the upload takes one.
        keeps_name: Whether the variable with the payload is read by what stays.
    """

    statements: tuple[LineOrCompound, ...]
    payload: cst.BaseExpression
    result: cst.BaseExpression
    is_text: bool
    handle: cst.BaseExpression | None
    keeps_name: bool


@dataclass(frozen=True, slots=True, eq=False)
class Maker:
    """A function that makes a payload.

    Attributes:
        name: What it is called, or will be.
        arguments: The parameters of the function that uploads which it takes, by their names.
        is_async: Whether it is a coroutine.
        exists: Whether it is there already.
    """

    name: str
    arguments: tuple[cst.Param, ...]
    is_async: bool
    exists: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """How a function that uploads falls into making the payload and uploading it.

    Attributes:
        function: The function.
        maker: The function that makes the payload.
        own: What the function calls its object or class by, if it is a method.
        body: The optional keyword of the function for a payload that is there already.
        form: What the maker returns.
        making: What makes the payload in the function, if that has none.
        changes: Whether making it may change anything that is there before.
        extraction: What is to be changed, ``None`` if the function is split already.
        handed_to: The call that is to be handed the payload, in a function that only calls another.
        inner_body: The keyword by which that is done.
    """

    function: cst.FunctionDef
    maker: Maker
    own: str | None
    body: str
    form: enum.Enum
    making: tuple[cst.CSTNode, ...]
    changes: bool
    extraction: Extraction | None = None
    handed_to: Invocation | None = None
    inner_body: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to change."""
        return self.extraction is None and self.handed_to is None


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a function that uploads gives besides, as its caller can work it out.

    Attributes:
        value: The expression.
        imports: What the module of the caller must import for it.
    """

    value: cst.BaseExpression
    imports: frozenset[Needed]


@dataclass(frozen=True, slots=True, eq=False)
class Via:
    """The function of the file through which an upload is made.

    Attributes:
        function: The function that is called.
        inner: The upload inside it.
        form: What the payload expression gives there; ``None`` where it is just an argument.
        takes_bytes: Whether the function only uploads the argument, so that bytes will do.
        returns: What a call gives: ``uri``, ``key``, ``nothing`` or ``else``.
        items: The same for each item, if it gives a tuple or a dictionary.
        split: How the function falls into making the payload and uploading it, if it has to.
        importing: The import that must also name the function that makes the payload.
        handed: The parameter that the call hands on as the payload, if it does.
        results: The items that the caller can work out itself, if it reads them.
        answers: The items that tell how the upload went; ``None`` stands for the whole.
    """

    function: cst.FunctionDef
    inner: Upload
    form: enum.Enum | None
    takes_bytes: bool
    returns: str
    items: Mapping[int | str, str] = field(default_factory=dict)
    split: Split | None = None
    importing: cst.ImportFrom | None = None
    handed: cst.Param | None = None
    results: Mapping[int | str, Result] = field(default_factory=dict)
    answers: frozenset[int | str | None] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """An argument that gets a name, for a rewrite needs it twice and it may be evaluated once.

    ``name`` stands for it in the payload; it may be changed for one that is free.
    """

    name: cst.Name
    value: cst.BaseExpression


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """One call that uploads one object.

    Attributes:
        invocation: The call.
        payload: The expression for the payload, its path or its handle.
        given: Which of the three it is.
        bucket: The bucket, ``None`` where the upload is only given a whole URI.
        key: The key, likewise.
        uri: The ``s3://`` URI of the object.
        content_type: The ContentType that the object gets, if any.
        options: All other options of the upload by name; ``None`` as name for ``**something``.
        returns_uri: Whether the call returns the URI of the object.
        bucket_node: The expression for the bucket, where there is one.
        key_node: The expression for the key, where there is one.
        via: The function of the file that makes the upload, if this is a call of one.
        prepared: Arguments of such a call to evaluate before everything else, in order.
        problem: Why the upload cannot be followed through that function.
        doubt: What that function does besides, which might be missed.
        content_type_problem: Why that is not possible unless the call has a ContentType itself.
        imports: What the module must import for the payload of such a call.
        type_imports: What it must import for the ContentType.
        told: The key as it was given, where a function gives it back and ``key`` is its result.
        nonempty: The strings in which there must be text for the key and the bucket to be right.
    """

    invocation: Invocation
    payload: cst.BaseExpression
    given: Given
    bucket: Template | None
    key: Template | None
    uri: Template
    content_type: cst.BaseExpression | None = None
    options: tuple[tuple[str | None, cst.CSTNode], ...] = ()
    returns_uri: bool = False
    bucket_node: cst.BaseExpression | None = None
    key_node: cst.BaseExpression | None = None
    via: Via | None = None
    prepared: tuple[Prepared, ...] = ()
    problem: Refusal | None = None
    doubt: Refusal | None = None
    content_type_problem: Refusal | None = None
    imports: frozenset[Needed] = frozenset()
    type_imports: frozenset[Needed] = frozenset()
    told: Template | None = None
    nonempty: frozenset[Template] = frozenset()

    def splits(self) -> Iterator[Split]:
        """Yield how the functions on the way have to be split, the outermost first."""
        via = self.via
        while via is not None:
            if via.split is not None and not via.split.is_done:
                yield via.split
            via = via.inner.via

    def chain(self) -> Iterator[Upload]:
        """Yield the upload, that in the function which makes it, and so on to the one of boto3."""
        upload: Upload | None = self
        while upload is not None:
            yield upload
            upload = upload.via.inner if upload.via is not None else None

    @property
    def innermost(self) -> Upload:
        """The upload through boto3 that is made in the end."""
        return self if self.via is None else self.via.inner.innermost

    @property
    def api(self) -> str:
        """The name of the method that uploads."""
        return self.invocation.method

    @property
    def uploading(self) -> cst.BaseExpression:
        """The expression that uploads, ``await`` included."""
        return self.invocation.whole
