"""Small programs around one upload and one call, and what is said of them.

Those that are rewritten are also run before and after.
"""

# ruff: noqa: E501, ISC004 - a program in a table is easier to read on one line

from __future__ import annotations

import pytest

from tests.snippets import program, rewritten, verdicts, what_differs

Case = tuple[str, str, str]

NAMES: list[Case] = [
    ("safe", "names that nobody changes", "UPLOAD\nCALL\nreturn response"),
    ("none", "the key is bound again",
     'UPLOAD\nname = name + "x"\nCALL'),
    ("none", "the key grows",
     'UPLOAD\nname += "x"\nCALL'),
    ("none", "the key is deleted and made anew",
     'UPLOAD\ndel name\nname = input()\nCALL'),
    ("none", "the key is bound by a loop",
     'UPLOAD\nfor name in seen:\n    pass\nCALL'),
    ("none", "the key is bound by a loop over pairs",
     'UPLOAD\nfor name, value in seen:\n    pass\nCALL'),
    ("none", "the key is bound by a with statement",
     'UPLOAD\nwith open("x") as name:\n    pass\nCALL'),
    ("none", "the key is bound by an import",
     'UPLOAD\nimport name\nCALL'),
    ("none", "the key is bound by a function",
     'UPLOAD\ndef name(): pass\nCALL'),
    ("none", "the key is bound by a class",
     'UPLOAD\nclass name: pass\nCALL'),
    ("none", "the key is bound by an except clause",
     'UPLOAD\ntry:\n    print()\nexcept OSError as name:\n    raise\nexcept ValueError as name:\n    print(name)\nCALL'),
    ("none", "the key is bound by a match statement",
     'UPLOAD\nmatch seen:\n    case [name]:\n        pass\nCALL'),
    ("none", "the key is bound by the rest of a match",
     'UPLOAD\nmatch seen:\n    case {"a": 1, **name}:\n        pass\nCALL'),
    ("none", "the key is bound by a starred match",
     'UPLOAD\nmatch seen:\n    case [1, *name]:\n        pass\nCALL'),
    ("none", "the key is bound by a walrus",
     'UPLOAD\nif (name := input()):\n    pass\nCALL'),
    ("none", "the key is unpacked",
     'UPLOAD\n[name, *rest] = seen\nCALL'),
    ("none", "the key is bound in one branch",
     'UPLOAD\nif seen:\n    name = "x"\nelif data:\n    pass\nelse:\n    print()\nCALL'),
    ("safe", "the key is bound in a branch that leaves",
     'UPLOAD\nif not name:\n    name = "x"\n    raise ValueError(name)\nCALL'),
    ("none", "the key is bound while something holds",
     'UPLOAD\nwhile seen:\n    name = "x"\n    seen.pop()\nelse:\n    print()\nCALL'),
    ("safe", "a comprehension has a name of its own",
     'UPLOAD\nlengths = [len(name) for name in seen if name]\nprint(lengths)\nCALL\nreturn response'),
    ("safe", "so has a dictionary comprehension",
     'UPLOAD\nprint({name: value for name in seen for value in name})\nCALL\nreturn response'),
    ("safe", "and a lambda",
     'UPLOAD\nshorten = lambda name, n=3, *, m=4: name[:n]\nprint(shorten("abcdef"))\nCALL\nreturn response'),
    ("safe", "and a function",
     'UPLOAD\ndef shorten(name):\n    return name[:3]\nprint(shorten("abcdef"))\nCALL\nreturn response'),
    ("none", "an item of the key's source is replaced",
     'parts = [name]\ns3.put_object(Bucket="inputs", Key=parts[0], Body=data)\nparts[0] = "x"\n'
     'runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://inputs/{parts[0]}")'),
    ("none", "an item of the key's source is deleted",
     'parts = [name, "x"]\ns3.put_object(Bucket="inputs", Key=parts[0], Body=data)\ndel parts[0]\n'
     'runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://inputs/{parts[0]}")'),
    ("none", "a method changes the key's source",
     'parts = [name, "x"]\ns3.put_object(Bucket="inputs", Key=parts[0], Body=data)\nparts.reverse()\n'
     'runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://inputs/{parts[0]}")'),
    ("none", "a function may change the key's source",
     'parts = [name, "x"]\ns3.put_object(Bucket="inputs", Key=parts[0], Body=data)\nseen(parts)\n'
     'runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://inputs/{parts[0]}")'),
    ("none", "an attribute of the key's source is replaced",
     's3.put_object(Bucket="inputs", Key=name.key, Body=data)\nname.key = "x"\n'
     'runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://inputs/{name.key}")'),
    ("none", "an attribute of the key's source grows",
     's3.put_object(Bucket="inputs", Key=name.key, Body=data)\nname.key += "x"\n'
     'runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://inputs/{name.key}")'),
    ("safe", "the address gets the name of the key",
     'uri = name\ns3.put_object(Bucket="inputs", Key=uri, Body=data)\nuri = f"s3://inputs/{name}"\n'
     'response = runtime.invoke_endpoint_async(EndpointName="e", InputLocation=uri)\nprint(uri)\nreturn response'),
]  # fmt: skip

