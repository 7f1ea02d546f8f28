"""Lines that a rewrite has no business with are told from those it may change."""

from __future__ import annotations

import pytest

from tests.edits import stray_edits

BEFORE = '''\
"""Module."""
import boto3

s3 = boto3.client("s3")
runtime = boto3.client("sagemaker-runtime")


def other(text):
    return text.upper()


def submit(data, limit):
    if limit > 5:
        print("many")
    text = data.strip()
    # The upload.
    s3.put_object(Bucket="b", Key="k", Body=text)
    print("between")
    response = runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/k")
    print("done")
    return response
'''

PAIRS = [(17, 19)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    text = data.strip()\n", '    text = data.strip().encode("utf-8")\n'),
        ('    print("between")\n', '    if text:\n        print("between")\n'),
        ("    # The upload.\n", "    if text:\n"),
        ("import boto3\n", "import boto3\n\nASYNC_INLINE_LIMIT = 128_000\n"),
        ("import boto3\n", "import os\nimport boto3\n"),
        ("    return response\n", '    return response["OutputLocation"]\n'),
    ],
)
def test_edits_of_the_rewrite(old: str, new: str) -> None:
    assert old in BEFORE
    assert stray_edits(BEFORE, BEFORE.replace(old, new), PAIRS) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Module."""', "'''Module.'''"),
        ("import boto3\n", "import boto3\nboto3.set_stream_logger()\n"),
        ("    return text.upper()\n", "    return text\n"),
        ("    return text.upper()\n", "    return text.upper() \n"),
        ('        print("many")\n', "        print('many')\n"),
        ('    print("done")\n', ""),
        ("\n\n\ndef submit", "\n\ndef submit"),
    ],
)
def test_stray_edits(old: str, new: str) -> None:
    assert old in BEFORE
    assert stray_edits(BEFORE, BEFORE.replace(old, new), PAIRS)


THROUGH_FUNCTIONS = """\
import boto3

s3 = boto3.client("s3")
runtime = boto3.client("sagemaker-runtime")


def put(data):
    s3.put_object(Bucket="b", Key="k", Body=data)


def invoke(uri, name):
    return runtime.invoke_endpoint_async(EndpointName=name, InputLocation=uri)


def other(uri):
    return invoke(uri, "other")


def submit(data):
    put(data)
    return invoke("s3://b/k", "e")
"""


@pytest.mark.parametrize(
    ("old", "new", "is_stray"),
    [
        ("def invoke(uri, name):\n", "def invoke(uri, name, *, body=None):\n", False),
        ("    return runtime", "    request_input = {}\n    return runtime", False),
        ("    put(data)\n", "    if data:\n        put(data)\n", False),
        ('invoke("s3://b/k", "e")\n', 'invoke("s3://b/k", "e", body=data)\n', False),
        ('    return invoke(uri, "other")\n', "    return invoke(uri, 'other')\n", True),
        ("def put(data):\n", "def put(data, name=None):\n", True),
        ("def submit(data):\n", "def submit(data, name=None):\n", True),
        ("def other(uri):\n", "def other(uri, body=None):\n", True),
    ],
)
def test_edits_through_functions(old: str, new: str, *, is_stray: bool) -> None:
    assert old in THROUGH_FUNCTIONS
    changed = THROUGH_FUNCTIONS.replace(old, new)
    assert bool(stray_edits(THROUGH_FUNCTIONS, changed, [(8, 12)])) == is_stray
