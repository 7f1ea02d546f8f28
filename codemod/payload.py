"""What is known of an uploaded payload: bytes, text, a file on disk, an open handle, or nothing."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import libcst as cst

from codemod.clients import Role
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.syntax import (
    argument,
    callee,
    is_bytes_literal,
    is_none,
    last_name,
    string_value,
    subscript_key,
)
from codemod.transfers import Given, Upload
from codemod.tree import LOOPS


class Form(enum.Enum):
    """What a payload expression gives."""

    BYTES = "bytes"
    TEXT = "str"
    BUFFER = "bytes, or something like them"
    UNKNOWN = "unknown"
    PATH = "path"
    HANDLE = "binary file object"
    TEXT_HANDLE = "text file object"


@dataclass(frozen=True, slots=True, eq=False)
class Payload:
    """The payload of one upload.

    Attributes:
        form: What ``node`` gives.
        node: The expression for the payload itself, its path or its handle; a part of the upload.
        at_start: For a handle, whether it is certain to stand at its first byte.
    """

    form: Form
    node: cst.BaseExpression
    at_start: bool = False


_TEXT_FUNCTIONS = frozenset(
    "json.dumps ujson.dumps simplejson.dumps str repr urllib.parse.urlencode"
    " textwrap.dedent".split()
)
_BYTES_FUNCTIONS = frozenset(
    "orjson.dumps pickle.dumps cloudpickle.dumps dill.dumps msgpack.packb msgpack.dumps bytes"
    " base64.b64encode base64.urlsafe_b64encode base64.standard_b64encode base64.b64decode"
    " gzip.compress zlib.compress bz2.compress lzma.compress struct.pack os.urandom".split()
)
_BYTES_METHODS = frozenset("tobytes to_bytes read_bytes SerializeToString to_parquet".split())
_TEXT_METHODS = frozenset("read_text hexdigest model_dump_json isoformat".split())
_SAME_METHODS = frozenset(
    "strip lstrip rstrip replace lower upper removeprefix removesuffix expandtabs format".split()
)
_PANDAS_OPTIONS = frozenset("index header sep orient lines columns na_rep date_format".split())
_HANDLE_MAKERS = frozenset(
    "io.BytesIO BytesIO tempfile.NamedTemporaryFile tempfile.TemporaryFile"
    " tempfile.SpooledTemporaryFile".split()
)
_ENCODINGS = frozenset("utf8 utf-8 utf_8 ascii latin-1 latin1 iso-8859-1 utf-16 cp1252".split())
_ANNOTATIONS = {
    "bytes": Form.BYTES,
    "str": Form.TEXT,
    "BytesIO": Form.HANDLE,
}


def payload_of(facts: Facts, upload: Upload) -> Payload:
    """Return what is known of an upload's payload."""
    node = upload.payload
    if upload.given is Given.PATH:
        return Payload(Form.PATH, node)
    if upload.via is not None and isinstance(upload.via.form, Form):
        return Payload(upload.via.form, node)
    opened = opened_path(facts, node)
    if opened is not None:
        return Payload(Form.PATH, opened)
    wrapped = wrapped_bytes(facts, node)
    if wrapped is not None:
        return Payload(Form.BYTES, wrapped)
    wrapped = _wrapped(facts, node)
    if wrapped is not None and form_of(facts, wrapped) is Form.UNKNOWN:
        return Payload(Form.BUFFER, wrapped)
    form = form_of(facts, node)
    if form is Form.HANDLE:
        return Payload(form, node, _stands_at_start(facts, node))
    return Payload(form, node)


