"""The language that a small driving model answers in: words, one cause with its box, one meta-action.

One answer is ``<bos> words... <cause> LABEL [<camK> <xA> <yB> <xC> <yD>] <meta> LON LAT LANE <eos>``. The box holds
left, top, right and bottom edges in bins of BIN_PX px of the model's picture, and stands there only if the cause has
one. Words are lower case; ``,`` and ``.`` are words of their own. A list of tokens lies beside the weights: the index
of a token is its id.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import takewhile
from typing import TypeVar

from alpamayo_ros.errors import ArtifactError
from alpamayo_ros.reasoning.driving_words import WORDS
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction

BIN_PX = 4
"""Edges of boxes are whole multiples of this, in px of the model's picture."""

MAX_WORDS = 24
MAX_TOKENS = 40
"""Longest answer, with the tokens at its ends."""

PADDING, BEGIN, END, CAUSE, META = "<pad>", "<bos>", "<eos>", "<cause>", "<meta>"

NO_CAUSE = "none"
LABELS = (
    "lead_vehicle",
    "stopped_vehicle",
    "cut_in_vehicle",
    "crossing_pedestrian",
    "red_light",
    "oncoming_vehicle",
    "crossing_vehicle",
    "merging_vehicle",
    "construction",
    "lane_end",
    "curve",
)
"""What a cause can be."""

CAMERA_COUNT = 4
COLUMN_BINS = 40
ROW_BINS = 24

_Action = TypeVar("_Action", LongitudinalAction, LateralAction, LaneAction)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one sequence of tokens says.

    Attributes:
        words: Words and punctuation of the reasoning text.
        label: What the cause is, empty for none.
        camera: Index of the camera that the box belongs to, None without a box.
        box_bins: Left, top, right, bottom edge in bins; None without a box.
        longitudinal: Meta-action along the path.
        lateral: Meta-action across the path.
        lane: Meta-action in terms of lanes.
    """

    words: tuple[str, ...]
    label: str = ""
    camera: int | None = None
    box_bins: tuple[int, int, int, int] | None = None
    longitudinal: LongitudinalAction = LongitudinalAction.UNKNOWN
    lateral: LateralAction = LateralAction.UNKNOWN
    lane: LaneAction = LaneAction.UNKNOWN

    @property
    def text(self) -> str:
        """The words as sentences: capital letters first, no blank before punctuation."""
        text = ""
        for word in self.words:
            capital = not text or text.endswith(".") or word == "i"
            blank = "" if not text or word in (",", ".") else " "
            text += blank + (word.capitalize() if capital else word)
        return text

    @property
    def box_px(self) -> tuple[float, float, float, float] | None:
        """Left, top, width, height in px of the model's picture; None without a box."""
        if self.box_bins is None:
            return None
        left, top, right, bottom = (float(edge * BIN_PX) for edge in self.box_bins)
        return left, top, right - left, bottom - top


def vocabulary() -> tuple[str, ...]:
    """Return every token of this version, in the order of their ids."""
    return (
        PADDING,
        BEGIN,
        END,
        CAUSE,
        META,
        *(f"<{label}>" for label in (NO_CAUSE, *LABELS)),
        *_action_tokens(LongitudinalAction),
        *_action_tokens(LateralAction),
        *_action_tokens(LaneAction),
        *(f"<cam{index}>" for index in range(CAMERA_COUNT)),
        *(f"<x{index}>" for index in range(COLUMN_BINS + 1)),
        *(f"<y{index}>" for index in range(ROW_BINS + 1)),
        *WORDS,
    )


def read_vocabulary(data: bytes, what: str) -> tuple[str, ...]:
    """Return the tokens of a vocabulary file.

    Args:
        data: JSON list of different strings; the index of a token is its id.
        what: For error texts.

    Raises:
        ArtifactError: It is something else, or tokens of the language are missing.
    """
    try:
        tokens = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{what} is no JSON: {error}; expected a list of tokens") from error
    if not isinstance(tokens, list) or not all(isinstance(token, str) and token for token in tokens):
        raise ArtifactError(f"{what} is no list of strings; expected a list of tokens")
    if len(set(tokens)) != len(tokens):
        raise ArtifactError(f"{what} names a token twice; expected {len(set(tokens))} different ones")
    unreadable = [token for token in tokens if not token.isprintable() or " " in token]
    if unreadable:
        raise ArtifactError(
            f"{what} has the token {unreadable[0]!r}; expected tokens that can be printed, without blanks"
        )
    missing = sorted(_STRUCTURE - set(tokens))
    if missing:
        raise ArtifactError(f"{what} lacks {', '.join(missing)}; expected every token that the language is made of")
    return tuple(tokens)


