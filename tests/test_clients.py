"""What receivers are: boto3's, somebody else's, or nobody knows."""

# ruff: noqa: E501, ISC004 - a program in a table is easier to read on one line

from __future__ import annotations

import pytest

from tests.snippets import notes, program, verdicts

PAIR = """
{s3}.put_object(Bucket="inputs", Key=name, Body=data)
{runtime}.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://inputs/{{name}}")
"""


def pair(header: str, s3: str = "s3", runtime: str = "runtime", **more: str) -> str:
    return program(PAIR.format(s3=s3, runtime=runtime), header=header, **more)


MADE = [
    ("import boto3\ns3 = boto3.client('s3')\nruntime = boto3.client('sagemaker-runtime')", "clients"),
    ("import boto3\ns3 = boto3.client(service_name='s3')\nruntime = boto3.client('runtime.sagemaker')",
     "other spellings of the services"),
    ("import boto3\nS = 's3'\ns3 = boto3.client(S)\nruntime = boto3.client(S + 'x')",
     "a service in a constant"),
    ("import boto3\ns = boto3.Session()\ns3, runtime = s.client('s3'), s.client('sagemaker-runtime')",
     "clients of a session"),
    ("from boto3 import client\ns3 = client('s3')\nruntime = client('sagemaker-runtime')",
     "an imported factory"),
    ("import boto3\ns3: object = boto3.client('s3')\nruntime: object = boto3.client('sagemaker-runtime')",
     "annotated variables"),
    ("import boto3\ns3 = None or boto3.client('s3')\nruntime = boto3.client('sagemaker-runtime') if s3 else None",
     "alternatives"),
    ("import boto3\nif (s3 := boto3.client('s3')): runtime = boto3.client('sagemaker-runtime')", "a walrus"),
    ("from clients import s3, runtime", "imported clients"),
    ("s3 = make('s3')\nruntime = make('runtime')", "an unknown factory"),
    ("import boto3\ndef make(service):\n    return boto3.client(service)\ns3 = make('s3')\nruntime = make('r')",
     "a factory of the file"),
    ("import boto3\ndef make():\n    return boto3.client('s3')\ns3 = make()\nruntime = boto3.client('sagemaker-runtime')",
     "a factory of the file that says what it makes"),
    ("import contextlib, boto3\nstack = contextlib.ExitStack()\n"
     "s3 = stack.enter_context(boto3.client('s3'))\nruntime = boto3.client('sagemaker-runtime').__enter__()",
     "entered contexts"),
    ("s3 = s3\nruntime = runtime", "names that refer to themselves"),
]  # fmt: skip


@pytest.mark.parametrize("header", [case[0] for case in MADE], ids=[case[1] for case in MADE])
def test_what_is_or_may_be_a_client_of_boto3_is_seen(header: str) -> None:
    assert verdicts(pair(header)) == ["safe"]


FOREIGN = [
    ("import boto3\ns3 = boto3.client('s3')\nruntime = boto3.client('dynamodb')",
     "a client of another service"),
    ("from unittest.mock import MagicMock\nimport boto3\ns3 = boto3.client('s3')\nruntime = MagicMock()",
     "a mock"),
    ("from unittest import mock\nimport boto3\ns3 = boto3.client('s3')\nruntime = mock.create_autospec(object)",
     "an autospec"),
    ("class Runtime: pass\nimport boto3\ns3 = boto3.client('s3')\nruntime = Runtime()",
     "an object of a class of the file"),
    ("class Runtime: pass\ndef make(): return Runtime()\nimport boto3\ns3 = boto3.client('s3')\nruntime = make()",
     "an object that a function of the file makes"),
]  # fmt: skip


@pytest.mark.parametrize("header", [case[0] for case in FOREIGN], ids=[case[1] for case in FOREIGN])
def test_what_is_certainly_not_a_runtime_client_is_left_alone(header: str) -> None:
    assert verdicts(pair(header)) == []
    assert notes(pair(header)) == ["the receiver is not a boto3 client"]


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("s3: S3Client, runtime: SageMakerRuntimeClient, data: bytes, name", ["safe"]),
        ("s3: 'S3Client', runtime: 'SageMakerRuntimeClient', data: bytes, name", ["safe"]),
        ("s3: Optional[S3Client], runtime: Any, data: bytes, name", ["safe"]),
        ("s3, runtime, data: bytes, name", ["safe"]),
        ("s3, fake_runtime, data: bytes, name", []),
        ("s3, runtime: MockRuntime, data: bytes, name", []),
        ("s3, runtime: 'MagicMock', data: bytes, name", []),
    ],
)
def test_parameters_tell_by_annotation_or_name(signature: str, expected: list[str]) -> None:
    runtime = "fake_runtime" if "fake_runtime" in signature else "runtime"
    assert verdicts(pair("import boto3", runtime=runtime, signature=signature)) == expected


CLASS = """\
import boto3


class Base:
    def close(self):
        return None


class Service(Base):
    {made}

    def __init__(self, s3=boto3.client("s3"), runtime=None):
        self.s3 = s3
        {stored}

    def submit(self, data: bytes, name):
        self.s3.put_object(Bucket="inputs", Key=name, Body=data)
        {called}(EndpointName="e", InputLocation=f"s3://inputs/{{name}}")

    {defined}
"""


