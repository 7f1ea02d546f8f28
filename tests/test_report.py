"""Every form of the report says the same, in the way its readers expect."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from codemod import __version__
from codemod.model import FileResult, Finding, Fix, Link, Note, Place, Report
from codemod.report import FORMATS, diff, explain, render, text
from codemod.report.summary import shown, summarize
from codemod.rules import REASONS, RULES, Reason
from tests.shell import git

SAFE = Finding(
    code="SAI001",
    fix=Fix.SAFE,
    reason=None,
    message="the payload is uploaded first",
    place=Place("app.py", 12, 5, 14, 6),
    upload=Place("app.py", 10, 5, 10, 60),
    notes=("the key never changes, so a stale object stays behind",),
)
UNSAFE = Finding(
    code="SAI002",
    fix=Fix.UNSAFE,
    reason="uri-returned",
    message="its URI is returned",
    place=Place("lib/two words.py", 3, 1, 3, 20),
    upload=Place("lib/other.py", 2, 1, 2, 9),
    cause=Place("lib/two words.py", 4, 5, 4, 15),
    unlock="return the response only",
    chain=(
        Link("submit", Place("lib/two words.py", 3, 1, 3, 20)),
        Link("uri", None),
        Link("put_object", Place("lib/other.py", 2, 1, 2, 9)),
    ),
)
NONE = Finding(
    code="SAI003",
    fix=Fix.NONE,
    reason="upload-conditional",
    message="50% of the uploads,\nand no more",
    place=Place("note.ipynb", 2, 7, 2, 30, cell=3),
    upload=Place("note.ipynb", 1, 1, 1, 30, cell=2),
)
NOTE = Note("no upload in reach", Place("app.py", 13, 1, 13, 9))

APP = b"line\n" * 11 + b"    call(\n        Endpoint\n    )\n"

REPORT = Report(
    results=(
        FileResult("app.py", (SAFE,), notes=(NOTE,), before=APP),
        FileResult("bad.py", error="invalid syntax: line 3, column 4"),
        FileResult("lib/two words.py", (UNSAFE,), before=b"a\nb\nruntime.invoke()\n"),
        FileResult("note.ipynb", (NONE,), before=b"{}"),
    ),
    checked=20,
    errors=(FileResult("bad.py", error="invalid syntax: line 3, column 4"),),
)
EMPTY = Report((), checked=4)

# The same run as a fix that had one file to write.
FIXED = REPORT._replace(
    results=(
        REPORT.results[0]._replace(fixed=(SAFE,), after=APP.replace(b"Endpoint", b"Body")),
        *REPORT.results[1:],
    ),
    wrote=True,
)


def test_text_has_a_line_for_each_finding_and_more_below_where_there_is_more() -> None:
    assert text.render(REPORT) == (
        "app.py:12:5: SAI001 the payload is uploaded first\n"
        "    note: the key never changes, so a stale object stays behind\n"
        "app.py:13:1: note: no upload in reach\n"
        "lib/two words.py:3:1: SAI002 its URI is returned\n"
        "    because of lib/two words.py:4:5 (uri-returned)\n"
        "    by way of submit (lib/two words.py:3) <- uri <- put_object (lib/other.py:2)\n"
        "    to unlock the fix: return the response only\n"
        "note.ipynb:cell 3:2:7: SAI003 50% of the uploads,\\nand no more\n"
        "    because of upload-conditional\n"
    )


def test_text_stays_on_one_line_and_off_the_terminals_controls() -> None:
    path = "a\nb\t\x1b[31m.py"
    report = Report((), checked=0, errors=(FileResult(path, error="no\nway"),))
    assert text.errors(report) == "error: a\\nb\\t\\x1b[31m.py: no\\nway\n"


def test_text_has_a_line_for_each_file_that_could_not_be_handled() -> None:
    assert text.errors(REPORT) == "error: bad.py: invalid syntax: line 3, column 4\n"


def test_text_has_a_line_for_each_file_that_mentions_the_call() -> None:
    assert text.files(FIXED) == (
        "app.py: 1 finding, 1 fixed\nlib/two words.py: 1 finding\nnote.ipynb: 1 finding\n"
    )


def only(*findings: Finding, fixed: int = 0, wrote: bool = False) -> Report:
    result = FileResult("app.py", findings, fixed=findings[:fixed])
    return Report((result,), checked=1, wrote=wrote)


@pytest.mark.parametrize(
    ("report", "unsafe_fixes", "expected"),
    [
        (Report((), checked=0), False, "No Python files or notebooks found.\n"),
        (Report((), checked=1), False, "No findings in 1 file.\n"),
        (Report((), checked=1_234), False, "No findings in 1,234 files.\n"),
        (
            REPORT,
            False,
            (
                "Found 3 findings (1 fixable with `async-inline fix`,"
                " 1 more with `--unsafe-fixes`).\n"
                "1 file could not be handled.\n"
            ),
        ),
        (
            REPORT,
            True,
            (
                "Found 3 findings (2 fixable with `async-inline fix --unsafe-fixes`).\n"
                "1 file could not be handled.\n"
            ),
        ),
        (only(SAFE), False, "Found 1 finding (1 fixable with `async-inline fix`).\n"),
        (
            only(UNSAFE),
            False,
            "Found 1 finding (1 fixable with `async-inline fix --unsafe-fixes`).\n",
        ),
        (only(NONE), False, "Found 1 finding.\n"),
        (only(SAFE, fixed=1, wrote=True), False, "Fixed 1 finding in 1 file.\n"),
        (
            only(SAFE, fixed=1),
            False,
            (
                "Would fix 1 finding in 1 file.\n"
                "Found 1 finding (1 fixable with `async-inline fix`).\n"
            ),
        ),
        (
            only(SAFE, UNSAFE, NONE, fixed=1, wrote=True),
            False,
            (
                "Fixed 1 finding in 1 file.\n"
                "Found 2 findings (1 fixable with `async-inline fix --unsafe-fixes`).\n"
            ),
        ),
        # What a fix with --unsafe-fixes leaves over, the same command will not fix either.
        (only(UNSAFE, wrote=True), True, "Found 1 finding.\n"),
    ],
)
def test_text_closes_with_what_was_found_and_what_can_be_done(
    report: Report, unsafe_fixes: bool, expected: str
) -> None:
    assert text.summary(report, unsafe_fixes=unsafe_fixes) == expected


def test_a_run_in_which_no_path_could_be_handled_does_not_claim_that_nothing_was_found() -> None:
    report = Report(REPORT.errors, checked=0, errors=REPORT.errors)
    assert text.summary(report) == "1 file could not be handled.\n"


def test_json_holds_what_its_contract_says_and_nothing_else() -> None:
    assert json.loads(render("json", REPORT)) == {
        "version": 1,
        "findings": [
            {
                "code": "SAI001",
                "fix": "safe",
                "reason": None,
                "message": "the payload is uploaded first",
                "path": "app.py",
                "cell": None,
                "line": 12,
                "column": 5,
                "end_line": 14,
                "end_column": 6,
                "chain": [],
                "upload": {"path": "app.py", "cell": None, "line": 10},
            },
            {
                "code": "SAI002",
                "fix": "unsafe",
                "reason": "uri-returned",
                "message": "its URI is returned",
                "path": "lib/two words.py",
                "cell": None,
                "line": 3,
                "column": 1,
                "end_line": 3,
                "end_column": 20,
                "chain": [
                    {"name": "submit", "path": "lib/two words.py", "cell": None, "line": 3},
                    {"name": "uri", "path": None, "cell": None, "line": None},
                    {"name": "put_object", "path": "lib/other.py", "cell": None, "line": 2},
                ],
                "upload": {"path": "lib/other.py", "cell": None, "line": 2},
            },
            {
                "code": "SAI003",
                "fix": "none",
                "reason": "upload-conditional",
                "message": "50% of the uploads,\nand no more",
                "path": "note.ipynb",
                "cell": 3,
                "line": 2,
                "column": 7,
                "end_line": 2,
                "end_column": 30,
                "chain": [],
                "upload": {"path": "note.ipynb", "cell": 2, "line": 1},
            },
        ],
        "errors": [{"path": "bad.py", "message": "invalid syntax: line 3, column 4"}],
        "summary": {
            "files": 20,
            "findings": 3,
            "safe": 1,
            "unsafe": 1,
            "none": 1,
            "fixed": 0,
            "errors": 1,
        },
    }


def test_after_a_fix_only_what_remains_is_reported() -> None:
    document = json.loads(render("json", FIXED))
    assert [finding["code"] for finding in document["findings"]] == ["SAI002", "SAI003"]
    assert document["summary"]["fixed"] == 1
    assert document["summary"]["findings"] == 2
    for name in FORMATS:
        assert "SAI002" in render(name, FIXED)
        assert "uploaded first" not in render(name, FIXED)


@pytest.mark.parametrize("name", FORMATS)
def test_a_name_that_is_no_utf8_breaks_no_form(name: str) -> None:
    path = "caf\udce9.py"
    finding = SAFE._replace(place=SAFE.place._replace(path=path))
    report = Report((FileResult(path, (finding,)),), checked=1)
    written = render(name, report)
    assert written.encode("utf-8").decode() == written
    assert ("caf%E9.py" if name == "sarif" else "caf\\") in written


def test_names_are_shown_as_they_are_as_far_as_they_can_be() -> None:
    assert shown("über/a b.py") == "über/a b.py"
    assert shown("caf\udce9.py") == "caf\\xe9.py"


def test_github_commands_are_escaped_as_github_wants_them() -> None:
    finding = SAFE._replace(place=SAFE.place._replace(path="a,b:c%.py"))
    report = REPORT._replace(results=(FileResult("a,b:c%.py", (finding, NONE)),))
    assert render("github", report) == (
        "::warning title=async-inline (SAI001),file=a%2Cb%3Ac%25.py,"
        "line=12,endLine=14,col=5,endColumn=6::the payload is uploaded first\n"
        "::warning title=async-inline (SAI003),file=note.ipynb::"
        "cell 3, line 2: 50%25 of the uploads,%0Aand no more\n"
        "::error file=bad.py::invalid syntax: line 3, column 4\n"
    )


def sarif(report: Report) -> Any:
    return json.loads(render("sarif", report))["runs"][0]


@pytest.mark.parametrize("report", [REPORT, FIXED, EMPTY], ids=["check", "fix", "nothing"])
def test_sarif_is_valid(report: Report) -> None:
    schema = json.loads(Path(__file__).with_name("sarif-excerpt.schema.json").read_bytes())
    jsonschema.validate(json.loads(render("sarif", report)), schema)


def test_sarif_lists_the_rules_and_refers_to_them() -> None:
    driver = sarif(REPORT)["tool"]["driver"]
    assert driver["name"] == "async-inline"
    assert driver["version"] == __version__
    assert [rule["id"] for rule in driver["rules"]] == list(RULES)
    for result in sarif(REPORT)["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_locates_the_call_the_upload_and_the_cause() -> None:
    result = sarif(REPORT)["results"][1]
    artifact = {"uri": "lib/two%20words.py", "uriBaseId": "%SRCROOT%"}
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": artifact,
                "region": {"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 20},
            }
        }
    ]
    upload, cause = result["relatedLocations"]
    assert upload["physicalLocation"]["artifactLocation"]["uri"] == "lib/other.py"
    assert upload["physicalLocation"]["region"]["startLine"] == 2
    assert cause["physicalLocation"]["artifactLocation"] == artifact
    assert cause["physicalLocation"]["region"]["startLine"] == 4
    assert result["properties"] == {
        "fix": "unsafe",
        "reason": "uri-returned",
        "unlock": "return the response only",
        "notes": [],
    }


def test_sarif_names_the_cell_of_a_notebook_because_its_lines_are_not_those_of_the_file() -> None:
    result = sarif(REPORT)["results"][2]
    (location,) = result["locations"]
    assert location["logicalLocations"] == [{"name": "cell 3, line 2"}]
    assert location["physicalLocation"]["region"] == {"startLine": 1}
    assert result["message"]["text"].startswith("cell 3, line 2: ")


def test_sarif_says_which_files_could_not_be_handled() -> None:
    (invocation,) = sarif(REPORT)["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "invalid syntax: line 3, column 4"
    (location,) = notification["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "bad.py"
    assert sarif(EMPTY)["invocations"][0]["executionSuccessful"] is True


def fingerprints(before: bytes, *lines: int) -> list[str]:
    findings = tuple(SAFE._replace(place=Place("a.py", line, 1, line, 9)) for line in lines)
    report = Report((FileResult("a.py", findings, before=before),), checked=1)
    return [result["partialFingerprints"]["asyncInline/v1"] for result in sarif(report)["results"]]


def test_fingerprints_stay_the_same_when_lines_move() -> None:
    once = fingerprints(b"call(x)\ncall(y)\n", 1, 2)
    assert fingerprints(b"# new\n\n  call( x)\n    call(y)  \n", 4) == once[1:]
    assert once[0] != once[1]


def test_fingerprints_tell_equal_calls_apart() -> None:
    first, second = fingerprints(b"call(x)\ncall(x)\n", 1, 2)
    assert first != second


def test_fingerprints_of_notebooks_do_not_need_their_source() -> None:
    first, second, third = (
        result["partialFingerprints"]["asyncInline/v1"]
        for result in sarif(Report((FileResult("note.ipynb", (NONE,) * 3),), 1))["results"]
    )
    assert len({first, second, third}) == 3


def changed(path: str, before: bytes, after: bytes) -> Report:
    return Report((FileResult(path, (SAFE,), (SAFE,), before=before, after=after),), checked=1)


def test_a_diff_reads_like_one_of_git() -> None:
    assert diff.render(changed("in/a.py", b"1\n2\n3\n4\n5\n6\n", b"1\n2\n3\n4\nfive\n6\n")) == (
        b"--- a/in/a.py\n+++ b/in/a.py\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+five\n 6\n"
    )


def test_files_without_changes_are_not_in_the_diff() -> None:
    assert diff.render(REPORT) == b""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\n", b"a\nc\n"),
        (b"a\r\nb\r\n", b"a\r\nc\r\n"),
        (b"a\nb", b"a\nc"),
        (b"a\nb", b"a\nb\n"),
        (b"a\nb\n", b"a\nb"),
        (b"a\rb\x0cc\n\x0bd\n", b"a\rB\x0cc\n\x0bd\n"),
        (b"\xef\xbb\xbfa\n\xe9\xff\n", b"\xef\xbb\xbfa\nb\xe9\xff\n"),
        (b"-- a\n++ b\n\\ c\n", b"-- a\n++ B\n\\ c\n"),
    ],
    ids=[
        "LF",
        "CRLF",
        "no final newline",
        "a final newline comes",
        "a final newline goes",
        "control characters",
        "bytes of any encoding",
        "lines that look like a diff",
    ],
)
@pytest.mark.parametrize("path", ["a.py", "in/a b.py", 'q"\\t\t.py', "été.py", "caf\udce9.py"])
def test_git_applies_the_diff(repository: Path, path: str, before: bytes, after: bytes) -> None:
    file = repository / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(before)
    git("apply", "-p1", stdin=diff.render(changed(path, before, after)))
    assert file.read_bytes() == after


@pytest.fixture
def reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two reasons that stay the same whatever the rules say."""
    for code, slug, title in (
        ("SAI002", "uri-seen", "its URI is seen"),
        ("SAI003", "upload-odd", "the upload is odd ({detail})"),
    ):
        reason = Reason(slug, code, title, "Look at it closely.")
        monkeypatch.setitem(REASONS, slug, reason)


