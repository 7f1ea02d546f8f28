"""A program does the same however it is divided into helpers and modules, before and after.

More examples with ``ASYNC_INLINE_EXAMPLES=2000 pytest tests/test_property_helpers.py``.
"""

from __future__ import annotations

from hypothesis import given, note

from codemod.files import find
from codemod.model import Finding, Fix, Settings, Task
from codemod.run import run
from tests.equivalence import differences, payloads
from tests.execution import Project, Script, execute, scratch_folder
from tests.helper_compositions import Shape, in_one_function, shapes, through_helpers
from tests.test_property import composed

SIZES = (0, 1, 128_000, 128_001)


def rewritten(project: Project) -> tuple[Project, list[Finding]]:
    with scratch_folder() as folder:
        (folder / "pyproject.toml").touch()
        for name, content in project.modules.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        report = run(find(["."]), Task(Settings(), rewrite=True), jobs=1)
    assert report.errors == ()
    after = {result.path: result.after for result in report.results if result.after is not None}
    found = [finding for result in report.results for finding in result.findings]
    return Project(project.main, {**project.modules, **after}, project.root), found


@composed
@given(shapes())
def test_helpers_make_no_difference(shape: Shape) -> None:
    script = Script(call="handle(PAYLOAD, 'n1')", payloads=(shape.kind,), sizes=SIZES)
    plain, divided = in_one_function(shape), through_helpers(shape)
    for name, content in divided.modules.items():
        note(f"# {name}\n{content.decode()}")
    plain_after, _ = rewritten(plain)
    after, findings = rewritten(divided)
    for name, content in after.modules.items():
        if content != divided.modules[name]:
            note(f"# {name}, rewritten\n{content.decode()}")
    assert findings, "a payload that goes through helpers is no silence"
    is_fixed = after != divided
    assert is_fixed is (findings[0].fix is Fix.SAFE)
    if is_fixed:
        assert differences(divided, after, script) == []
    for payload in payloads(plain, script):
        one, other = execute(plain_after, script, payload), execute(after, script, payload)
        assert one.returned == other.returned
        for direct, through in zip(one.invocations, other.invocations, strict=True):
            assert direct.payload == through.payload
            if is_fixed and plain_after != plain:
                assert (direct.route, direct.content_type) == (through.route, through.content_type)