PATHS: list[Case] = [
    ("upload-conditional", "only one branch uploads", "if data:\n    UPLOAD\nCALL"),
    ("upload-conditional", "only an elif uploads", "if data:\n    pass\nelif name:\n    UPLOAD\nCALL"),
    ("upload-conditional", "only a case uploads", "match data:\n    case b'x':\n        UPLOAD\nCALL"),
    ("upload-conditional", "a handler uploads", "try:\n    print()\nexcept OSError:\n    UPLOAD\nCALL"),
    ("safe", "else runs unless a handler leaves",
     "try:\n    print()\nexcept OSError:\n    raise\nelse:\n    UPLOAD\nCALL\nreturn response"),
    ("upload-conditional", "else does not run after a handler",
     "try:\n    print()\nexcept OSError:\n    print()\nelse:\n    UPLOAD\nCALL"),
    ("safe", "finally always runs", "try:\n    print()\nfinally:\n    UPLOAD\nCALL\nreturn response"),
    ("safe", "a with statement always runs", "with io.BytesIO():\n    UPLOAD\nCALL\nreturn response"),
    ("upload-in-loop", "the upload is repeated", "for turn in seen:\n    UPLOAD\nCALL"),
    ("upload-in-loop", "the upload is repeated while", "while seen:\n    UPLOAD\n    seen.pop()\nCALL"),
    ("safe", "both are repeated",
     "for turn in range(2):\n    UPLOAD\n    CALL\n    seen.append(response)\nreturn seen"),
    ("safe", "both are in a nested function",
     "def inner():\n    UPLOAD\n    CALL\n    return response\nreturn inner()"),
    ("none", "the call comes first", "CALL\nUPLOAD"),
    ("none", "the call is in another branch", "if data:\n    UPLOAD\nelse:\n    CALL"),
    ("several-uploads", "either branch uploads", "if data:\n    UPLOAD\nelse:\n    UPLOAD\nCALL"),
    ("call-deferred", "the call is in a lambda", "UPLOAD\nstart = lambda: RUN\nreturn start()"),
    ("call-deferred", "the call is in a generator",
     "UPLOAD\nreturn next(RUN for turn in range(3))"),
    ("shared-line", "the upload shares its line", "print(); UPLOAD\nCALL"),
    ("upload-in-expression", "the upload is in a list", "seen.append(UPLOAD)\nCALL"),
    ("upload-without-call", "a way out before the call",
     "UPLOAD\nif not data:\n    return None\nCALL"),
    ("upload-without-call", "the call is in one branch", "UPLOAD\nif data:\n    CALL"),
    ('upload-without-call', 'the call is one half of a choice',
     'UPLOAD\nreturn RUN if data else None'),
    ('upload-without-call', 'the call is the second alternative',
     'UPLOAD\nreturn seen or RUN'),
    ('upload-without-call', 'the call is in a case',
     "UPLOAD\nmatch data:\n    case b'':\n        pass\n    case _:\n        CALL"),
    ('safe', 'the other branch raises',
     'UPLOAD\nif data:\n    CALL\nelse:\n    raise ValueError\nreturn response'),
    ('safe', 'both branches call',
     'UPLOAD\nif name:\n    response = RUN\nelse:\n    response = RUN\nreturn response'),
    ('upload-without-call', 'a turn of the loop may end before the call',
     'for turn in seen:\n    UPLOAD\n    if turn:\n        continue\n    CALL'),
    ('safe', 'a handler leaves before the call',
     'UPLOAD\ntry:\n    print()\nexcept OSError:\n    return None\nCALL\nreturn response'),
    ('safe', 'a loop of its own ends before the call',
     'UPLOAD\nfor turn in seen:\n    if turn:\n        break\nCALL\nreturn response'),
]  # fmt: skip