def form_of(facts: Facts, node: cst.BaseExpression, steps: int = 0) -> Form:
    """Return what an expression gives, as far as the file says."""
    if steps > 25:
        return Form.UNKNOWN
    if string_value(node) is not None or isinstance(node, cst.FormattedString):
        return Form.TEXT
    if is_bytes_literal(node):
        return Form.BYTES
    if isinstance(node, cst.Name):
        return _form_of_definition(facts, facts.definitions.of(node), steps + 1)
    if isinstance(node, cst.Call):
        return _form_of_call(facts, node, steps + 1)
    if isinstance(node, cst.BinaryOperation):
        if isinstance(node.operator, (cst.Add, cst.Modulo)):
            left = form_of(facts, node.left, steps + 1)
            if left in (Form.BYTES, Form.TEXT):
                return left
            if isinstance(node.operator, cst.Add):
                right = form_of(facts, node.right, steps + 1)
                return right if right in (Form.BYTES, Form.TEXT) else Form.UNKNOWN
        return Form.UNKNOWN
    if isinstance(node, cst.ConcatenatedString):
        return Form.TEXT
    if isinstance(node, cst.IfExp):
        one = form_of(facts, node.body, steps + 1)
        return one if one is form_of(facts, node.orelse, steps + 1) else Form.UNKNOWN
    if isinstance(node, cst.NamedExpr):
        return form_of(facts, node.value, steps + 1)
    return Form.UNKNOWN


def _form_of_definition(facts: Facts, definition: Definition, steps: int) -> Form:
    if definition.kind in (Kind.MERGED, Kind.SHARED):
        origins = [one for one in definition.origins() if one is not definition]
        forms = {_form_of_definition(facts, origin, steps) for origin in origins if steps < 25}
        return forms.pop() if len(forms) == 1 else Form.UNKNOWN
    if definition.kind is Kind.AUGMENTED:
        form = _form_of_definition(facts, definition.sources[0], steps + 1) if steps < 25 else None
        return form if form in (Form.BYTES, Form.TEXT) else Form.UNKNOWN
    if isinstance(definition.node, cst.Param):
        param = definition.node
        form = _annotated(param.annotation)
        if form is not None and (param.default is None or not is_none(param.default)):
            return form if _callers_agree(facts, param, form, steps) else Form.UNKNOWN
        return Form.UNKNOWN
    if definition.kind in (Kind.ASSIGNED, Kind.WITH) and definition.value is not None:
        form = form_of(facts, definition.value, steps)
        if definition.kind is Kind.WITH and form not in (Form.HANDLE, Form.TEXT_HANDLE):
            return Form.UNKNOWN
        return form
    return Form.UNKNOWN


def _callers_agree(facts: Facts, param: cst.Param, form: Form, steps: int) -> bool:
    """Tell whether no call in the file gives something else than the annotation says."""
    function = facts.index.function(param)
    if not isinstance(function, cst.FunctionDef) or steps > 5:
        return True
    names = [one.name.value for one in (*function.params.posonly_params, *function.params.params)]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    position = names.index(param.name.value) if param.name.value in names else -1
    name = function.name.value
    mentions = (*facts.index.names.get(name, ()), *facts.index.attributes.get(name, ()))
    for mention in mentions:
        call = facts.index.parent[mention]
        if not isinstance(call, cst.Call) or call.func is not mention:
            continue
        given = argument(call.args, position, param.name.value)
        if given is not None and form_of(facts, given.value, steps + 10) not in (
            form,
            Form.UNKNOWN,
        ):
            return False
    return True


def _annotated(annotation: cst.Annotation | None) -> Form | None:
    if annotation is None:
        return None
    text = string_value(annotation.annotation) or last_name(annotation.annotation)
    return _ANNOTATIONS.get((text or "").strip())


def _form_of_call(facts: Facts, node: cst.Call, steps: int) -> Form:
    origin = facts.definitions.origin(node.func) or ""
    name = callee(node) or ""
    if origin in _TEXT_FUNCTIONS:
        return Form.TEXT
    if origin in _BYTES_FUNCTIONS:
        return Form.BYTES
    if origin in ("open", "io.open"):
        return _form_of_open(node, method=False)
    if name == "open" and _is_method_of_path(facts, node):
        return _form_of_open(node, method=True)
    if origin in _HANDLE_MAKERS:
        mode = argument(node.args, 0, "mode") if "tempfile" in origin else None
        text = string_value(mode.value) if mode is not None else "b"
        return Form.HANDLE if text is not None and "b" in text else Form.TEXT_HANDLE
    if origin in ("io.StringIO", "StringIO"):
        return Form.TEXT_HANDLE
    if isinstance(node.func, cst.Attribute):
        return _form_of_method(facts, node, node.func.value, name, steps)
    return _form_of_local(facts, node, steps)


