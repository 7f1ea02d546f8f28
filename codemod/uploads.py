"""The APIs that put a payload into S3: one plain recogniser for each form, in one table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import libcst as cst

from codemod.buckets import bucket_of, name_given
from codemod.clients import Receiver, Role
from codemod.detours import called_otherwise, roundabout
from codemod.dictionaries import entries
from codemod.facts import Facts
from codemod.functions import patched_alias
from codemod.invocations import Invocation, invocations
from codemod.options import has_one_name, held_names, leaves_alone
from codemod.refusals import Refusal
from codemod.syntax import argument, dict_items, dotted, is_none, keyword, string_value
from codemod.template import Hole, Template, basename, normal, s3_uri, source, split_uri
from codemod.transfers import Given, Upload

Recogniser = Callable[[Facts, Invocation, Receiver], Upload | None]

#: What a receiver of unknown origin is called when it is an S3 client after all.
_S3_NAME = re.compile(r"s3|boto|aws|bucket|client|resource", re.IGNORECASE)
_PASCAL = ("Bucket", "Key", "Filename", "Fileobj", "ExtraArgs")


def _looks_like_s3(call: Invocation, receiver: Receiver) -> bool:
    """Decide for a receiver nobody explains by its keywords and its name."""
    if receiver.role is not Role.UNKNOWN:
        return False
    if any(keyword(call.args, name) is not None for name in _PASCAL):
        return True
    name = dotted(call.receiver)
    return name is not None and _S3_NAME.search(name) is not None


def _options(
    facts: Facts, call: Invocation, extra: cst.Arg | None
) -> tuple[cst.BaseExpression | None, tuple[tuple[str | None, cst.CSTNode], ...]]:
    """Take ``ExtraArgs`` apart into its ContentType and the rest.

    A ContentType that is only there at times is one of the rest.
    """
    if extra is None or is_none(extra.value):
        return None, ()
    literal = dict_items(facts.definitions.resolve(extra.value))
    if literal is None or not _is_constant(facts, extra.value):
        held = held_names(facts, extra.value)
        return None, held if held is not None else ((None, extra),)
    content_type = next((value for key, value, _ in literal if key == "ContentType"), None)
    if content_type is not None and not facts.index.inside(content_type, call.carrier):
        if not _means_the_same(facts, content_type, call.carrier):
            return None, ((None, extra),)
    return content_type, tuple((key, node) for key, _, node in literal if key != "ContentType")


def _is_constant(facts: Facts, node: cst.BaseExpression) -> bool:
    """Tell whether a dictionary behind a name is only ever passed on as ``ExtraArgs``."""
    if not isinstance(node, cst.Name):
        return True
    definition = facts.definitions.of(node)
    if not has_one_name(facts, definition):
        return False
    for name in facts.definitions.reads(definition):
        above = facts.index.parent[name]
        if not isinstance(above, cst.Arg):
            return False
        call = facts.index.parent[above]
        if not isinstance(call, cst.Call) or not leaves_alone(facts, call, above):
            return False
    return True


def _object_of(
    facts: Facts, made: cst.Call | None
) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """Return bucket and key of ``s3.Object(b, k)`` or ``s3.Bucket(b).Object(k)``."""
    if made is None or not isinstance(made.func, cst.Attribute):
        return None
    owner = facts.clients.receiver(made.func.value)
    if owner.role is Role.BUCKET:
        bucket = name_given(owner.made)
        key = argument(made.args, 0, "key")
        return (bucket, key.value) if bucket is not None and key is not None else None
    first, second = argument(made.args, 0, "bucket_name"), argument(made.args, 1, "key")
    return (first.value, second.value) if first is not None and second is not None else None


def _put_like(
    facts: Facts,
    call: Invocation,
    bucket: cst.BaseExpression | Template,
    key: cst.BaseExpression,
    own: tuple[str, ...],
) -> Upload | None:
    body = keyword(call.args, "Body")
    if body is None:
        return None
    named = keyword(call.args, "ContentType")
    content_type = named.value if named is not None else None
    options: list[tuple[str | None, cst.CSTNode]] = []
    for arg in call.args:
        if arg.star == "**":
            merged, others = _options(facts, call, arg)
            content_type = merged if merged is not None else content_type
            options += others
        elif arg.keyword is None or arg.keyword.value not in (*own, "Body", "ContentType"):
            options.append((arg.keyword.value if arg.keyword else None, arg))
    return _upload(
        facts,
        call,
        body.value,
        Given.BODY,
        bucket,
        key,
        content_type,
        tuple(options),
    )


def _upload(
    facts: Facts,
    call: Invocation,
    payload: cst.BaseExpression,
    given: Given,
    bucket: cst.BaseExpression | Template,
    key: cst.BaseExpression,
    content_type: cst.BaseExpression | None,
    options: tuple[tuple[str | None, cst.CSTNode], ...],
) -> Upload:
    bucket_node = bucket if isinstance(bucket, cst.BaseExpression) else None
    bucket_template = (
        facts.templates.of(bucket) if isinstance(bucket, cst.BaseExpression) else bucket
    )
    key_template = facts.templates.of(key)
    return Upload(
        call,
        payload,
        given,
        bucket_template,
        key_template,
        s3_uri(bucket_template, key_template),
        content_type,
        options,
        bucket_node=bucket_node,
        key_node=key,
    )


def _put_object(facts: Facts, call: Invocation, receiver: Receiver) -> Upload | None:
    """``client.put_object(Bucket=, Key=, Body=)`` and ``bucket.put_object(Key=, Body=)``."""
    key = keyword(call.args, "Key")
    if key is None:
        return _put_unpacked(facts, call) if receiver.role in (Role.S3, Role.UNKNOWN) else None
    if receiver.role is Role.BUCKET:
        bucket = bucket_of(facts, call.receiver, receiver)
        return _put_like(facts, call, bucket, key.value, ("Key",))
    named = keyword(call.args, "Bucket")
    if named is None or receiver.role not in (Role.S3, Role.UNKNOWN):
        return None
    return _put_like(facts, call, named.value, key.value, ("Bucket", "Key"))


def _is_handed_on(facts: Facts, value: cst.BaseExpression) -> bool:
    """Tell whether a dictionary is what a function was given, which is no upload of its own."""
    return isinstance(value, cst.Name) and isinstance(facts.definitions.of(value).node, cst.Param)


#: What an upload cannot do without.
_NEEDED = frozenset(("Bucket", "Key", "Body"))


def _put_unpacked(facts: Facts, call: Invocation) -> Upload | None:
    """``client.put_object(**params)``, where it shows what ``params`` holds: never rewritten."""
    star = next((arg for arg in call.args if arg.star == "**"), None)
    if star is None:
        return None
    held = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
    for arg in call.args:
        for name in _NEEDED if arg.star == "**" and not _is_handed_on(facts, arg.value) else ():
            held.update((name, one.value) for one in islice(entries(facts, arg.value, name), 1))
    if not held.keys() >= _NEEDED:
        return None
    unlock = "pass Bucket, Key and Body by name"
    found = _upload(facts, call, held["Body"], Given.BODY, held["Bucket"], held["Key"], None, ())
    return replace(found, problem=Refusal("parameters-unclear", star, source(star.value), unlock))


def _put(facts: Facts, call: Invocation, receiver: Receiver) -> Upload | None:
    """``resource.Object(bucket, key).put(Body=)``."""
    if receiver.role is not Role.OBJECT:
        return None
    where = _object_of(facts, receiver.made)
    return _put_like(facts, call, *where, ()) if where is not None else None


def _transfer(facts: Facts, call: Invocation, receiver: Receiver) -> Upload | None:
    """``upload_file`` and ``upload_fileobj`` of client, bucket and object.

    ``(Filename|Fileobj, Bucket, Key, ExtraArgs, Callback, Config)``, less the bucket on a bucket
    and less bucket and key on an object (boto3 ``S3Transfer`` methods).
    """
    first = "Filename" if call.method == "upload_file" else "Fileobj"
    given = Given.PATH if call.method == "upload_file" else Given.HANDLE
    bucket: cst.BaseExpression | Template | None
    key: cst.BaseExpression | None
    if receiver.role is Role.OBJECT:
        where = _object_of(facts, receiver.made)
        if where is None:
            return None
        (bucket, key), after = where, 1
    elif receiver.role is Role.BUCKET:
        bucket, after = bucket_of(facts, call.receiver, receiver), 2
        key = _value(argument(call.args, 1, "Key"))
    elif receiver.role is Role.S3 or _looks_like_s3(call, receiver):
        bucket, after = _value(argument(call.args, 1, "Bucket")), 3
        key = _value(argument(call.args, 2, "Key"))
    else:
        return None
    payload = _value(argument(call.args, 0, first))
    if bucket is None or key is None or payload is None:
        return None
    content_type, options = _options(facts, call, argument(call.args, after, "ExtraArgs"))
    callback = argument(call.args, after + 1, "Callback")
    if callback is not None:
        options = (*options, ("Callback", callback))
    if any(arg.star for arg in call.args):
        options = (*options, (None, call.carrier))
    return _upload(facts, call, payload, given, bucket, key, content_type, options)


def _value(arg: cst.Arg | None) -> cst.BaseExpression | None:
    return arg.value if arg is not None else None


def _session_upload_data(facts: Facts, call: Invocation, receiver: Receiver) -> Upload | None:
    """``Session.upload_data(path, bucket, key_prefix="data", callback, extra_args)``.

    It returns ``s3://bucket/key_prefix/basename`` for a file (sagemaker SDK, ``session.py``).
    """
    if receiver.role is not Role.SAGEMAKER_SESSION and keyword(call.args, "key_prefix") is None:
        return None
    path = argument(call.args, 0, "path")
    if path is None:
        return None
    bucket = _session_bucket(facts, call, argument(call.args, 1, "bucket"))
    prefix = argument(call.args, 2, "key_prefix")
    prefix_template: Template = ("data",) if prefix is None else facts.templates.of(prefix.value)
    content_type, options = _options(facts, call, argument(call.args, 4, "extra_args"))
    callback = argument(call.args, 3, "callback")
    if callback is not None:
        options = (*options, ("Callback", callback))
    key = normal((*prefix_template, "/", *basename(facts.templates.of(path.value))))
    return Upload(
        call,
        path.value,
        Given.PATH,
        bucket,
        key,
        s3_uri(bucket, key),
        content_type,
        options,
        returns_uri=True,
    )


def _session_bucket(facts: Facts, call: Invocation, bucket: cst.Arg | None) -> Template:
    if bucket is not None:
        return facts.templates.of(bucket.value)
    owner = facts.templates.of(call.receiver)
    return (Hole(("default bucket", owner), "default_bucket()"),)


def _string_as_file(facts: Facts, call: Invocation, receiver: Receiver) -> Upload | None:
    """``upload_string_as_file_body(body, bucket, key, kms_key)`` of a session or ``S3Uploader``.

    The uploader's takes ``(body, desired_s3_uri, kms_key)``.
    """
    if receiver.role is Role.S3_UPLOADER:
        return _to_uri(facts, call, ("body", "desired_s3_uri"), Given.BODY)
    body, bucket, key = (
        _value(argument(call.args, position, name))
        for position, name in enumerate(("body", "bucket", "key"))
    )
    if body is None or bucket is None or key is None:
        return None
    kms = argument(call.args, 3, "kms_key")
    options: tuple[tuple[str | None, cst.CSTNode], ...] = ()
    if kms is not None:
        options = (("SSEKMSKeyId", kms),)
    found = _upload(facts, call, body, Given.BODY, bucket, key, None, options)
    return Upload(
        call,
        body,
        Given.BODY,
        found.bucket,
        found.key,
        found.uri,
        None,
        options,
        returns_uri=True,
        bucket_node=bucket,
        key_node=key,
    )


def _to_uri(facts: Facts, call: Invocation, names: tuple[str, str], given: Given) -> Upload | None:
    payload = argument(call.args, 0, names[0])
    where = argument(call.args, 1, names[1])
    if payload is None or where is None:
        return None
    uri = facts.templates.of(where.value)
    if given is Given.PATH:
        uri = normal((*uri, "/", *basename(facts.templates.of(payload.value))))
    kms = argument(call.args, 2, "kms_key")
    options: tuple[tuple[str | None, cst.CSTNode], ...] = ()
    if kms is not None:
        options = (("SSEKMSKeyId", kms),)
    bucket, key = split_uri(uri) or (None, None)
    return Upload(call, payload.value, given, bucket, key, uri, None, options, returns_uri=True)


def _uploader_upload(facts: Facts, call: Invocation, receiver: Receiver) -> Upload | None:
    """``S3Uploader.upload(local_path, desired_s3_uri, kms_key)``."""
    if receiver.role is not Role.S3_UPLOADER:
        return None
    return _to_uri(facts, call, ("local_path", "desired_s3_uri"), Given.PATH)


def _uploader_bytes(facts: Facts, call: Invocation, receiver: Receiver) -> Upload | None:
    """``S3Uploader.upload_bytes(b, s3_uri, kms_key)``."""
    if receiver.role is not Role.S3_UPLOADER:
        return None
    return _to_uri(facts, call, ("b", "s3_uri"), Given.BODY)


#: Method name to the function that recognises an upload by it.
RECOGNISERS: dict[str, Recogniser] = {
    "put_object": _put_object,
    "put": _put,
    "upload_file": _transfer,
    "upload_fileobj": _transfer,
    "upload_data": _session_upload_data,
    "upload_string_as_file_body": _string_as_file,
    "upload": _uploader_upload,
    "upload_bytes": _uploader_bytes,
}


def find_uploads(facts: Facts) -> list[Upload]:
    """Return every upload of a payload in the module, in source order."""
    funcs = [func for method in RECOGNISERS for func in facts.index.attributes.get(method, ())]
    found = []
    for func in sorted(funcs, key=facts.index.order.__getitem__):
        for call in invocations(facts.definitions, func):
            if facts.clients.is_foreign(call.receiver, call.method):
                break
            upload = RECOGNISERS[call.method](facts, call, facts.clients.receiver(call.receiver))
            if upload is not None:
                problem = _early_problem(facts, upload) or upload.problem
                found.append(replace(upload, problem=problem))
    for method, recognise in RECOGNISERS.items():
        for call in called_otherwise(facts, method):
            if not facts.clients.is_foreign(call.receiver, method):
                upload = recognise(facts, call, facts.clients.receiver(call.receiver))
                if upload is not None:
                    found.append(replace(upload, problem=roundabout(call)))
    index = facts.index
    return sorted(found, key=lambda one: index.order[index.statement(one.invocation.carrier)])


def _early_problem(facts: Facts, upload: Upload) -> Refusal | None:
    """What ``partial`` got was evaluated there, and is no argument of the call."""
    call = upload.invocation
    moved = (upload.payload, upload.bucket_node, upload.key_node, upload.content_type)
    patched = patched_alias(facts, call)
    if (
        patched is not None
        or call.early is None
        or not any(
            node is not None
            and facts.index.inside(node, call.early)
            and not _means_the_same(facts, node, call.carrier)
            for node in moved
        )
    ):
        return patched
    return Refusal("helper-as-value", call.early, source(call.early.func))


def _means_the_same(facts: Facts, node: cst.BaseExpression, at: cst.CSTNode) -> bool:
    """Tell whether an expression has the same value at another place as where it stands."""
    if isinstance(node, cst.Name):
        return facts.definitions.is_constant(node, at)
    return string_value(node) is not None