USES: list[Case] = [
    ("uri-returned", "the key is returned", "UPLOAD\nCALL\nreturn name"),
    ("uri-returned", "the address is in what is returned",
     'UPLOAD\nuri = f"s3://inputs/{name}"\nCALL\nreturn {"uri": uri, "ok": True}'),
    ("uri-returned", "the key is returned if it is one", "UPLOAD\nCALL\nreturn name if data else None"),
    ("uri-returned", "the key is returned or nothing", "UPLOAD\nCALL\nreturn name or None"),
    ("uri-returned", "a part of the key is returned", "UPLOAD\nCALL\nreturn name[3:]"),
    ("uri-returned", "the key in upper case is returned", "UPLOAD\nCALL\nreturn name.upper()"),
    ("uri-returned", "a copy of the key is returned", "UPLOAD\nCALL\nkey = name\nreturn key"),
    ("uri-returned", "an element of a pair is returned", "UPLOAD\nCALL\nkey, n = name, 1\nreturn key"),
    ("uri-returned", "a text that grew by the key is returned",
     'text = ""\nUPLOAD\nCALL\ntext += name\nreturn text'),
    ("uri-returned", "the key is returned from a walrus", "UPLOAD\nCALL\nif (key := name):\n    return key"),
    ("uri-stored", "the key goes into a list", "UPLOAD\nCALL\nseen.append(name)"),
    ("uri-stored", "the key goes into a dictionary", "jobs = {}\nUPLOAD\nCALL\njobs['x'] = name"),
    ("uri-stored", "the key is a key of a dictionary", "jobs = {}\nUPLOAD\nCALL\njobs[name] = 1"),
    ("uri-stored", "the key goes to an attribute", "UPLOAD\nCALL\nseen.last = name"),
    ("uri-passed-on", "the key is passed on", "UPLOAD\nCALL\nnotify(name)"),
    ("uri-passed-on", "the key is passed on in a list", "UPLOAD\nCALL\nnotify([name, 1])"),
    ("uri-passed-on", "a method of the key nobody knows", "UPLOAD\nCALL\nname.notify()"),
    ("uri-passed-on", "the key is a base class", "UPLOAD\nCALL\nclass Job(name): pass"),
    ("safe", "the key is logged", "UPLOAD\nCALL\nprint('queued', name)"),
    ("safe", "the key is compared", "UPLOAD\nCALL\nif name == 'x':\n    print('x')"),
    ("safe", "the key decides", "UPLOAD\nCALL\nprint('x' if name else 'y')"),
    ("safe", "the key is asserted", "UPLOAD\nassert name\nCALL"),
    ("safe", "the key is in an error", "UPLOAD\nCALL\nif not response:\n    raise ValueError(name)"),
    ("safe", "the key is an expression", "UPLOAD\nname\nCALL"),
    ("object-read-back", "the object is read", "UPLOAD\nCALL\ns3.get_object(Bucket='inputs', Key=name)"),
    ("object-read-back", "the object is downloaded",
     "UPLOAD\nCALL\ns3.download_file('inputs', name, 'copy')"),
    ("object-read-back", "the object is copied",
     "UPLOAD\nCALL\ns3.copy_object(Bucket='b2', Key='x', CopySource={'Bucket': 'inputs', 'Key': name})"),
    ("object-read-back", "the object is copied by its path",
     "UPLOAD\nCALL\ns3.copy_object(Bucket='b2', Key='x', CopySource=f'inputs/{name}')"),
    ("object-read-back", "the inputs are listed",
     "UPLOAD\nCALL\nprint(s3.list_objects_v2(Bucket='inputs'))"),
    ("object-read-back", "the inputs are listed by their prefix",
     "s3.put_object(Bucket='inputs', Key=f'a/{name}', Body=data)\n"
     "runtime.invoke_endpoint_async(EndpointName='e', InputLocation=f's3://inputs/a/{name}')\n"
     "print(s3.list_objects_v2(Bucket='inputs', Prefix='a/'))"),
    ("safe", "another bucket is listed", "UPLOAD\nCALL\nprint(s3.list_objects_v2(Bucket='outputs'))"),
    ("safe", "an output is read",
     "UPLOAD\nCALL\ntry:\n    s3.get_object(Bucket='outputs', Key='done')\nexcept s3.exceptions.NoSuchKey:\n    pass"),
    ("object-read-back", "an object of the resource is read",
     "UPLOAD\nCALL\nboto3.resource('s3').Object('inputs', name).get()"),
    ("object-deleted", "the object is deleted if it takes too long",
     "UPLOAD\nCALL\nif seen:\n    s3.delete_object(Bucket='inputs', Key=name)"),
    ("object-deleted", "the object is deleted before an error",
     "UPLOAD\nCALL\ns3.delete_object(Bucket='inputs', Key=name)\nraise ValueError"),
    ("safe", "the object is deleted in the end",
     "UPLOAD\nCALL\ns3.delete_object(Bucket='inputs', Key=name)\nreturn response"),
    ("safe", "the object is deleted among others",
     "UPLOAD\nCALL\ns3.delete_objects(Bucket='inputs', Delete={'Objects': [{'Key': name}]})\nreturn response"),
    ("object-waited-for", "the object is waited for after the call",
     "UPLOAD\nCALL\ns3.get_waiter('object_exists').wait(Bucket='inputs', Key=name)"),
    ("upload-announced", "the upload is announced after the call",
     "UPLOAD\nCALL\nprint('uploaded', name)"),
    ("upload-response-used", "the response of the upload is returned",
     'answer = UPLOAD\nCALL\nreturn answer'),
    ("upload-response-used", "a part of the response is printed later",
     'answer = UPLOAD\nCALL\nprint(answer["ETag"])'),
    ("safe", "the response of the upload is checked",
     'answer = UPLOAD\nif answer["ResponseMetadata"]["HTTPStatusCode"] != 200:\n    raise OSError\nCALL\nreturn response'),
    ("safe", "the response of the upload is not used", 'answer = UPLOAD\nCALL\nreturn response'),
    ("safe", "the object is looked at first",
     "UPLOAD\ns3.head_object(Bucket='inputs', Key=name)\nCALL\nreturn response"),
    ('object-deleted', 'the object is deleted when nothing was found',
     "UPLOAD\nCALL\nfor turn in seen:\n    if turn:\n        return turn\ns3.delete_object(Bucket='inputs', Key=name)"),
    ('safe', 'the object is deleted whatever was found',
     "UPLOAD\ntry:\n    CALL\n    for turn in seen:\n        if turn:\n            return turn\nfinally:\n    s3.delete_object(Bucket='inputs', Key=name)\nreturn response"),
    ('safe', 'the object is deleted when the call failed',
     "UPLOAD\ntry:\n    CALL\nexcept Exception:\n    s3.delete_object(Bucket='inputs', Key=name)\n    return None\nreturn response"),
    ('object-deleted', 'the object is deleted when something failed',
     "UPLOAD\ntry:\n    CALL\n    print(response)\nexcept Exception:\n    s3.delete_object(Bucket='inputs', Key=name)\n    return None"),
    ('object-deleted', 'deleting is left to a lambda',
     "UPLOAD\nCALL\nseen.append(lambda: s3.delete_object(Bucket='inputs', Key=name))"),
    ('object-read-back', 'the object is copied by position',
     "UPLOAD\nCALL\ns3.copy({'Bucket': 'inputs', 'Key': name}, 'b2', 'x')"),
    ('object-read-back', "the bucket's objects are listed",
     "UPLOAD\nCALL\nprint(list(boto3.resource('s3').Bucket('inputs').objects.filter()))"),
    ('safe', 'the objects of another bucket are listed',
     "UPLOAD\nCALL\nprint(list(boto3.resource('s3').Bucket('outputs').objects.filter()))\nreturn response"),
    ('safe', 'objects with another prefix are listed',
     "s3.put_object(Bucket='inputs', Key=f'a/{name}', Body=data)\nresponse = runtime.invoke_endpoint_async(EndpointName='e', InputLocation=f's3://inputs/a/{name}')\nprint(s3.list_objects_v2(Bucket='inputs', Prefix='b/'))\nreturn response"),
]  # fmt: skip