def _is_method_of_path(facts: Facts, node: cst.Call) -> bool:
    """Tell ``Path(…).open("rb")`` from the ``open`` of an archive or a file system."""
    if not isinstance(node.func, cst.Attribute):
        return False
    made = facts.definitions.resolve(node.func.value)
    return isinstance(made, cst.Call) and facts.definitions.origin(made.func) == "pathlib.Path"


def _form_of_open(node: cst.Call, *, method: bool) -> Form:
    mode = argument(node.args, 0 if method else 1, "mode")
    if mode is None:
        return Form.TEXT_HANDLE
    text = string_value(mode.value)
    if text is None:
        return Form.UNKNOWN
    return Form.HANDLE if "b" in text else Form.TEXT_HANDLE


def _form_of_method(
    facts: Facts, node: cst.Call, receiver: cst.BaseExpression, name: str, steps: int
) -> Form:
    if name == "encode":
        return Form.BYTES if _encodes_text(facts, node, receiver, steps) else Form.UNKNOWN
    if name in facts.index.defined_functions:
        return _form_of_local(facts, node, steps)
    if name in _BYTES_METHODS and not (name == "to_parquet" and node.args):
        return Form.BYTES
    if name in _TEXT_METHODS:
        return Form.TEXT
    if name == "decode":
        known = form_of(facts, receiver, steps) is Form.BYTES
        return Form.TEXT if known else Form.UNKNOWN
    if name == "read" and _is_body_of_object(facts, receiver):
        return Form.BYTES
    if name in ("getvalue", "read") and not node.args:
        made = form_of(facts, receiver, steps)
        return {Form.HANDLE: Form.BYTES, Form.TEXT_HANDLE: Form.TEXT}.get(made, Form.UNKNOWN)
    if name in ("to_csv", "to_json") and _returns_text(node):
        return Form.TEXT
    if name == "join" or name in _SAME_METHODS:
        form = form_of(facts, receiver, steps)
        return form if form in (Form.BYTES, Form.TEXT) else Form.UNKNOWN
    return _form_of_local(facts, node, steps)


def _is_body_of_object(facts: Facts, node: cst.BaseExpression) -> bool:
    """Tell whether an expression is the ``Body`` of what ``get_object`` of an S3 client returns."""
    if not isinstance(node, cst.Subscript) or subscript_key(node) != "Body":
        return False
    made = facts.definitions.resolve(node.value)
    if not isinstance(made, cst.Call) or not isinstance(made.func, cst.Attribute):
        return False
    is_client = facts.clients.receiver(made.func.value).role is Role.S3
    return is_client and made.func.attr.value == "get_object"


def _encodes_text(facts: Facts, node: cst.Call, receiver: cst.BaseExpression, steps: int) -> bool:
    """Tell ``str.encode`` from the ``encode`` of a tokenizer, a codec or a token library."""
    if form_of(facts, receiver, steps) is Form.TEXT:
        return True
    if not node.args:
        return True
    encoding = argument(node.args, 0, "encoding")
    text = string_value(encoding.value) if encoding is not None else None
    return text is not None and text.lower() in _ENCODINGS


def _returns_text(node: cst.Call) -> bool:
    """Tell whether a pandas writer is called without a target, so that it returns the text."""
    names = {arg.keyword.value for arg in node.args if arg.keyword is not None}
    positional = any(arg.keyword is None for arg in node.args)
    return not positional and bool(names) and names <= _PANDAS_OPTIONS


