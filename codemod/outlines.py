"""What a module binds, imports and mentions, by ``ast``: enough to decide whether to read it.

``ast`` costs a tenth of LibCST, and most of the modules that are looked at are not read further.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from codemod.parsing import nodes_in, plain_tree

#: What a module has in it that starts a command which may upload.
_AWS = (b"aws s3", b'"aws"', b"'aws'", b"s5cmd", b"s3cmd")
#: Methods that upload, and what else a file must mention where the name alone says little.
_UPLOADING: dict[str, tuple[bytes, ...]] = {
    "put_object": (b"",),
    "upload_file": (b"",),
    "upload_fileobj": (b"",),
    "upload_data": (b"",),
    "upload_string_as_file_body": (b"",),
    "put": (b"Object", b"S3FileSystem", b"fsspec"),
    "upload": (b"S3Uploader", b"awswrangler", b"S3FileSystem", b"fsspec"),
    "upload_bytes": (b"S3Uploader",),
    "put_file": (b"S3FileSystem", b"fsspec"),
    "pipe": (b"S3FileSystem", b"fsspec"),
    "pipe_file": (b"S3FileSystem", b"fsspec"),
    "open": (b"smart_open", b"S3FileSystem", b"fsspec"),
    "write_bytes": (b"cloudpathlib", b"s3path"),
    "write_text": (b"cloudpathlib", b"s3path"),
    "to_csv": (b"s3://",),
    "to_json": (b"s3://",),
    "to_parquet": (b"s3://",),
    "create_multipart_upload": (b"",),
    "generate_presigned_url": (b"put_object",),
    "generate_presigned_post": (b"",),
    "load_string": (b"S3Hook",),
    "load_bytes": (b"S3Hook",),
    "load_file": (b"S3Hook",),
    "load_file_obj": (b"S3Hook",),
    "fput_object": (b"Minio",),
    "run": _AWS,
    "check_call": _AWS,
    "check_output": _AWS,
    "Popen": _AWS,
    "system": _AWS,
}

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Origin:
    """What an import names: a module, with dots in front if relative, and what it takes of it."""

    module: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ClassOutline:
    """The dotted names of the bases of a class, and the lines on which it gives names a value.

    ``getters`` are the names of its functions with decorators: properties, for all that is known.
    """

    bases: tuple[str, ...]
    bound: dict[str, int]
    getters: frozenset[str] = frozenset()


@dataclass(slots=True)
class Outline:
    """What a module says of its names.

    Attributes:
        imports: Names that an import binds, to what they may come from.
        exported: Those of them that are bound when the module is loaded, not within functions.
        stars: What everything is imported from.
        bound: Names that the module binds itself, not counting those inside functions.
        mentions: For each of them the dotted names that its definition mentions; under ``""``
            those of all the code.
        uploading: The names whose definition calls a method that uploads, ``""`` for any code.
        functions: Those of the bound names that are functions.
        classes: The classes by their name.
        stored: The attributes that are given a value, but for those of ``self``, and on which line.
        lines: The line of each statement of the module, those on one line included.
        replaced: What tests give another value by its name, as ``setattr`` and ``patch`` do:
            ``name`` or ``module.name``, and on which line.
    """

    imports: dict[str, set[Origin]] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)
    mentions: dict[str, set[str]] = field(default_factory=dict)
    uploading: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    classes: dict[str, ClassOutline] = field(default_factory=dict)
    stored: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)
    lines: tuple[int, ...] = ()


def outline(source: bytes | str) -> Outline | None:
    """Return the outline of a module, ``None`` if it is no Python that this Python can read."""
    tree = plain_tree(source)
    if tree is None:
        return None
    text = source.encode(errors="replace") if isinstance(source, str) else source
    uploading = {name for name, needed in _UPLOADING.items() if any(one in text for one in needed)}
    found = Outline(lines=tuple(statement.lineno for statement in tree.body))
    parts: dict[ast.stmt, _Part] = {}
    for statement in tree.body:
        nodes = nodes_in(statement)
        if nodes is None:
            return None
        parts[statement] = _Part.of(nodes, uploading)
        if isinstance(statement, ast.ClassDef):
            found.classes.setdefault(statement.name, _class(statement, nodes))
        _add_nodes(found, nodes)
    found.mentions[""] = set().union(*(part.mentions for part in parts.values()))
    if any(part.uploads for part in parts.values()):
        found.uploading.add("")
    for names, statement in _bindings(tree.body):
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            found.exported.update(names)
            continue
        part = parts.get(statement) or _Part.of(ast.walk(statement), uploading)
        for name in names:
            found.bound.add(name)
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.functions.add(name)
            if part.uploads:
                found.uploading.add(name)
            found.mentions.setdefault(name, set()).update(part.mentions)
    return found


def _add_nodes(found: Outline, nodes: Iterable[ast.AST]) -> None:
    """Add what the nodes of a statement say, wherever in it they stand."""
    for node in nodes:
        if isinstance(node, ast.Call):
            for replaced in _replaced(node):
                found.replaced.setdefault(replaced, node.lineno)
        elif isinstance(node, ast.Attribute):
            if not isinstance(node.ctx, ast.Load) and not _is_self(node.value):
                found.stored.setdefault(node.attr, node.lineno)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for name, origin in _imported(node):
                if name == "*":
                    found.stars.append(origin.module)
                else:
                    found.imports.setdefault(name, set()).add(origin)
        elif isinstance(node, ast.ClassDef):
            if node.name not in found.classes:
                found.classes[node.name] = _class(node, ast.walk(node))


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Origin]]:
    """Yield the names that an import binds, ``*`` for all, and what they come from."""
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            yield alias.asname or alias.name, Origin(module, alias.name)
        return
    for alias in node.names:
        top = alias.name.partition(".")[0]
        yield (alias.asname, Origin(alias.name)) if alias.asname else (top, Origin(top))


def _class(node: ast.ClassDef, nodes: Iterable[ast.AST]) -> ClassOutline:
    bases = tuple(name for base in node.bases if (name := _dotted(base)) is not None)
    bound = {name: statement.lineno for names, statement in _bindings(node.body) for name in names}
    for below in nodes:
        if isinstance(below, ast.Attribute) and isinstance(below.ctx, ast.Store):
            if _is_self(below.value):
                bound.setdefault(below.attr, below.lineno)
    getters = frozenset(
        one.name
        for one in node.body
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and one.decorator_list
    )
    return ClassOutline(bases, bound, getters)


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


#: What puts something else in the place of a name that is given as text, and how that is passed.
_REPLACERS = ("setattr", "patch", "object", "multiple")
_PASSED = ("new", "value", "side_effect", "new_callable")


def _replaced(call: ast.Call) -> Iterator[str]:
    """Yield ``name`` of ``setattr(x, "name", new)``, ``patch("a.name", new)`` and the like.

    A mock of ``unittest`` takes any arguments and is none, unless it hands them on.
    """
    last = (_dotted(call.func) or "").rpartition(".")[2]
    if last not in _REPLACERS:
        return
    if last == "multiple":
        yield from (one.arg for one in call.keywords if one.arg and not _takes_anything(one.value))
        return
    keywords = {one.arg: one.value for one in call.keywords}
    named = [keywords[name] for name in ("target", "attribute", "name") if name in keywords]
    for position, one in enumerate([*named, *call.args[:2]]):
        text = _text_of(one)
        if text is not None:
            rest = call.args[max(position - len(named), -1) + 1 :]
            given = [*rest, *(keywords[name] for name in _PASSED if name in keywords)]
            if not all(map(_takes_anything, given)):
                yield text
            return


def _text_of(node: ast.expr) -> str | None:
    """Return a text, of one that is put together the last name."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    parts = node.values[-1:] if isinstance(node, ast.JoinedStr) else []
    if isinstance(node, ast.BinOp):
        parts = [node.right]
    text = _text_of(parts[0]) if parts else None
    return text.rpartition(".")[2] if text is not None else None


