"""What a string expression means: literal text and holes, whatever way it is spelled.

Two expressions are the same string if their templates are equal. A hole carries the identity of the
value in it (which definition its names read), so equal source text with a rebinding in between does
not compare equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import libcst as cst


@dataclass(frozen=True, slots=True)
class Hole:
    """A part of a string that is only known when the program runs; equal if ``key`` is."""

    key: tuple[object, ...]
    text: str = field(compare=False)
    node: cst.CSTNode | None = field(compare=False, default=None)


#: Kinds of holes: the bucket and the key of a URI.
BUCKET_OF, KEY_OF = "bucket of", "key of"
#: Another kind: what follows a prefix.
REST_OF = "rest of"

Piece = str | Hole
Template = tuple[Piece, ...]

_RENDERER = cst.Module([])


def source(node: cst.CSTNode) -> str:
    """Return the source text of a node on one line, for messages and for comparing."""
    return " ".join(_RENDERER.code_for_node(node).split())


def normal(pieces: Iterable[Piece]) -> Template:
    """Join neighbouring text, drop empty text, and put URIs together that were taken apart."""
    out: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str):
            if not piece:
                continue
            if out and isinstance(out[-1], str):
                out[-1] += piece
                continue
        out.append(piece)
    for start in range(len(out) - 3):
        scheme, bucket, slash, key = out[start : start + 4]
        if slash == "/" and isinstance(scheme, str) and scheme.endswith("s3://"):
            uri = _taken_from(bucket, BUCKET_OF)
            if uri is not None and uri == _taken_from(key, KEY_OF):
                before = (*out[:start], scheme.removesuffix("s3://"))
                return normal((*before, *uri, *out[start + 4 :]))
    return tuple(out)


def _taken_from(piece: Piece, part: str) -> Template | None:
    if isinstance(piece, str) or piece.key[0] != part:
        return None
    uri = piece.key[1]
    assert isinstance(uri, tuple)
    return uri


def s3_uri(bucket: Template, key: Template) -> Template:
    """Return the template of ``s3://bucket/key``."""
    return normal(("s3://", *bucket, "/", *key))


def split_uri(uri: Template) -> tuple[Template, Template] | None:
    """Take ``s3://bucket/key`` apart again, if it is certain where the bucket ends."""
    rest = without_prefix(uri, ("s3://",)) if uri else None
    if rest is None:
        return None
    for position, piece in enumerate(rest):
        if isinstance(piece, str) and "/" in piece:
            end, _, start = piece.partition("/")
            return normal((*rest[:position], end)), normal((start, *rest[position + 1 :]))
    return None


def part_of_uri(uri: Template, part: str, text: str = "") -> Template:
    """Return the bucket or the key of a URI, as a hole where it is not known where that ends."""
    parts = split_uri(uri)
    if parts is not None:
        return parts[part == KEY_OF]
    return (Hole((part, uri), text or part),)


def rest_of(uri: Template, prefix: Template, *, anywhere: bool, text: str = "") -> Template:
    """Return what follows a prefix of a URI, as a hole where it is not known to begin with it.

    Args:
        uri: The URI.
        prefix: The prefix, up to and including a slash.
        anywhere: Whether the prefix is looked for, and may stand after ``s3://``. A bucket's name
            has neither colon nor slash, so it cannot be found any earlier.
        text: How the code spells it.
    """
    rest = without_prefix(uri, prefix) if prefix else None
    if rest is None and anywhere and _is_bucket(prefix):
        rest = without_prefix(uri, normal(("s3://", *prefix)))
    return (Hole((REST_OF, uri, prefix, anywhere), text),) if rest is None else normal(rest)


def _is_bucket(prefix: Template) -> bool:
    """Tell whether a prefix is the name of a bucket and a slash."""
    last = prefix[-1] if prefix else ""
    texts = "".join(piece for piece in prefix if isinstance(piece, str))
    ends = isinstance(last, str) and last.endswith("/")
    return ends and texts.count("/") == 1 and ":" not in texts and prefix != ("/",)


def literal(template: Template) -> str | None:
    """Return the text of a template without holes."""
    if not template:
        return ""
    only = template[0] if len(template) == 1 else None
    return only if isinstance(only, str) else None


def basename(template: Template) -> Template:
    """Return what follows the last slash, as ``os.path.basename`` does."""
    for position in range(len(template) - 1, -1, -1):
        piece = template[position]
        if isinstance(piece, str) and "/" in piece:
            return normal((piece.rpartition("/")[2], *template[position + 1 :]))
    if literal(template) is not None:
        return template
    return (Hole(("basename", template), "the file's name"),)


