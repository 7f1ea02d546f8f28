"""Trees of files to run on, made of what is installed; none of it is kept."""

from __future__ import annotations

import itertools
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

NEEDLE = b"invoke_endpoint_async"
_FILES_A_FOLDER = 50

_IMPORTS = """\
import json
import uuid

import boto3

s3 = boto3.client("s3")
runtime = boto3.client("sagemaker-runtime")
BUCKET = "requests"

"""

_FUNCTIONS = (
    '''
def queue_{n}(document, customer):
    """Queue one document for scoring."""
    key = f"in/{{customer}}/{{uuid.uuid4()}}.json"
    body = json.dumps(document)
    s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType="application/json")
    response = runtime.invoke_endpoint_async(
        EndpointName="scores",
        InputLocation=f"s3://{{BUCKET}}/{{key}}",
        ContentType="application/json",
    )
    return response["OutputLocation"]
''',
    '''
def store_{n}(document):
    """Upload one document and return where it is."""
    key = "in/" + str(uuid.uuid4())
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document).encode("utf-8"))
    return "s3://" + BUCKET + "/" + key


def score_{n}(document):
    location = store_{n}(document)
    response = runtime.invoke_endpoint_async(EndpointName="scores", InputLocation=location)
    return response["InferenceId"]
''',
    """
class Client_{n}:
    def __init__(self, bucket, endpoint):
        self.bucket = bucket
        self.endpoint = endpoint

    def submit(self, image: bytes, name: str):
        key = "images/{{}}.jpg".format(name)
        s3.put_object(Bucket=self.bucket, Key=key, Body=image, ContentType="image/jpeg")
        location = "s3://{{}}/{{}}".format(self.bucket, key)
        print("queued", name)
        return runtime.invoke_endpoint_async(
            EndpointName=self.endpoint, InputLocation=location, ContentType="image/jpeg"
        )
""",
    """
def keep_{n}(document, table):
    key = f"in/{{uuid.uuid4()}}.json"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document))
    location = f"s3://{{BUCKET}}/{{key}}"
    table.put_item(Item={{"location": location}})
    runtime.invoke_endpoint_async(EndpointName="scores", InputLocation=location)
""",
)

#: The smallest file with something to find.
LEGACY = _IMPORTS + _FUNCTIONS[0].format(n=0)

#: A function that makes the call with what it is given, by a name that is very common.
CALLED = """\
import boto3

runtime = boto3.client("sagemaker-runtime")


def run(location):
    return runtime.invoke_endpoint_async(EndpointName="scores", InputLocation=location)
"""


def installed() -> Iterator[bytes]:
    """Yield the Python files of the standard library and of installed packages, over and over.

    None is kept in memory: a process begins with the peak of the one that starts it.
    """
    paths = sysconfig.get_paths()
    folders = dict.fromkeys(Path(paths[name]) for name in ("stdlib", "purelib"))
    files = sorted(
        path
        for folder in folders
        for path in folder.rglob("*.py")
        if "test" not in path.parts and path.is_file()
    )
    for path in itertools.cycle(files):
        content = path.read_bytes()
        if content.strip() and NEEDLE not in content:
            yield content


def _usable(content: bytes) -> bool:
    """Tell whether code can be put behind some installed code and be what it is by itself."""
    try:
        text = content.decode("utf-8")
        compile(text, "", "exec", dont_inherit=True)
    except (ValueError, SyntaxError):
        return False
    return "\f" not in text and "from __future__" not in text and "\r" not in text


def plain(folder: Path, count: int) -> None:
    """Fill a new repository with files that do not mention the call."""
    folder.mkdir(parents=True)
    for number, content in enumerate(itertools.islice(installed(), count)):
        place = folder / f"package_{number // _FILES_A_FOLDER}"
        place.mkdir(exist_ok=True)
        (place / f"module_{number}.py").write_bytes(content)
    _commit(folder)


def matching(folder: Path, count: int, lines: int) -> None:
    """Add files that upload and invoke, of 50 to 2,000 lines and together so many."""
    folder.mkdir(parents=True, exist_ok=True)
    filler = (content.decode() for content in installed() if _usable(content))
    total = 0
    for number in range(count):
        wanted = max(50, min(2_000, (lines - total) // (count - number)))
        wanted = wanted // 2 if number % 2 else min(2_000, wanted * 3 // 2)
        text = _IMPORTS
        functions = itertools.cycle(_FUNCTIONS)
        for place in range(1 + wanted // 200):
            text += next(functions).format(n=1_000 * number + place)
        size = text.count("\n")
        while size < wanted:
            more = next(filler)
            if size + more.count("\n") <= max(wanted * 1.1, 2_000):
                text += "\n\n" + more
                size = text.count("\n")
        total += size
        (folder / f"matching_{number}.py").write_text(text, encoding="utf-8")
    _commit(folder)


def one_file(folder: Path, lines: int) -> None:
    """Write one file of so many lines, with one upload and call for every 200 of them."""
    folder.mkdir(parents=True)
    filler = (content.decode() for content in installed() if _usable(content))
    text = _IMPORTS
    for number, function in enumerate(itertools.cycle(_FUNCTIONS)):
        text += function.format(n=number)
        while text.count("\n") < min(lines, 200 * (number + 1)):
            more = next(filler)
            if more.count("\n") < 400:
                text += "\n\n" + more
        if text.count("\n") >= lines:
            break
    (folder / "one.py").write_text(text, encoding="utf-8")


def one_function(folder: Path, pairs: int) -> None:
    """Write one function with so many uploads and calls."""
    folder.mkdir(parents=True)
    text = _IMPORTS + "\n\ndef queue(documents):\n"
    for number in range(pairs):
        text += (
            f"    key_{number} = f'in/{{uuid.uuid4()}}-{number}.json'\n"
            f"    body_{number} = json.dumps(documents[{number}])\n"
            f"    s3.put_object(Bucket=BUCKET, Key=key_{number}, Body=body_{number})\n"
            "    runtime.invoke_endpoint_async(\n"
            f"        EndpointName='scores', InputLocation=f's3://{{BUCKET}}/{{key_{number}}}'\n"
            "    )\n"
        )
    (folder / "one.py").write_text(text, encoding="utf-8")


def _commit(folder: Path) -> None:
    author = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    for command in (("init", "-q"), ("add", "-A"), (*author, "commit", "-q", "-m", "files")):
        subprocess.run(("git", *command), cwd=folder, check=True, stdout=subprocess.DEVNULL)