def _takes_anything(node: ast.expr) -> bool:
    """Tell a mock, an error to be raised or plain values from a function of one's own."""
    if isinstance(node, ast.Call):
        name = (_dotted(node.func) or "").rpartition(".")[2]
        effects = [one.value for one in node.keywords if one.arg == "side_effect"]
        return name[:1].isupper() and all(map(_takes_anything, effects))
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = (_dotted(node) or "").rpartition(".")[2]
        return name.endswith(("Mock", "Error", "Exception")) or name == "DEFAULT"
    return isinstance(node, (ast.Constant, ast.List, ast.Tuple, ast.Dict))


def _bindings(body: Iterable[ast.stmt]) -> Iterator[tuple[list[str], ast.stmt]]:
    """Yield the names that the statements of a module bind, with the statement that does it."""
    for statement in body:
        if isinstance(statement, _Definition):
            yield [statement.name], statement
        elif isinstance(statement, ast.Assign):
            yield [name for target in statement.targets for name in _names(target)], statement
        elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
            yield list(_names(statement.target)), statement
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield [name for name, _ in _imported(statement)], statement
        else:
            for part in ("body", "orelse", "finalbody"):
                yield from _bindings(getattr(statement, part, ()))
            for handler in getattr(statement, "handlers", ()):
                yield from _bindings(handler.body)


def _names(target: ast.AST) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


@dataclass(frozen=True, slots=True)
class _Part:
    """The dotted names that a piece of code mentions, and whether it calls what uploads."""

    mentions: set[str]
    uploads: bool

    @classmethod
    def of(cls, nodes: Iterable[ast.AST], uploading: set[str]) -> _Part:
        """Make it of the nodes of the piece; ``uploading`` are the methods that upload."""
        mentions: set[str] = set()
        uploads = False
        for node in nodes:
            if isinstance(node, ast.Name):
                mentions.add(node.id)
            elif isinstance(node, ast.Attribute):
                uploads = uploads or node.attr in uploading
                dotted = _dotted(node)
                if dotted is not None:
                    mentions.add(dotted)
            elif isinstance(node, ast.Call):
                uploads = uploads or _fetched(node) in uploading
        return cls(mentions, uploads)


def _fetched(call: ast.Call) -> str | None:
    """Return the name of what ``getattr`` fetches."""
    is_fetching = isinstance(call.func, ast.Name) and call.func.id == "getattr"
    name = call.args[1] if is_fetching and len(call.args) > 1 else None
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None


def _dotted(node: ast.expr) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join((node.id, *reversed(parts)))
