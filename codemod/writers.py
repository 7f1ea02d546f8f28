"""Uploads by other libraries and programs, which write to S3 by an address.

They are found to name the calls that invoke what they wrote; nothing of it is rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from codemod.commands import sent_by_commands
from codemod.facts import Facts
from codemod.invocations import Invocation
from codemod.refusals import Refusal
from codemod.syntax import argument, dict_items, string_value
from codemod.template import Template, normal, s3_uri, source, split_uri
from codemod.transfers import Given, Upload

#: Methods of data frames that write where their first argument says.
_FRAMES = frozenset(
    "to_csv to_json to_parquet to_pickle to_feather to_excel to_orc to_xml"
    " write_csv write_json write_ndjson write_parquet".split()
)
_FRAME_TARGETS = ("path_or_buf", "path", "excel_writer", "file")
#: Methods of file systems, and which of their arguments says where to.
_FILE_SYSTEMS = {
    "put": (1, "rpath"),
    "put_file": (1, "rpath"),
    "upload": (1, "rpath"),
    "pipe": (0, "path"),
    "pipe_file": (0, "path"),
    "write_bytes": (0, "path"),
    "write_text": (0, "path"),
}
_PATH_MAKERS = re.compile(r"^(s3path|cloudpathlib)\.\w*Path(\.from_uri)?$")
_PATH_METHODS = ("write_bytes", "write_text", "upload_from")
_OPENERS = ("smart_open.open", "smart_open.smart_open", "fsspec.open")
#: Methods that are given bucket and key apart, by what makes the object that they are called on.
_Place = tuple[int, str]
_HOOK: tuple[_Place, _Place] = ((2, "bucket_name"), (1, "key"))
_APART: dict[str, dict[str, tuple[_Place, _Place]]] = {
    "boto3.s3.transfer.S3Transfer": {"upload_file": ((1, "bucket"), (2, "key"))},
    "airflow.providers.amazon.aws.hooks.s3.S3Hook": dict.fromkeys(
        ("load_string", "load_bytes", "load_file", "load_file_obj"), _HOOK
    ),
    "minio.Minio": dict.fromkeys(
        ("put_object", "fput_object"), ((0, "bucket_name"), (1, "object_name"))
    ),
}
#: Methods of clients that begin an upload which something else makes.
_BEGINNING = {
    "create_multipart_upload": ((-1, "Bucket"), (-1, "Key")),
    "generate_presigned_post": ((0, "Bucket"), (1, "Key")),
}
_PRESIGNING = "generate_presigned_url"
_METHODS = frozenset(
    (
        *_FRAMES,
        *_FILE_SYSTEMS,
        *_PATH_METHODS,
        *_BEGINNING,
        *(name for methods in _APART.values() for name in methods),
        _PRESIGNING,
        "open",
        "smart_open",
    )
)


def with_written(facts: Facts, uploads: list[Upload]) -> list[Upload]:
    """Return uploads together with what other libraries and programs upload, in source order."""
    index = facts.index
    found = list(uploads)
    for name in sorted({*_METHODS, *_openers(facts)}):
        for func in (*index.attributes.get(name, ()), *index.names.get(name, ())):
            call = index.parent[func]
            if not isinstance(call, cst.Call) or call.func is not func:
                continue
            uri = _written_by(facts, call, name)
            if uri is not None:
                found.append(_upload(facts, call, uri))
    found += (_upload(facts, call, uri, name) for call, uri, name in sent_by_commands(facts))
    return sorted(found, key=lambda one: index.order[index.statement(one.invocation.carrier)])


def _openers(facts: Facts) -> set[str]:
    """Return the names by which the modules import what opens an address."""
    imported = (facts.index.all_imported(module) for module in facts.index.modules)
    return {
        name for names in imported for name, origins in names.items() if origins & set(_OPENERS)
    }


def _upload(facts: Facts, call: cst.Call, uri: Template, command: str = "") -> Upload:
    func = call.func
    assert isinstance(func, (cst.Attribute, cst.Name))
    above = facts.index.parent[call]
    is_awaited = isinstance(above, cst.Await)
    whole = above if isinstance(above, cst.Await) else call
    args = tuple(call.args)
    made = Invocation(func, call, args, whole, is_awaited, is_indirect=False, named=command)
    bucket, key = split_uri(uri) or (None, None)
    problem = Refusal("upload-by-other-library", call, command or source(func))
    given = call.args[0].value if call.args else call
    return Upload(made, given, Given.BODY, bucket, key, uri, problem=problem)


def _written_by(facts: Facts, call: cst.Call, name: str) -> Template | None:
    """Return the address that a call writes to, if it is one of S3."""
    origin = facts.definitions.origin(call.func) or ""
    if origin.startswith("awswrangler.s3."):
        target = argument(call.args, 1, "path")
        return _address(facts, target)
    if origin in _OPENERS:
        return _opened(
            facts, call, argument(call.args, 0, "uri") or argument(call.args, 0, "urlpath")
        )
    if not isinstance(call.func, cst.Attribute):
        return None
    if name in _FRAMES:
        targets = (argument(call.args, 0, one) for one in _FRAME_TARGETS)
        return _address(facts, next((one for one in targets if one is not None), None))
    if name in _BEGINNING:
        return _apart(facts, call.args, _BEGINNING[name])
    if name == _PRESIGNING:
        return _presigned(facts, call)
    made = facts.definitions.resolve(call.func.value)
    maker = (facts.definitions.origin(made.func) or "") if isinstance(made, cst.Call) else ""
    if name in _APART.get(maker, ()):
        return _apart(facts, call.args, _APART[maker][name])
    if isinstance(made, cst.Call) and _is_of_s3(made, maker):
        if name == "open":
            return _opened(facts, call, argument(call.args, 0, "path"), bare=True)
        place = _FILE_SYSTEMS.get(name)
        return _address(facts, argument(call.args, *place), bare=True) if place else None
    if isinstance(made, cst.Call) and _PATH_MAKERS.search(maker):
        if name in _PATH_METHODS or (name == "open" and _writes(call, 0)):
            return _address(facts, argument(made.args, 0, "cloud_path"), bare=True)
    return None


def _apart(facts: Facts, args: Sequence[cst.Arg], places: tuple[_Place, _Place]) -> Template | None:
    """Return the address of a bucket and a key that are given apart."""
    bucket, key = (argument(args, *place) for place in places)
    if bucket is None or key is None:
        return None
    return s3_uri(facts.templates.of(bucket.value), facts.templates.of(key.value))


def _presigned(facts: Facts, call: cst.Call) -> Template | None:
    """Return where somebody may upload to by ``generate_presigned_url("put_object", …)``."""
    operation = argument(call.args, 0, "ClientMethod")
    params = argument(call.args, 1, "Params")
    if operation is None or string_value(operation.value) != "put_object" or params is None:
        return None
    items = dict_items(facts.definitions.resolve(params.value)) or ()
    given = [cst.Arg(value, keyword=cst.Name(name)) for name, value, _ in items if name is not None]
    return _apart(facts, given, ((-1, "Bucket"), (-1, "Key")))


def _is_of_s3(made: cst.Call, maker: str) -> bool:
    """Tell whether a call makes a file system of S3."""
    if maker == "fsspec.filesystem":
        protocol = argument(made.args, 0, "protocol")
        return protocol is not None and string_value(protocol.value) in ("s3", "s3a")
    return maker.startswith("s3fs.") and maker.endswith("S3FileSystem")


def _address(facts: Facts, arg: cst.Arg | None, *, bare: bool = False) -> Template | None:
    """Return the address in an argument; of some libraries it may lack what it begins with."""
    if arg is None or arg.star:
        return None
    uri = facts.templates.of(arg.value)
    if uri and isinstance(uri[0], str) and uri[0].startswith("s3://"):
        return uri
    if bare:
        first = uri[0].lstrip("/") if uri and isinstance(uri[0], str) else ""
        rest = uri[1:] if uri and isinstance(uri[0], str) else uri
        return normal(("s3://", first, *rest))
    return None


def _opened(
    facts: Facts, call: cst.Call, arg: cst.Arg | None, *, bare: bool = False
) -> Template | None:
    return _address(facts, arg, bare=bare) if _writes(call, 1) else None


def _writes(call: cst.Call, place: int) -> bool:
    """Tell whether a file is opened to be written."""
    mode = argument(call.args, place, "mode")
    text = string_value(mode.value) if mode is not None else None
    return text is not None and text[:1] in ("w", "a", "x")
