"""Which packages carry the API model, and from which version on it has ``Body``.

The versions are those of the AWS SDK for Python's releases (botocore's changelog, June 2026):
1.43.29 is the first botocore whose InvokeEndpointAsync has ``Body``, boto3 X requires botocore X or
newer of the same minor series, and the stubs are built from the botocore of their own number.
"""

from __future__ import annotations

import re

#: The first version whose model of InvokeEndpointAsync has ``Body``.
FLOOR = "1.43.29"

#: The first Python that this SDK runs on.
FIRST_PYTHON = (3, 10)

#: The packages with such a version of their own, by their normalised name.
PACKAGES = frozenset(
    {
        "boto3",
        "boto3-stubs",
        "botocore",
        "mypy-boto3-sagemaker-runtime",
        "types-boto3",
        "types-boto3-sagemaker-runtime",
    }
)

#: The newest aioboto3 there is. It pins aiobotocore 2.25.1 and with it botocore < 1.40.62.
LAST_AIOBOTO3 = "15.5.0"

#: The first aiobotocore that can be installed with the floor, and the first that demands it.
FIRST_AIOBOTOCORE_THAT_ALLOWS = "3.8"
FIRST_AIOBOTOCORE_THAT_GUARANTEES = "3.10"

AIOBOTO3, AIOBOTOCORE = "aioboto3", "aiobotocore"

#: Whoever names one of them has this in it, in lower or upper case.
NEEDLE = re.compile(rb"boto(?:3|core)", re.IGNORECASE)


def normalised(name: str) -> str:
    """Return the form of a distribution's name that names are compared in (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def concerns(name: str) -> bool:
    """Whether a requirement of this package has a say in the version of the SDK."""
    return normalised(name) in PACKAGES or normalised(name) in (AIOBOTO3, AIOBOTOCORE)
