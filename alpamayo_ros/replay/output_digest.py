"""The digest of what a replay said, independent of how it was stored."""

import hashlib
from array import array

import numpy as np

_DIGEST_BYTES = 32


class OutputDigest:
    """Digest over lines ``interface, t0 ns, sha256 of canonical message``, sorted by t0 and interface.

    A canonical message is the little-endian CDR form with ``lineage_id`` and ``envelope_id`` set to the empty
    text, so that a changed lineage alone changes no output digest.

    Lines are kept until the end, because time may step back; they are packed, 41 bytes each.
    """

    def __init__(self) -> None:
        self._interfaces: dict[str, int] = {}
        self._t0_ns = array("q")
        self._interface = array("B")
        self._digests = bytearray()

    def add(self, interface: str, t0_ns: int, canonical: bytes) -> None:
        """Take one output."""
        self._t0_ns.append(t0_ns)
        self._interface.append(self._interfaces.setdefault(interface, len(self._interfaces)))
        self._digests += hashlib.sha256(canonical).digest()

    def digest(self) -> str:
        """Return ``sha256:`` and the digest of everything taken so far."""
        names = list(self._interfaces)
        rank = np.argsort(np.argsort(names)) if names else np.zeros(0, dtype=np.int64)
        interface = np.asarray(self._interface, dtype=np.int64)
        # lexsort is stable: outputs of equal t0 (of different epochs) keep their order.
        order = np.lexsort((rank[interface], np.asarray(self._t0_ns)))
        total = hashlib.sha256()
        for row in order.tolist():
            digest = self._digests[row * _DIGEST_BYTES : (row + 1) * _DIGEST_BYTES]
            total.update(f"{names[self._interface[row]]}\t{self._t0_ns[row]}\t{digest.hex()}\n".encode())
        return f"sha256:{total.hexdigest()}"
