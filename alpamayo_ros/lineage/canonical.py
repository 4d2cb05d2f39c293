"""Canonical documents and the ids that are their digests."""

import hashlib
from typing import Any

import rfc8785

_MAX_EXACT = 2**53 - 1


def canonical_json(document: Any) -> bytes:
    """Return the RFC 8785 form of a document.

    Integers of 2^53 and more become decimal strings, because JSON numbers cannot hold them exactly.

    Raises:
        ValueError: The document holds something that JSON cannot, such as NaN or a non-text key.
    """
    try:
        return rfc8785.dumps(_exact(document))
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"document cannot be put into canonical form: {error}") from error


def _exact(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= _MAX_EXACT else str(value)
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_exact(item) for item in value]
    return value


def document_id(document: Any) -> str:
    """Return ``sha256:`` and the digest of the canonical form of a document."""
    return bytes_id(canonical_json(document))


def bytes_id(data: bytes) -> str:
    """Return ``sha256:`` and the digest of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
