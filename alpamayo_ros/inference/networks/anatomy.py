"""Sizes of nano: what its three parts take in, and how large they are."""

from dataclasses import asdict, dataclass

CAMERAS = (
    "camera_cross_left_120fov",
    "camera_front_wide_120fov",
    "camera_cross_right_120fov",
    "camera_front_tele_30fov",
)
"""Cameras in the model's order."""
FRAMES = 2
HEIGHT_PX = 96
WIDTH_PX = 160
HISTORY_ROWS = 16
POINTS = 64
STEP_S = 0.1
NAVIGATION = ("none", "left", "right", "straight")
"""Navigation by index, as the reasoning decoder takes it."""
LONGEST_ANSWER = 40
"""Tokens of an answer, <bos> and <eos> included."""


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Sizes of one model.

    Attributes:
        vocabulary: Number of tokens.
        stem: Channels of the vision encoder at a quarter of the picture's size.
        middle: Channels at an eighth.
        width: Width D of vision tokens and reasoning states; channels at a sixteenth.
        heads: Attention heads of the decoder and of the expert.
        layers: Layers of the reasoning decoder.
        expert_width: Width of the action expert.
        expert_layers: Layers of the action expert.
        patch: Actions that one token of the expert carries.
    """

    vocabulary: int
    stem: int = 32
    middle: int = 64
    width: int = 128
    heads: int = 4
    layers: int = 4
    expert_width: int = 128
    expert_layers: int = 3
    patch: int = 4

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of vision tokens of one camera."""
        return HEIGHT_PX // 16, WIDTH_PX // 16

    @property
    def vision_tokens(self) -> int:
        """Number of vision tokens of all cameras."""
        rows, columns = self.cells
        return len(CAMERAS) * rows * columns

    @property
    def prefix(self) -> int:
        """Entries of the cache before the first text token: vision tokens, history, navigation."""
        return self.vision_tokens + 2

    @property
    def head_width(self) -> int:
        """Width of one attention head of the decoder."""
        return self.width // self.heads

    def document(self) -> dict[str, int]:
        """Return the sizes as plain numbers, for checkpoints and provenance."""
        return asdict(self)
