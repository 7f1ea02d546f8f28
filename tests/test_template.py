"""Spellings of keys and addresses: which are the same object, and which are not."""

from __future__ import annotations

import pytest

from tests.snippets import program, rewritten, verdicts, what_differs

SAME = [
    ("name", "f's3://inputs/{name}'", "a name in an f-string"),
    ("name", "f's3://inputs/{name!s}'", "a conversion to text"),
    ("name", "'s3://inputs/' + str(name)", "str() around a name"),
    ("name", "'s3://inputs/%s' % name", "percent with one value"),
    ("name", "'s3://%s/%s' % ('inputs', name)", "percent with two values"),
    ("name", "'s3://inputs/{}'.format(name)", "format with an automatic field"),
    ("name", "'s3://{1}/{0}'.format(name, 'inputs')", "format with numbers"),
    ("name", "'s3://{b}/{k}'.format(k=name, b='inputs')", "format with names"),
    ("name", "'s3:' '//inputs/' + name", "literals side by side"),
    ("name", "'/'.join(['s3:/', 'inputs', name])", "join of a list"),
    ("name", "'/'.join(('s3:/', 'inputs', name))", "join of a tuple"),
    ("'a/' + name", "'s3://inputs/' + os.path.join('a', name)", "os.path.join"),
    ("'a/' + name", "'s3://inputs/' + posixpath.join('a', name)", "posixpath.join"),
    ("'a/' + name", "'s3://inputs/' + os.path.join('a/', name)", "a slash too many"),
    ("f'{{{name}}}'", "'s3://inputs/{' + name + '}'", "doubled braces"),
    ("f'a\\x2fb'", "'s3://inputs/a/b'", "an escape in an f-string"),
    ("rf'a/{name}'", "fr's3://inputs/a/{name}'", "raw f-strings"),
    ("'%d%%' % 5", "'s3://inputs/' + '%d%%' % 5", "the same expression"),
    ("f'{1}'", "'s3://inputs/1'", "a number"),
    ("f'{name:>8}'", "f's3://inputs/{name:>8}'", "the same format"),
    ("seen[0]['key']", "f\"s3://inputs/{seen[0]['key']}\"", "the same item, spelled alike"),
    ("seen[0]['key']", "'s3://inputs/' + seen[0][\"key\"]", "the same item in other quotes"),
    ("name", "f'https://inputs.s3.amazonaws.com/{name}'", "https without a region"),
    ("name", "f'https://inputs.s3.eu-west-1.amazonaws.com/{name}'", "https with a region"),
    ("name", "f'https://s3.eu-west-1.amazonaws.com/inputs/{name}'", "https with a path"),
    ("name", "f'https://inputs.s3-eu-west-1.amazonaws.com/{name}'", "https with a dash"),
    ("(key := name)", "f's3://inputs/{name}'", "a walrus"),
]

OTHER = [
    ("name", "f's3://inputs/{name}.bin'", "a suffix"),
    ("name", "f's3://outputs/{name}'", "another bucket"),
    ("name", "f's3://inputs/{name!r}'", "a representation"),
    ("name", "f's3://inputs/{name:>8}'", "a format"),
    ("name", "'s3://inputs/%r' % name", "another conversion"),
    ("name", "'s3://inputs/%s%s' % (name,)", "a value too few"),
    ("name", "'s3://inputs/{:>8}'.format(name)", "a format specification"),
    ("name", "'s3://inputs/{5}'.format(name)", "a number without a value"),
    ("name", "'s3://inputs/{'.format(name)", "a broken format"),
    ("name", "'s3://inputs/{}'.format(*seen)", "starred values"),
    ("name", "'/'.join(seen)", "a list nobody knows"),
    ("name", "'/'.join([*seen, name])", "a starred list"),
    ("name", "'s3://inputs/' - name", "nonsense"),
    ("name", "f'https://inputs.s3.amazonaws.com/x/{name}'", "another path"),
    ("name", "f'https://inputs.example.com/{name}'", "another host"),
    ("name", "f'https://s3.amazonaws.com/outputs/{name}'", "another bucket in a path"),
    ("name", "f'https://{name}'", "a host without an end"),
    ("name", "f's3://inputs/{name.upper()}'", "another method"),
    ("str(seen.pop())", "f's3://inputs/{seen.pop()}'", "a value that is new each time"),
    ("f'{1 + 2}'", "'s3://inputs/12'", "numbers that are added"),
    ("f'\\N{SLIGHTLY SMILING FACE}'", "'s3://inputs/x'", "an escape that needs its name"),
    (f"f'{{{'9' * 5000}}}'", "'s3://inputs/9'", "more digits than Python reads"),
]


def with_address(key: str, address: str) -> str:
    return program(
        f"""
        s3.put_object(Bucket="inputs", Key={key}, Body=data)
        return runtime.invoke_endpoint_async(EndpointName="e", InputLocation={address})
        """
    )


@pytest.mark.parametrize(
    ("key", "address"), [case[:2] for case in SAME], ids=[case[2] for case in SAME]
)
def test_an_address_that_names_the_object_is_recognised(key: str, address: str) -> None:
    assert verdicts(with_address(key, address)) != []
    assert verdicts(with_address(key, address)) != ["uri-unproven"]


@pytest.mark.parametrize(
    ("key", "address"), [case[:2] for case in OTHER], ids=[case[2] for case in OTHER]
)
def test_an_address_that_may_name_something_else_is_not_rewritten(key: str, address: str) -> None:
    text = with_address(key, address)
    assert verdicts(text) in ([], ["uri-unproven"])
    assert rewritten(text) == text


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            """
            key = "a/"
            key += name
            s3.put_object(Bucket="inputs", Key=key, Body=data)
            runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://inputs/a/" + name)
            """,
            id="text that grows",
        ),
        pytest.param(
            """
            bucket = "inputs"
            where = bucket
            uri = f"s3://{where}/{name}"
            place = uri
            s3.put_object(Bucket=bucket, Key=name, Body=data)
            runtime.invoke_endpoint_async(EndpointName="e", InputLocation=place)
            """,
            id="names for names",
        ),
        pytest.param(
            """
            bucket, key = "inputs", f"a/{name}"
            s3.put_object(Bucket=bucket, Key=key, Body=data)
            runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://{bucket}/{key}")
            """,
            id="names bound together",
        ),
        pytest.param(
            """
            key = os.path.basename("folder/" + name)
            s3.put_object(Bucket="inputs", Key=key, Body=data)
            runtime.invoke_endpoint_async(
                EndpointName="e", InputLocation="s3://inputs/" + os.path.basename("folder/" + name)
            )
            """,
            id="a base name",
        ),
        pytest.param(
            """
            target = boto3.resource("s3").Object("inputs", name)
            target.put(Body=data)
            runtime.invoke_endpoint_async(
                EndpointName="e", InputLocation=f"s3://{target.bucket_name}/{target.key}"
            )
            """,
            id="attributes of the object",
        ),
    ],
)
def test_an_address_is_followed_through_assignments(body: str) -> None:
    assert verdicts(program(body)) == ["safe"]
    assert what_differs(program(body)) == []
