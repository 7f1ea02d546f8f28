"""What went wrong on the way to AWS, in one sentence that says what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any


class LiveError(Exception):
    """The check cannot be made; the message is one sentence for the user."""


#: The permission that an operation needs, where it is not called like the operation.
_ACTIONS = {
    "DescribeEndpoint": "sagemaker:DescribeEndpoint",
    "DescribeEndpointConfig": "sagemaker:DescribeEndpointConfig",
    "InvokeEndpointAsync": "sagemaker:InvokeEndpointAsync",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
}

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden"})
_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
)
_UNKNOWN_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_BUSY = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
)

_SIGN_IN = "sign in again, for example with `aws sso login`, and run this again"


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn what botocore raises into a :class:`LiveError`.

    Raises:
        LiveError: Instead of any ``BotoCoreError`` or ``ClientError`` of the block, and of the
            ``ValueError`` that an odd address or header is to those below botocore.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise LiveError(_refused(error.response, error.operation_name)) from error
    except (BotoCoreError, ValueError) as error:
        raise LiveError(_not_sent(error)) from error


def code(response: Mapping[str, Any]) -> str:
    """Return the code of the error in a response of AWS, empty if there is none."""
    return str(response.get("Error", {}).get("Code", ""))


def status(response: Mapping[str, Any]) -> int:
    """Return the HTTP status of a response of AWS, 0 if there is none."""
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_about_credentials(response: Mapping[str, Any]) -> bool:
    """Whether AWS refused who asked and not what was asked."""
    return code(response) in _DENIED | _EXPIRED | _UNKNOWN_CREDENTIALS


def _refused(response: Mapping[str, Any], operation: str) -> str:
    found = code(response)
    message = " ".join(str(response.get("Error", {}).get("Message", "")).split()).rstrip(".")
    if found in _DENIED:
        action = _ACTIONS.get(operation, operation)
        return f"AWS denies {operation} ({message}): allow {action} for the credentials in use"
    if found in _EXPIRED:
        return f"the credentials have expired ({found}): {_SIGN_IN}"
    if found in _UNKNOWN_CREDENTIALS:
        return (
            f"AWS does not accept the credentials ({found}: {message}): check the access key or"
            " choose another one with --profile"
        )
    if found in _BUSY:
        return f"AWS is busy with too many requests ({found}): wait a little and run this again"
    if "could not find endpoint" in message.lower() or "not found" in message.lower():
        return (
            f"{operation} found nothing ({message}): check the endpoint's name, the region and the"
            " account"
        )
    if found == "NoSuchBucket":
        bucket = response.get("Error", {}).get("BucketName")
        named = f" {bucket}" if bucket else ""
        return f"there is no bucket{named}, which {operation} needs: create it or name another one"
    if status(response) >= 500:
        return f"AWS could not do {operation} ({found}: {message}): run this again later"
    return f"AWS refuses {operation} ({found}: {message}): change the request accordingly"


def _not_sent(error: Exception) -> str:
    from botocore import exceptions

    said = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, exceptions.NoCredentialsError):
        return (
            "there are no AWS credentials: choose some with --profile, set AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY, or run `aws configure`"
        )
    if isinstance(error, exceptions.ProfileNotFound):
        return f"{said}: see `aws configure list-profiles` for those there are"
    if isinstance(error, (exceptions.SSOError, exceptions.TokenRetrievalError)):
        return f"the sign-in has expired or was never made ({said}): {_SIGN_IN}"
    if isinstance(error, (exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError)):
        return f"the AWS credentials are incomplete ({said}): complete them or use --profile"
    if isinstance(error, (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError)):
        return f"AWS did not answer in time ({said}): check the network and run this again"
    if isinstance(error, (exceptions.ConnectionError, exceptions.HTTPClientError)):
        return f"AWS cannot be reached ({said}): check the network, the proxy and the region"
    return f"the SDK cannot send the request ({said}): change it accordingly"
