"""Where imports lead, and that no more is read for it than is needed."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import libcst as cst
import pytest

import codemod.parsing
import codemod.source
from codemod.files import Excludes, find
from codemod.model import Change, Settings, Task
from codemod.outlines import outline
from codemod.repository import Repository
from codemod.run import run
from codemod.source import read, write, write_together
from codemod.uploads import RECOGNISERS

STORAGE = """\
import json

import boto3

s3 = boto3.client("s3")


def upload(document, name):
    s3.put_object(Bucket="in", Key=name, Body=json.dumps(document).encode())
    return f"s3://in/{name}"
"""
SCORE = """\
import json

import boto3
from {module} import upload

runtime = boto3.client("sagemaker-runtime")


def score(document):
    location = upload(document, "a")
    return runtime.invoke_endpoint_async(EndpointName="e", InputLocation=location)
"""
FOUND = "def f():\n    pass\n"


def put_down(files: Mapping[str, str]) -> None:
    for name, content in {"pyproject.toml": "", **files}.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


@pytest.mark.parametrize(
    ("files", "name", "expected"),
    [
        ({"app/a.py": "from app.b import f", "app/b.py": FOUND}, "f", ("app/b.py", ("f",))),
        ({"app/a.py": "from .b import f as g", "app/b.py": FOUND}, "g", ("app/b.py", ("f",))),
        ({"app/a.py": "from ..b import f", "b.py": FOUND}, "f", ("b.py", ("f",))),
        ({"app/a.py": "import app.b as b", "app/b.py": FOUND}, "b.f", ("app/b.py", ("f",))),
        ({"app/a.py": "import app.b", "app/b.py": FOUND}, "app.b.f", ("app/b.py", ("f",))),
        ({"app/a.py": "from app import b", "app/b.py": FOUND}, "b.f", ("app/b.py", ("f",))),
        ({"app/a.py": "import b", "app/b.py": FOUND}, "b", ("app/b.py", ())),
        ({"app/a.py": "from b import f", "src/b.py": FOUND}, "f", ("src/b.py", ("f",))),
        (
            {"app/a.py": "from lib import f",
             "lib/__init__.py": "from .b import f", "lib/b.py": FOUND},
            "f",
            ("lib/b.py", ("f",)),
        ),
        (
            {"app/a.py": "from lib import f",
             "lib/__init__.py": "from .b import *", "lib/b.py": FOUND},
            "f",
            ("lib/b.py", ("f",)),
        ),
        ({"app/a.py": "from b import *", "b.py": FOUND}, "f", ("b.py", ("f",))),
        (
            {"app/a.py": "try:\n    from .b import f\nexcept ImportError:\n    from b import f\n",
             "app/b.py": FOUND},
            "f",
            ("app/b.py", ("f",)),
        ),
        (  # the name of the module and that of the function in it
            {"a.py": "from lib.f import f",
             "lib/__init__.py": "from .f import f", "lib/f.py": FOUND},
            "f",
            ("lib/f.py", ("f",)),
        ),
        (  # Python takes the module, whatever its package calls by that name
            {"a.py": "from lib.b import f", "lib/__init__.py": "from .v2 import b",
             "lib/b.py": FOUND, "lib/v2/b.py": FOUND},
            "f",
            ("lib/b.py", ("f",)),
        ),
    ],
)  # fmt: skip
def test_imports_lead_to_where_a_name_is_bound(
    folder: Path, files: Mapping[str, str], name: str, expected: object
) -> None:
    put_down(files)
    assert Repository().named(next(iter(files)), name) == expected


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"app/a.py": "from b import f", "app/b.py": FOUND, "b.py": FOUND}, "f"),
        ({"app/a.py": "from queue import f", "app/queue.py": FOUND}, "f"),
        ({"app/a.py": "from b import f\nfrom c import *", "b.py": FOUND, "c.py": FOUND}, "f"),
        ({"app/a.py": "from b import f\nfrom elsewhere import *", "b.py": FOUND}, "f"),
        ({"app/a.py": "import sys\nsys.path.insert(0, '')\nfrom b import f", "b.py": FOUND}, "f"),
        ({"app/a.py": "import sys\nsys.path[:0] = ['']\nfrom b import f", "b.py": FOUND}, "f"),
        ({"app/a.py": "import sys\nsys.path = ['']\nfrom b import f", "b.py": FOUND}, "f"),
        (
            {"app/a.py": "from lib import f",
             "lib/__init__.py": "def load():\n    from .b import f\n", "lib/b.py": FOUND},
            "f",
        ),
        (
            {"app/a.py": "from b import f",
             "b.py": "from c import f\ndef f(): ...\n", "c.py": FOUND},
            "f",
        ),
        ({"app/a.py": "from b import f", "b.py": "def f(:\n"}, "f"),
        ({"app/a.py": "from b import f", "b.py": "from b import f\n"}, "f"),
        ({"app/a.py": "from b import f"}, "f"),
    ],
)  # fmt: skip
def test_what_is_not_certain_leads_nowhere(
    folder: Path, files: Mapping[str, str], name: str
) -> None:
    put_down(files)
    assert Repository().named("app/a.py", name) is None


def test_a_folder_at_the_end_of_the_path_hides_nothing(folder: Path) -> None:
    put_down({"a.py": "import sys\nsys.path.append('x')\nfrom b import f", "b.py": FOUND})
    assert Repository().named("a.py", "f") == ("b.py", ("f",))


@pytest.mark.parametrize("method", RECOGNISERS)
def test_a_module_is_read_for_every_upload_that_is_recognised(method: str) -> None:
    mentioned = "from sagemaker.s3 import S3Uploader\ns3.Object('b', 'k')\n"
    outlined = outline(f"{mentioned}def f(x):\n    x.{method}('y')\n")
    assert outlined is not None
    assert outlined.uploading >= {"", "f"}


def test_modules_that_import_everything_of_each_other_take_no_time(folder: Path) -> None:
    names = [f"m{number}" for number in range(30)]
    put_down(
        {f"{name}.py": "".join(f"from {other} import *\n" for other in names) for name in names}
    )
    start = time.monotonic()
    assert Repository().named("m0.py", "f") is None
    assert time.monotonic() - start < 20


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    put_down({"app/a.py": "from b import f"})
    os.mkfifo("b.py")
    assert Repository().named("app/a.py", "f") is None


def test_only_matching_modules_and_helpers_are_parsed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"plain_{number}.py": "import json\n" for number in range(50)}
    files |= {f"helpers_{n}.py": STORAGE for n in range(10)}
    files |= {f"models_{n}.py": "def check(document):\n    return document\n" for n in range(10)}
    for n in range(10):
        files[f"score_{n}.py"] = f"from models_{n} import check\n" + SCORE.format(
            module=f"helpers_{n}"
        )
    put_down(files)
    parsed: list[bytes | str] = []

    def counting(content: bytes | str) -> cst.Module | str:
        parsed.append(content)
        return codemod.parsing.parse(content)

    monkeypatch.setattr("codemod.review.parse", counting)
    monkeypatch.setattr("codemod.modules.parse", counting)
    report = run(find(["."]), Task(Settings()), jobs=1)
    assert sum(len(result.findings) for result in report.results) == 10
    assert sorted(parsed, key=repr) == sorted(
        (
            content.encode()
            for name, content in files.items()
            if name.startswith(("helpers", "score"))
        ),
        key=repr,
    )


@pytest.mark.parametrize(
    ("here", "paths"),
    [
        (".", ["."]),
        (".", ["app"]),
        ("app", ["."]),
        ("app", ["../app/score.py"]),
        ("lib", ["../app"]),
    ],
)
def test_findings_do_not_depend_on_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch, here: str, paths: list[str]
) -> None:
    put_down({"app/score.py": SCORE.format(module="lib.storage"), "lib/storage.py": STORAGE})
    monkeypatch.chdir(here)
    report = run(find(paths), Task(Settings()), jobs=1)
    assert [f.code for result in report.results for f in result.findings] == ["SAI001"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, PermissionError])
def test_files_that_belong_together_are_put_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    put_down({"a.py": "a", "b.py": "b", "c.py": "c"})

    def failing(path: str, *, before: bytes, after: bytes) -> None:
        if path == "c.py":
            raise error
        write(path, before=before, after=after)

    monkeypatch.setattr(codemod.source, "write", failing)
    changes = [Change(f"{name}.py", name.encode(), b"new") for name in "abc"]
    with pytest.raises(error if error is KeyboardInterrupt else OSError):
        write_together(changes)
    assert [read(f"{name}.py") for name in "abc"] == [b"a", b"b", b"c"]


READER = """\
import boto3