def contains(outer: Template, inner: Template) -> bool:
    """Tell whether one template stands within another as a whole."""
    width = len(inner)
    if not width:
        return False
    for start in range(len(outer) - width + 1):
        window = outer[start : start + width]
        if window == inner:
            return True
        first, last = window[0], window[-1]
        if (
            window[1:-1] == inner[1:-1]
            and width > 1
            and _ends(first, inner[0])
            and _begins(last, inner[-1])
        ):
            return True
        if width == 1 and isinstance(first, str) and isinstance(inner[0], str):
            if inner[0] in first:
                return True
    return False


def _ends(whole: Piece, part: Piece) -> bool:
    if isinstance(whole, str) and isinstance(part, str):
        return whole.endswith(part)
    return whole == part


def _begins(whole: Piece, part: Piece) -> bool:
    if isinstance(whole, str) and isinstance(part, str):
        return whole.startswith(part)
    return whole == part


def same_object(uri: Template, bucket: Template, key: Template) -> bool:
    """Tell whether a URI names an object: ``s3://…`` or either ``https://…`` form.

    InvokeEndpointAsync takes both in ``InputLocation`` (AWS API reference).
    """
    if uri == s3_uri(bucket, key):
        return True
    if not uri or not isinstance(uri[0], str) or not uri[0].startswith("https://"):
        return False
    rest = without_prefix(uri, ("https://",))
    hosted = without_prefix(rest, bucket) if rest is not None else None
    if hosted and isinstance(hosted[0], str) and re.match(r"\.s3[.-]|\.s3$", hosted[0]):
        return _after_host(hosted) == key
    if rest and isinstance(rest[0], str) and re.match(r"s3[.-]", rest[0]):
        return _after_host(rest) == normal((*bucket, "/", *key))
    return False


def without_prefix(template: Template, prefix: Template) -> Template | None:
    """Return what follows a prefix; ``None`` if a template does not certainly begin with it."""
    pieces = list(template)
    for position, piece in enumerate(prefix):
        if not pieces:
            return None
        first = pieces.pop(0)
        if isinstance(piece, str) and isinstance(first, str):
            rest = first.removeprefix(piece)
            if not first.startswith(piece) or (rest and position + 1 < len(prefix)):
                return None
            if rest:
                pieces.insert(0, rest)
        elif first != piece:
            return None
    return tuple(pieces)


def _after_host(template: Template) -> Template | None:
    """Return what follows ``….amazonaws.com/``, with at most the region as a hole before it."""
    for position, piece in enumerate(template[:3]):
        if isinstance(piece, str):
            host, found, path = piece.partition(".amazonaws.com/")
            if found:
                return normal((path, *template[position + 1 :]))
            if "/" in host:
                return None
    return None


def may_match(one: Template, other: Template) -> bool:
    """Tell whether two templates with distinctive text in common could be the same string."""
    if not (one and other and _fit(one[0], other[0]) and _fit(one[-1], other[-1], at_end=True)):
        return False
    text_one, text_other = (
        "".join(piece if isinstance(piece, str) else "\0" for piece in template)
        for template in (one, other)
    )
    parts_one, parts_other = text_one.split("\0"), text_other.split("\0")
    if not any(
        len(part.strip("/.-_")) >= 2 and any(part in rest for rest in theirs)
        for mine, theirs in ((parts_one, parts_other), (parts_other, parts_one))
        for part in mine
    ):
        return False
    pattern_one, pattern_other = (
        ".*".join(re.escape(part) for part in text.split("\0")) for text in (text_one, text_other)
    )
    return bool(
        re.fullmatch(pattern_one, text_other.replace("\0", "x"), re.DOTALL)
        or re.fullmatch(pattern_other, text_one.replace("\0", "x"), re.DOTALL)
    )


def _fit(one: Piece, other: Piece, *, at_end: bool = False) -> bool:
    """Tell whether two strings can begin, or end, with these pieces."""
    if not isinstance(one, str) or not isinstance(other, str):
        return True
    longer, shorter = sorted((one, other), key=len, reverse=True)
    return longer.endswith(shorter) if at_end else longer.startswith(shorter)


def has_text(template: Template) -> bool:
    return any(isinstance(piece, str) for piece in template)