class DrivingLanguage:
    """Between answers and token ids, for one list of tokens."""

    def __init__(self, tokens: Sequence[str] | None = None) -> None:
        """Bind a list of tokens, this version's by default."""
        self.tokens = tuple(vocabulary() if tokens is None else tokens)
        self._ids = {token: index for index, token in enumerate(self.tokens)}
        self.begin_id = self._ids[BEGIN]
        self.end_id = self._ids[END]

    def encode(self, answer: Answer) -> list[int]:
        """Return the ids of an answer, from ``<bos>`` to ``<eos>``.

        Raises:
            ValueError: A word, label, camera or edge has no token, a meta-action is unknown, or it is too long.
        """
        tokens = [BEGIN, *answer.words, CAUSE, f"<{answer.label or NO_CAUSE}>"]
        if answer.box_bins is not None:
            left, top, right, bottom = answer.box_bins
            tokens += [f"<cam{answer.camera}>", f"<x{left}>", f"<y{top}>", f"<x{right}>", f"<y{bottom}>"]
        actions = (answer.longitudinal, answer.lateral, answer.lane)
        tokens += [META, *(_action_token(action) for action in actions), END]
        unknown = [token for token in tokens if token not in self._ids]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is no token; expected tokens of the vocabulary")
        if len(answer.words) > MAX_WORDS:
            raise ValueError(f"answer has {len(answer.words)} words; expected at most {MAX_WORDS}")
        return [self._ids[token] for token in tokens]

    def decode(self, ids: Sequence[int]) -> Answer:
        """Return what ids say; what is not well formed is left unknown.

        Args:
            ids: Ids within the vocabulary, with or without the tokens at the ends.
        """
        tokens = [self.tokens[index] for index in ids if self.tokens[index] not in (BEGIN, PADDING)]
        tokens = list(takewhile(lambda token: token != END, tokens))
        body, meta = _split(tokens, META)
        words, cause = _split(body, CAUSE)
        rest = iter(meta)
        label, camera, box = _read_cause(cause)
        return Answer(
            words=tuple(word for word in words if not _is_structure(word)),
            label=label,
            camera=camera,
            box_bins=box,
            longitudinal=_read_action(rest, LongitudinalAction),
            lateral=_read_action(rest, LateralAction),
            lane=_read_action(rest, LaneAction),
        )


def _split(tokens: list[str], mark: str) -> tuple[list[str], list[str]]:
    """Return what stands before the first mark, and after it."""
    if mark not in tokens:
        return tokens, []
    place = tokens.index(mark)
    return tokens[:place], tokens[place + 1 :]


def _is_structure(token: str) -> bool:
    return token.startswith("<") and token.endswith(">")


def _read_cause(tokens: list[str]) -> tuple[str, int | None, tuple[int, int, int, int] | None]:
    named = _LABEL.fullmatch(tokens[0]) if tokens else None
    if named is None or tokens[0] in _STRUCTURE:
        return "", None, None
    label = named.group(1)
    numbers = [_read_number(token, kind) for token, kind in zip(tokens[1:], _BOX_TOKENS, strict=False)]
    known = [number for number in numbers if number is not None]
    if len(known) < len(_BOX_TOKENS):
        return label, None, None
    camera, left, top, right, bottom = known
    if left >= right or top >= bottom:
        return label, None, None
    return label, camera, (left, top, right, bottom)


def _read_number(token: str, kind: str) -> int | None:
    named = _NUMBER.fullmatch(token)
    return int(named.group(2)) if named is not None and named.group(1) == kind else None


def _read_action(tokens: Iterator[str], kind: type[_Action]) -> _Action:
    token = next(tokens, "")
    return next((action for action in kind if action and _action_token(action) == token), kind.UNKNOWN)


def _action_token(action: IntEnum) -> str:
    return f"<{action.name.lower()}>"


def _action_tokens(kind: type[IntEnum]) -> list[str]:
    return [_action_token(action) for action in kind if action]


_ACTIONS = frozenset(
    token for kind in (LongitudinalAction, LateralAction, LaneAction) for token in _action_tokens(kind)
)
_STRUCTURE = frozenset({BEGIN, END, CAUSE, META, f"<{NO_CAUSE}>"}) | _ACTIONS
_BOX_TOKENS = ("cam", "x", "y", "x", "y")
_NUMBER = re.compile("<(cam|x|y)([0-9]{1,4})>")
_LABEL = re.compile("<([a-z_]+)>")