def _form_of_local(facts: Facts, node: cst.Call, steps: int) -> Form:
    """Look into a function of the file that makes the payload."""
    function = facts.definitions.function_called(node)
    if function is None or function.asynchronous is not None or function.decorators:
        return Form.UNKNOWN
    forms = {
        form_of(facts, node.value, steps + 5)
        if isinstance(node.value, cst.BaseExpression)
        else Form.UNKNOWN
        for node in facts.index.exits[function]
    }
    if forms == {Form.UNKNOWN}:  # nothing that the function does says otherwise
        return _annotated(function.returns) or Form.UNKNOWN
    return forms.pop() if len(forms) == 1 else Form.UNKNOWN


def opened_path(facts: Facts, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the path of a handle that is opened right in the upload: ``Body=open(p, "rb")``."""
    if isinstance(node, cst.Call) and facts.definitions.origin(node.func) == "open":
        if _form_of_open(node, method=False) is Form.HANDLE:
            path = argument(node.args, 0, "file")
            return path.value if path is not None else None
    return None


def wrapped_bytes(facts: Facts, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return what ``BytesIO(data)`` wraps, if it is known to be bytes."""
    inner = _wrapped(facts, node)
    return inner if inner is not None and form_of(facts, inner) is Form.BYTES else None


def _wrapped(facts: Facts, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return what ``BytesIO(data)`` wraps, whatever it is."""
    if not isinstance(node, cst.Call) or callee(node) != "BytesIO" or len(node.args) != 1:
        return None
    is_known = facts.definitions.origin(node.func) in _HANDLE_MAKERS
    return node.args[0].value if is_known and not node.args[0].star else None


def _stands_at_start(facts: Facts, node: cst.BaseExpression) -> bool:
    """Tell whether nothing has moved a handle between its making and the upload.

    The last mention before the upload must be what makes the handle, or a ``seek(0)`` on a line
    of its own in the same block.
    """
    index = facts.index
    if not isinstance(node, cst.Name):
        return False
    definition = facts.definitions.of(node)
    if definition.node is None or not _has_one_name(facts, definition):
        return False
    loops = [above for above in index.ancestors(node) if isinstance(above, LOOPS)]
    if any(not index.inside(definition.node, loop) for loop in loops):
        return False
    mentions = facts.definitions.reads(definition)  # in the order of execution
    if any(index.function(name) is not index.function(node) for name in mentions):
        return False
    position = mentions.index(node)
    if not position:
        mode = _mode(definition.value)
        return mode is not None and mode.startswith("r") and "+" not in mode
    rewound = index.parent[mentions[position - 1]]
    call = index.parent[rewound]
    line = index.parent.get(index.parent[call])
    return (
        isinstance(rewound, cst.Attribute)
        and rewound.attr.value == "seek"
        and isinstance(call, cst.Call)
        and len(call.args) == 1
        and isinstance(call.args[0].value, cst.Integer)
        and call.args[0].value.value == "0"
        and isinstance(index.parent[call], cst.Expr)
        and isinstance(line, cst.SimpleStatementLine)
        and len(line.body) == 1
        and index.block(line) is index.block(index.statement(node))
    )


def _has_one_name(facts: Facts, definition: Definition) -> bool:
    """Tell whether a handle is known by one name only: ``a = b = open(…)`` gives it two."""
    assert definition.node is not None
    above = facts.index.parent[definition.node]
    if definition.kind is Kind.WITH:
        return True
    assign = facts.index.parent.get(above)
    return isinstance(assign, cst.Assign) and len(assign.targets) == 1


def _mode(value: cst.BaseExpression | None) -> str | None:
    """Return the mode that a handle was opened with; a ``BytesIO`` stands at its start."""
    if not isinstance(value, cst.Call):
        return None
    if callee(value) == "BytesIO":
        return "rb"
    if callee(value) == "open":
        mode = argument(value.args, 0 if isinstance(value.func, cst.Attribute) else 1, "mode")
        return string_value(mode.value) if mode is not None else None
    return None