def test_all_codes_and_reasons_are_listed(reasons: None) -> None:
    overview = explain.overview()
    for rule in RULES.values():
        assert f"{rule.code}  {rule.title}\n" in overview
    for reason in REASONS.values():
        assert f"  {reason.slug} " in overview
    assert "{" not in overview
    assert {*RULES, *REASONS} == set(explain.names())


@pytest.mark.parametrize("name", ["SAI002", "sai002"])
def test_a_code_is_explained_with_its_reasons(reasons: None, name: str) -> None:
    explained = explain.explain(name)
    assert explained is not None
    assert explained.startswith(f"SAI002: {RULES['SAI002'].title}\n\nWhy:\n  ")
    assert "\nWhat to do:\n  " in explained
    assert "uri-seen" in explained
    assert "upload-odd" not in explained


def test_a_reason_is_explained(reasons: None) -> None:
    assert (explain.explain("UPLOAD-ODD") or "").startswith("upload-odd: the upload is odd\n")
    assert explain.explain("uri-seen") == (
        "uri-seen: its URI is seen\n\n"
        f"A reason of SAI002:\n  {RULES['SAI002'].title}\n\n"
        "What to do:\n  Look at it closely.\n"
    )


def test_what_can_be_copied_from_an_explanation_is_on_one_line() -> None:
    for rule in RULES.values():
        explained = explain.explain(rule.code) or ""
        quoted = re.findall("`[^`]*`", rule.by_hand)
        assert [one for one in quoted if one not in explained] == []


def test_a_name_that_is_neither_is_not_explained() -> None:
    assert explain.explain("SAI999") is None


def test_the_numbers_of_a_run_add_up() -> None:
    for report in (REPORT, FIXED, EMPTY):
        counted = summarize(report)
        assert counted.findings == counted.safe + counted.unsafe + counted.none
    assert summarize(FIXED).fixed == 1
    assert summarize(FIXED).fixed_files == 1
