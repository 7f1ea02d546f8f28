"""A program does the same however it is divided into helpers and modules, before and after.

More examples with ``ASYNC_INLINE_EXAMPLES=2000 pytest tests/test_property_helpers.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, note

from codemod.files import find
from codemod.model import Finding, Fix, Settings, Task
from codemod.run import run
from tests.equivalence import differences, payloads
from tests.execution import Project, Script, execute, scratch_folder
from tests.helper_compositions import (
    CALL,
    CHECKS,
    FALLBACKS,
    HANDLER,
    KEYS,
    ORDERS,
    PAYLOADS,
    STORAGE,
    VERDICTS,
    Shape,
    in_one_function,
    shapes,
    through_helpers,
)
from tests.test_property import composed

SIZES = (0, 1, 128_000, 128_001)

#: The share of the programs that must be rewritten. Others may stay, such as those whose call has
#: no content type, or whose payload goes through a function that would have to be split.
MOST = 0.33


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


def does_the_same(shape: Shape, tell: Callable[[str], object] = str) -> bool:
    """Assert that a program does the same as before and as one function; tell if it is fixed."""
    script = Script(call=CALL, payloads=(shape.kind,), sizes=SIZES, announces=("upload",))
    plain, divided = in_one_function(shape), through_helpers(shape)
    for name, content in divided.modules.items():
        tell(f"# {name}\n{content.decode()}")
    plain_after, _ = rewritten(plain)
    after, findings = rewritten(divided)
    for name, content in after.modules.items():
        if content != divided.modules[name]:
            tell(f"# {name}, rewritten\n{content.decode()}")
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
    return is_fixed


def test_helpers_make_no_difference() -> None:
    fixed: list[bool] = []

    @composed
    @given(shapes())
    def check(shape: Shape) -> None:
        fixed.append(does_the_same(shape, note))

    check()
    assert sum(fixed) > MOST * len(fixed)


#: A program whose payload is made step by step in a function of another module.
STEP_BY_STEP = Shape(
    payload="buffer",
    is_named=True,
    key=KEYS[0],
    key_at=0,
    check=None,
    is_checked_first=False,
    guarded=None,
    caught="ClientError",
    logged=None,
    data="data",
    name="name",
    tag=None,
    order="positions",
    uploads="uri",
    verdict=VERDICTS[0],
    fallback=None,
    is_located=True,
    is_nested=False,
    takes_key=False,
    hands=1,
    invokes=False,
    is_stamped=False,
    storage=STORAGE,
    client=HANDLER,
    method=False,
    beside=True,
    style="from",
    upload_type=False,
    call_type=True,
)


@pytest.mark.parametrize(
    "changes",
    [
        *({"payload": payload, "is_named": False} for payload in PAYLOADS),
        *({"key_at": number} for number in range(5)),
        *({"check": check} for check in CHECKS),
        *({"check": check, "is_checked_first": True} for check in CHECKS if check != "payload"),
        *({"guarded": guarded} for guarded in ("upload", "all")),
        *({"logged": logged} for logged in ("before", "after")),
        *({"data": data} for data in ("wrapped(data)", "json.dumps(data)")),
        {"name": "drawn(name)"},
        {"is_nested": True},
        *({"uploads": "key", "is_located": named} for named in (True, False)),
        *({"uploads": "both", "is_located": named} for named in (True, False)),
        {"uploads": "key", "invokes": True, "takes_key": True},
        {"uploads": "nothing", "invokes": True, "takes_key": True},
        *(
            {"uploads": "nothing", "fallback": fallback, "hands": hands}
            for fallback in FALLBACKS
            for hands in (1, 2)
        ),
        *({"uploads": "whether", "verdict": verdict} for verdict in VERDICTS),
        *({"uploads": "whether", "verdict": one, "invokes": True} for one in VERDICTS),
        {"data": "json.dumps(data)", "name": "turned(data, name)"},
        *({"tag": tag, "order": order} for tag in ("logged", "ignored") for order in ORDERS),
        {"is_stamped": True, "invokes": True},
    ],
    ids=lambda changes: ", ".join(map(str, changes.values())),
)
def test_each_of_them_is_rewritten(changes: dict[str, Any]) -> None:
    assert does_the_same(replace(STEP_BY_STEP, **changes))