PARAMETERS: list[Case] = [
    ("safe", "a dictionary in place",
     'UPLOAD\nreturn runtime.invoke_endpoint_async(**{"EndpointName": "e", "InputLocation": ADDRESS})'),
    ("safe", "a dictionary and keywords",
     'UPLOAD\nrest = {"InputLocation": ADDRESS}\nreturn runtime.invoke_endpoint_async(EndpointName="e", **rest)'),
    ("safe", "the dictionary gets another item later",
     'UPLOAD\nargs = {"EndpointName": "e", "InputLocation": ADDRESS}\nargs["Accept"] = "a/b"\n'
     "return runtime.invoke_endpoint_async(**args)"),
    ("safe", "the dictionary is looked at",
     'UPLOAD\nargs = {"EndpointName": "e", "InputLocation": ADDRESS}\nprint(args["EndpointName"])\n'
     "return runtime.invoke_endpoint_async(**args)"),
    ("parameters-used-elsewhere", "the address in the dictionary is looked at",
     'UPLOAD\nargs = {"EndpointName": "e", "InputLocation": ADDRESS}\nprint(args["InputLocation"])\n'
     "return runtime.invoke_endpoint_async(**args)"),
    ("parameters-used-elsewhere", "the dictionary is printed",
     'UPLOAD\nargs = {"EndpointName": "e", "InputLocation": ADDRESS}\nprint(args)\n'
     "return runtime.invoke_endpoint_async(**args)"),
    ("parameters-used-elsewhere", "the dictionary has two names",
     'UPLOAD\nargs = same = {"EndpointName": "e", "InputLocation": ADDRESS}\n'
     "return runtime.invoke_endpoint_async(**args)"),
    ("parameters-conditional", "the address is set on one path",
     'UPLOAD\nargs = {"EndpointName": "e"}\nif data:\n    args["InputLocation"] = ADDRESS\n'
     "return runtime.invoke_endpoint_async(**args)"),
    ("parameters-conditional", "the address is set twice",
     'UPLOAD\nargs = {"EndpointName": "e", "InputLocation": "s3://x/y"}\nargs["InputLocation"] = ADDRESS\n'
     "return runtime.invoke_endpoint_async(**args)"),
    ("safe", "the dictionary is updated",
     'UPLOAD\nargs = {"EndpointName": "e", "InputLocation": ADDRESS}\nargs.update(Accept="a/b")\n'
     "return runtime.invoke_endpoint_async(**args)"),
    ("parameters-unclear", "the dictionary is updated by another",
     'UPLOAD\nargs = {"EndpointName": "e", "InputLocation": ADDRESS}\nargs.update(seen)\n'
     "return runtime.invoke_endpoint_async(**args)"),
    ("parameters-unclear", "more may follow the address",
     'UPLOAD\nargs = {"EndpointName": "e", "InputLocation": ADDRESS, **seen}\n'
     "return runtime.invoke_endpoint_async(**args)"),
    ("none", "the dictionary is a parameter",
     "UPLOAD\nreturn runtime.invoke_endpoint_async(**name)"),
    ("none", "the dictionary is made by a function",
     "UPLOAD\nreturn runtime.invoke_endpoint_async(**make(name))"),
    ("none", "the arguments are starred",
     "UPLOAD\nreturn runtime.invoke_endpoint_async(*seen)"),
    ("none", "the dictionary has a body",
     'UPLOAD\nargs = {"EndpointName": "e", "InputLocation": ADDRESS}\nargs["Body"] = data\n'
     "return runtime.invoke_endpoint_async(**args)"),
    ("none", "one of two dictionaries has a body",
     'if len(data) < 9:\n    args = {"Body": data}\nelse:\n    UPLOAD\n    args = {"InputLocation": ADDRESS}\n'
     'return runtime.invoke_endpoint_async(EndpointName="e", **args)'),
    ("none", "the other branch sends a body",
     'if len(data) < 9:\n    return runtime.invoke_endpoint_async(EndpointName="e", Body=data)\nUPLOAD\nCALL'),
    ("uploaded-anyway", "the handler of an inline call",
     'UPLOAD\ntry:\n    runtime.invoke_endpoint_async(EndpointName="e", Body=data)\nexcept ValueError:\n    RUN'),
    ("content-type-unclear", "keywords nobody sees and a ContentType on the upload",
     's3.put_object(Bucket="inputs", Key=name, Body=data, ContentType="a/b")\n'
     'return runtime.invoke_endpoint_async(EndpointName="e", InputLocation=ADDRESS, **dict(seen))'),
    ("content-type-unclear", "a ContentType on one of two calls",
     's3.put_object(Bucket="inputs", Key=name, Body=data, ContentType="a/b")\nRUN\n'
     'return runtime.invoke_endpoint_async(EndpointName="e", InputLocation=ADDRESS, ContentType="c/d")'),
]  # fmt: skip

