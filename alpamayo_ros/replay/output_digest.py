"""The digest of what a replay said, independent of how it was stored."""

import hashlib


class OutputDigest:
    """Digest over lines ``interface, t0 ns, sha256 of canonical message``, sorted by t0 and interface.

    A canonical message is the little-endian CDR form with ``lineage_id`` and ``envelope_id`` set to the empty
    text, so that a changed lineage alone changes no output digest.
    """

    def __init__(self) -> None:
        self._lines: list[tuple[int, str, int, bytes]] = []

    def add(self, interface: str, t0_ns: int, canonical: bytes) -> None:
        """Take one output."""
        # The running number keeps outputs of equal t0 (of different epochs) in their order.
        self._lines.append((t0_ns, interface, len(self._lines), hashlib.sha256(canonical).digest()))

    def digest(self) -> str:
        """Return ``sha256:`` and the digest of everything taken so far."""
        total = hashlib.sha256()
        for t0_ns, interface, _, digest in sorted(self._lines):
            total.update(f"{interface}\t{t0_ns}\t{digest.hex()}\n".encode())
        return f"sha256:{total.hexdigest()}"