@pytest.mark.parametrize(
    ("made", "stored", "called", "defined", "expected"),
    [
        pytest.param(
            "pass",
            'self.runtime = runtime or boto3.client("sagemaker-runtime")',
            "self.runtime.invoke_endpoint_async",
            "pass",
            ["safe"],
            id="stored on self",
        ),
        pytest.param(
            'runtime = boto3.client("sagemaker-runtime")',
            "pass",
            "self.runtime.invoke_endpoint_async",
            "pass",
            ["safe"],
            id="in the body of the class",
        ),
        pytest.param(
            'runtime = boto3.client("sagemaker-runtime")',
            "pass",
            "Service.runtime.invoke_endpoint_async",
            "pass",
            ["safe"],
            id="by the name of the class",
        ),
        pytest.param(
            "pass",
            "self.runtime: SageMakerRuntimeClient = runtime",
            "self.runtime.invoke_endpoint_async",
            "pass",
            ["safe"],
            id="annotated on self",
        ),
        pytest.param(
            "pass",
            "self.runtime: MockRuntime = runtime",
            "self.runtime.invoke_endpoint_async",
            "pass",
            [],
            id="annotated as a fake",
        ),
        pytest.param(
            "pass",
            "self.mock_runtime = runtime",
            "self.mock_runtime.invoke_endpoint_async",
            "pass",
            [],
            id="a mock on self",
        ),
        pytest.param(
            "pass",
            "self.session = runtime",
            "self.session.sagemaker_runtime_client.invoke_endpoint_async",
            "pass",
            ["safe"],
            id="the runtime client of a sagemaker session",
        ),
        pytest.param(
            "pass",
            "pass",
            "self.invoke_endpoint_async",
            "def invoke_endpoint_async(self, **request): return request",
            [],
            id="a method of the class itself",
        ),
        pytest.param(
            "pass", "pass", "super().invoke_endpoint_async", "pass", ["safe"], id="of a base class"
        ),
    ],
)
def test_attributes_are_what_the_class_makes_them(
    made: str, stored: str, called: str, defined: str, expected: list[str]
) -> None:
    text = CLASS.format(made=made, stored=stored, called=called, defined=defined)
    assert verdicts(text) == expected


@pytest.mark.parametrize(
    ("made", "inline"),
    [
        ('boto3.client("sagemaker-runtime", "eu-west-1")', True),
        ('boto3.client("sagemaker-runtime", region_name="cn-north-1")', False),
        ('boto3.client("sagemaker-runtime", "us-gov-west-1")', False),
        ('boto3.Session(region_name="me-south-1").client("sagemaker-runtime")', False),
        ('boto3.Session(region_name="me-south-1").client("sagemaker-runtime", "eu-west-1")', True),
        ('boto3.client("sagemaker-runtime", region_name=REGION)', True),
        ('boto3.client("sagemaker-runtime", region_name=CHINA)', False),
        ('boto3.client("sagemaker-runtime", config=Config(region_name=CHINA))', False),
        ('boto3.client("sagemaker-runtime", config=Config(retries=RETRIES))', True),
        ('boto3.client("sagemaker-runtime", region_name="nowhere")', True),
    ],
)
def test_a_region_without_inline_payloads_is_left_alone(made: str, inline: bool) -> None:
    text = pair(
        f'import boto3\nREGION = input()\nCHINA = "cn-north-1"\ns3 = boto3.client("s3")\nruntime = {made}'
    )
    assert verdicts(text) == (["safe"] if inline else [])
    assert ["is not known to take inline payloads" in note for note in notes(text)] == [True] * (
        not inline
    )


@pytest.mark.parametrize(
    ("before", "inline"),
    [
        ('boto3.setup_default_session(region_name="cn-north-1")', False),
        ('boto3.setup_default_session(profile_name="scores")', True),
        ('os.environ["AWS_DEFAULT_REGION"] = "us-gov-west-1"', False),
        ('os.environ["AWS_REGION"] = "eu-west-1"', True),
        ('os.environ["AWS_REGION"] = input()', True),
        ('os.environ["REGION_NAME"] = "cn-north-1"', True),
    ],
)
def test_a_region_of_all_clients_is_known(before: str, inline: bool) -> None:
    client = 'boto3.client("sagemaker-runtime")'
    text = pair(f'import boto3, os\n{before}\ns3 = boto3.client("s3")\nruntime = {client}')
    assert verdicts(text) == (["safe"] if inline else [])


UPLOADERS = [
    ("boto3.resource('s3').meta.client.put_object(Bucket='inputs', Key=name, Body=data)", ["safe"]),
    ("boto3.resource('s3').Bucket('inputs').Object(name).put(Body=data)", ["safe"]),
    ("boto3.resource('s3').Bucket('inputs').Object(key=name).put(Body=data)", ["safe"]),
    ("boto3.resource('dynamodb').Object('inputs', name).put(Body=data)", []),
    ("cache.put(name, data)", []),
    ("cache.put_object(name, data)", []),
    ("bucket.put_object(Key=name, Body=data)", []),
    ("s3.put_object(Bucket='inputs', Body=data)", []),
    ("s3.put_object(Bucket='inputs', Key=name)", []),
    ("s3.upload_fileobj(io.BytesIO(data), 'inputs')", []),
    ("ftp.upload_file('inputs', name, data)", []),
    ("sftp.upload_file(name, 'inputs', name)", []),
    ("aws.upload_fileobj(io.BytesIO(data), 'inputs', name)", ["safe"]),
    ("storage.upload_fileobj(Fileobj=io.BytesIO(data), Bucket='inputs', Key=name)", ["safe"]),
    ("session.upload_data('inputs', name)", []),
    ("helper.upload('file', 's3://inputs')", []),
    ("helper.upload_bytes(data, f's3://inputs/{name}')", []),
    ("helper.upload_string_as_file_body(data, 'inputs')", []),
    ("s3.put_object", []),
]


@pytest.mark.parametrize(("upload", "expected"), UPLOADERS, ids=[case[0] for case in UPLOADERS])
def test_only_calls_that_upload_are_uploads(upload: str, expected: list[str]) -> None:
    assert verdicts(program(f"{upload}\nCALL")) == expected