UPLOADS: list[Case] = [
    ("safe", "harmless options",
     's3.put_object(Bucket="inputs", Key=name, Body=data, StorageClass="STANDARD_IA", ACL="private",'
     ' ServerSideEncryption="AES256")\nCALL\nreturn response'),
    ("upload-options", "an access list", 's3.put_object(Bucket="inputs", Key=name, Body=data, ACL="public-read")\nCALL'),
    ("upload-options", "encryption with a key of one's own",
     's3.put_object(Bucket="inputs", Key=name, Body=data, ServerSideEncryption="aws:kms")\nCALL'),
    ("content-type-unclear", "options nobody sees",
     's3.put_object(Bucket="inputs", Key=name, Body=data, **seen)\nCALL'),
    ("content-type-unclear", "arguments nobody sees",
     's3.upload_fileobj(io.BytesIO(data), "inputs", name, *seen)\nCALL'),
    ("upload-options", "a callback",
     's3.upload_fileobj(io.BytesIO(data), "inputs", name, None, print)\nCALL'),
    ("content-type-unclear", "extra arguments nobody sees",
     's3.upload_fileobj(io.BytesIO(data), "inputs", name, ExtraArgs=seen)\nCALL'),
    ("safe", "extra arguments in a variable",
     'extra = {"ContentType": "a/b"}\ns3.upload_fileobj(io.BytesIO(data), "inputs", name, ExtraArgs=extra)\nCALL\nreturn response'),
    ("none", "a bucket that is asked for twice",
     's3.put_object(Bucket=input(), Key=name, Body=data)\n'
     'runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://{input()}/{name}")'),
    ("argument-has-effects", "a name that is bound on the way",
     's3.put_object(Bucket="inputs", Key=(key := name), Body=data)\n'
     'runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://inputs/{key}")'),
    ("name-shadowed", "len is something else", "len = max\nUPLOAD\nCALL"),
    ("name-shadowed", "all names are looked at", "UPLOAD\nCALL\nreturn locals()"),
    ('name-shadowed', 'json is something else',
     'json = name\ns3.put_object(Bucket="inputs", Key=name, Body=json.dumps(data))\nCALL'),
    ('name-shadowed', 'an expression in a text',
     "UPLOAD\nCALL\nreturn eval('name')"),
    ('safe', 'the names of something else are looked at',
     'UPLOAD\nCALL\nprint(len(vars(os)) > 5)\nreturn response'),
    ('payload-used-later', 'the handle is kept',
     "handle = io.BytesIO(data)\nseen.append(handle)\ns3.put_object(Bucket='inputs', Key=name, Body=handle)\nCALL"),
    ('payload-used-later', 'the handle has two names',
     "handle = io.BytesIO(data)\nsame = handle\ns3.put_object(Bucket='inputs', Key=name, Body=handle)\nCALL"),
    ('payload-used-later', 'the handle is read after the call',
     "handle = io.BytesIO(data)\ns3.put_object(Bucket='inputs', Key=name, Body=handle)\nCALL\nprint(handle.read())"),
    ('safe', 'the handle is closed after the call',
     "handle = io.BytesIO(data)\ns3.put_object(Bucket='inputs', Key=name, Body=handle)\nCALL\nhandle.close()\nreturn response"),
    ('safe', 'the value of the handle is asked for',
     "handle = io.BytesIO(data)\ns3.put_object(Bucket='inputs', Key=name, Body=handle)\nCALL\nreturn response, len(handle.getvalue())"),
    ('argument-has-effects', 'a ContentType that is asked for',
     "s3.put_object(Bucket='inputs', Key=name, Body=data, ContentType=input())\nCALL"),
    ('safe', 'the address has two names',
     "import sagemaker\nsession = sagemaker.Session()\nuri = session.upload_string_as_file_body(data.decode(), 'inputs', name)\nlocation = uri\nprint('working')\nresponse = runtime.invoke_endpoint_async(EndpointName='e', InputLocation=location)\nreturn response"),
    ('upload-response-used', 'the address that the upload returned is returned',
     "import sagemaker\nsession = sagemaker.Session()\nuri = session.upload_string_as_file_body(data.decode(), 'inputs', name)\nresponse = runtime.invoke_endpoint_async(EndpointName='e', InputLocation=uri)\nreturn uri"),
]  # fmt: skip

ALL = [
    pytest.param(expected, body, id=f"{theme}: {what}")
    for theme, cases in (
        ("names", NAMES),
        ("paths", PATHS),
        ("uses", USES),
        ("parameters", PARAMETERS),
        ("uploads", UPLOADS),
    )
    for expected, what, body in cases
]


def text_of(body: str) -> str:
    address = 'f"s3://inputs/{name}"'
    call = f'runtime.invoke_endpoint_async(EndpointName="e", InputLocation={address})'
    return program(body.replace("RUN", call).replace("ADDRESS", address))


@pytest.mark.parametrize(("expected", "body"), ALL)
def test_what_is_said_of_a_program(expected: str, body: str) -> None:
    text = text_of(body)
    found = verdicts(text)
    if expected == "none":
        assert found in ([], ["uri-unproven"])
    else:
        assert set(found) == {expected}
    if expected != "safe":
        assert rewritten(text) == text


@pytest.mark.parametrize("body", [case.values[1] for case in ALL if case.values[0] == "safe"],
                         ids=[case.id for case in ALL if case.values[0] == "safe"])  # fmt: skip
def test_a_safe_program_does_the_same_afterwards(body: str) -> None:
    assert what_differs(text_of(body)) == []