runtime = boto3.client("sagemaker-runtime")


class Reader:
    def submit(self, location):
        runtime.invoke_endpoint_async(
            EndpointName="reader", InputLocation=location, ContentType="text/plain"
        )
"""
HANDLER = """\
import uuid

import boto3

from reader import Reader

s3 = boto3.client("s3")


def receive(text: bytes):
    key = uuid.uuid4().hex
    s3.put_object(Bucket="in", Key=key, Body=text)
    Reader().submit(f"s3://in/{key}")
"""
OLD_READER = """\
from reader import Reader


class OldReader(Reader):
    def submit(self, location):
        print(location)
"""


@pytest.mark.parametrize("excluded", [["old.py"], []])
def test_what_is_excluded_still_says_what_a_method_may_be(
    folder: Path, excluded: list[str]
) -> None:
    put_down({"reader.py": READER, "handler.py": HANDLER, "old.py": OLD_READER})
    excludes = Excludes.from_globs(".", excluded)
    report = run(find(["."], excludes), Task(Settings()), jobs=1, excludes=excludes)
    (finding,) = [finding for result in report.results for finding in result.findings]
    assert (finding.reason, finding.code) == ("helper-overridden", "SAI003")


def test_what_is_excluded_is_not_changed(folder: Path) -> None:
    put_down({"reader.py": READER, "handler.py": HANDLER, "other.py": HANDLER})
    excludes = Excludes.from_globs(".", ["other.py"])
    run(find(["."], excludes), Task(Settings(), rewrite=True, write=True), excludes=excludes)
    assert read("other.py") == HANDLER.encode()
    assert b"body=text" in read("handler.py")
