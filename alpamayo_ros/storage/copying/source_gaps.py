"""How the bags that are merged lie in time: parts of one drive follow each other or overlap."""

from collections.abc import Sequence

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.storage.copying.bag_time import span_text, utc_text
from alpamayo_ros.storage.copying.source import CopySource

_NS_PER_S = 1_000_000_000
WARNED_GAP_NS = 10 * _NS_PER_S
MAX_GAP_NS = 86_400 * _NS_PER_S
"""Beyond a day it is another drive, another computer's clock, or the wrong bag."""


def gap_warnings(sources: Sequence[CopySource], *, allow_any: bool) -> tuple[str, ...]:
    """Return one sentence for each gap of more than WARNED_GAP_NS between bags.

    Args:
        sources: The bags; those without messages lie nowhere.
        allow_any: Whether gaps of more than MAX_GAP_NS are wanted.

    Raises:
        ConfigurationError: Bags are more than MAX_GAP_NS apart.
    """
    spans = [
        (source.reader.start_ns, source.reader.end_ns, str(source.path))
        for source in sources
        if source.reader.start_ns is not None and source.reader.end_ns is not None
    ]
    spans.sort()
    warnings = []
    furthest = spans[:1]
    for start_ns, last_ns, later in spans[1:]:
        _, end_ns, earlier = furthest[0]
        if last_ns > end_ns:
            furthest = [(start_ns, last_ns, later)]
        if start_ns - end_ns <= WARNED_GAP_NS:
            continue
        gap = (
            f"bag {earlier} ends at {utc_text(end_ns)} UTC and bag {later} begins at {utc_text(start_ns)} UTC, "
            f"{span_text(start_ns - end_ns)} later"
        )
        if start_ns - end_ns > MAX_GAP_NS and not allow_any:
            raise ConfigurationError(
                f"{gap}; expected parts of one drive, at most a day apart: "
                "--allow-different-tags merges them all the same"
            )
        warnings.append(gap)
    return tuple(warnings)
