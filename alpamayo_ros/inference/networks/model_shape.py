"""Sizes of a reasoning driving model, and what follows from them: tokens, parameters, bytes. No torch is needed.

Sources of ``alpamayo-1.5``, all public:

- vision tower and language model: ``config.json`` of Qwen3-VL-8B-Instruct; Cosmos-Reason2-8B, the backbone of Alpamayo
  1.5, has its architecture;
- expert and the layers of its actions: ``config.json`` of Alpamayo-R1-10B (``expert_cfg``, ``action_in_proj_cfg``); the
  vocabulary: what others write who run it. The ``config.json`` of Alpamayo 1.5 itself was not found; the code of both
  builds the model in the same way, and the parameters that follow from these sizes are exactly the 11,078,526,194 that
  others count in Alpamayo-1.5-10B;
- layers, key and value heads of the expert: those of the language model, since each layer of the expert looks at the
  cache of the same layer (``models/alpamayo1_5.py`` of NVlabs/alpamayo1.5);
- pictures of 320 x 576 pixels, four of each of four cameras: the model card and ``helper.py`` there; ten steps of
  Euler: ``diffusion/flow_matching.py`` there.

The card says 8.2B parameters for the backbone and 2.3B for the expert: 8.2B is the language model alone, the vision
tower of 0.58B comes on top. The one figure that was not found is ``text``, the tokens of a prompt beside its pictures:
it was counted by hand over the prompt in ``helper.py``, to about ten tokens.
"""

from dataclasses import asdict, dataclass
from typing import Any

from alpamayo_ros.errors import ConfigurationError, expected_one_of


@dataclass(frozen=True, slots=True)
class VisionSizes:
    """Sizes of a vision tower.

    Attributes:
        depth: Layers.
        hidden: Width.
        heads: Attention heads.
        intermediate: Width of the feed-forward layers.
        patch_px: Edge of a patch.
        patch_frames: Frames that a patch reaches over; a single picture is repeated.
        merge: Patches along each edge that become one token.
        places: Learned places, a square of them.
        deepstack: Layers whose output is added to the first layers of the language model too.
    """

    depth: int
    hidden: int
    heads: int
    intermediate: int
    patch_px: int
    patch_frames: int
    merge: int
    places: int
    deepstack: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DecoderSizes:
    """Sizes of a stack of decoder layers: the language model's, or the expert's.

    Attributes:
        layers: Layers.
        hidden: Width.
        heads: Heads of the queries.
        kv_heads: Heads of the keys and values; a divisor of ``heads``.
        head_dim: Width of a head.
        intermediate: Width of the feed-forward layers.
    """

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int


@dataclass(frozen=True, slots=True)
class ActionSizes:
    """Sizes of what the expert denoises.

    Attributes:
        points: Action tokens of one trajectory.
        numbers: Numbers of each, acceleration and curvature.
        features: Sines and cosines of each number and of the flow time.
        hidden: Width of the layers that make a token of them.
        steps: Steps of Euler from noise to actions.
    """

    points: int
    numbers: int
    features: int
    hidden: int
    steps: int


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of one model.

    Attributes:
        name: Of the shape.
        vision: Vision tower.
        language: Language model.
        vocabulary: Its tokens; the embedding and the head have weights of their own.
        rope_theta: Base of the rotary embedding, of the language model and of the expert.
        expert: Action expert; layers, key and value heads and head width are the language model's.
        action: Its actions.
        cameras: Cameras.
        frames: Pictures of each.
        height_px: Of a picture.
        width_px: Of a picture.
        text: Tokens of the prompt beside the pictures.
    """

    name: str
    vision: VisionSizes
    language: DecoderSizes
    vocabulary: int
    rope_theta: float
    expert: DecoderSizes
    action: ActionSizes
    cameras: int
    frames: int
    height_px: int
    width_px: int
    text: int

    def __post_init__(self) -> None:
        """Hold the expert and the cache that it looks at together.

        Raises:
            ConfigurationError: They do not fit.
        """
        theirs = (self.language.layers, self.language.kv_heads, self.language.head_dim)
        ours = (self.expert.layers, self.expert.kv_heads, self.expert.head_dim)
        if ours != theirs:
            raise ConfigurationError(
                f"shape {self.name}: the expert has layers, kv heads and head width {ours}; expected {theirs}, those "
                "of the cache that it looks at"
            )

    @property
    def pictures(self) -> int:
        """Pictures of one answer."""
        return self.cameras * self.frames

    @property
    def patches(self) -> tuple[int, int]:
        """Rows and columns of patches of one picture."""
        return self.height_px // self.vision.patch_px, self.width_px // self.vision.patch_px

    @property
    def picture_tokens(self) -> int:
        """Tokens of one picture."""
        rows, columns = self.patches
        return rows * columns // self.vision.merge**2

    @property
    def prompt(self) -> int:
        """Tokens before the first one that is answered."""
        return self.pictures * self.picture_tokens + self.text

    def room(self, tokens: int, samples: int) -> int:
        """Return the entries of the cache: prompt, answered tokens, the actions of all samples."""
        return self.prompt + tokens + samples * self.action.points

    def document(self) -> dict[str, Any]:
        """Return the sizes as plain values."""
        return asdict(self)


ALPAMAYO_1_5 = ModelShape(
    name="alpamayo-1.5",
    vision=VisionSizes(
        depth=27, hidden=1152, heads=16, intermediate=4304, patch_px=16, patch_frames=2, merge=2, places=2304,
        deepstack=(8, 16, 24),
    ),
    language=DecoderSizes(layers=36, hidden=4096, heads=32, kv_heads=8, head_dim=128, intermediate=12288),
    vocabulary=155_697,
    rope_theta=5e6,
    expert=DecoderSizes(layers=36, hidden=2048, heads=16, kv_heads=8, head_dim=128, intermediate=8256),
    action=ActionSizes(points=64, numbers=2, features=20, hidden=512, steps=10),
    cameras=4,
    frames=4,
    height_px=320,
    width_px=576,
    text=200,
)  # fmt: skip

TINY = ModelShape(
    name="tiny",
    vision=VisionSizes(
        depth=4, hidden=64, heads=4, intermediate=128, patch_px=16, patch_frames=2, merge=2, places=64,
        deepstack=(1, 2),
    ),
    language=DecoderSizes(layers=4, hidden=128, heads=8, kv_heads=2, head_dim=16, intermediate=256),
    vocabulary=512,
    rope_theta=1e4,
    expert=DecoderSizes(layers=4, hidden=64, heads=4, kv_heads=2, head_dim=16, intermediate=128),
    action=ActionSizes(points=64, numbers=2, features=8, hidden=32, steps=10),
    cameras=2,
    frames=2,
    height_px=64,
    width_px=96,
    text=20,
)  # fmt: skip

_TEMPORARY = 1.5
"""Copies and gaps on top of the values that a layer holds."""
_LIBRARIES_BYTES = 2**28
"""What torch and its libraries take for themselves."""

SHAPES = {shape.name: shape for shape in (ALPAMAYO_1_5, TINY)}


def shape_named(name: str) -> ModelShape:
    """Return a shape.

    Raises:
        ConfigurationError: There is none of that name.
    """
    if name not in SHAPES:
        raise ConfigurationError(expected_one_of("shape", name, list(SHAPES)))
    return SHAPES[name]


def parameter_counts(shape: ModelShape) -> dict[str, int]:
    """Return the number of parameters by part: ``vision``, ``language`` and ``expert``."""
    language = _decoder(shape.language) + 2 * shape.vocabulary * shape.language.hidden
    return {"vision": _vision(shape), "language": language, "expert": _expert(shape)}


def needed_bytes(shape: ModelShape, number_bytes: int, tokens: int, samples: int) -> int:
    """Return about how much memory an answer needs: the weights, the cache, the largest values in between, libraries.

    Held against a few layers of Alpamayo's widths on a CPU, it was 1 to 3 % too much; on a GPU it was not measured.

    Args:
        shape: Of the model.
        number_bytes: Bytes of one number.
        tokens: Answered tokens.
        samples: Trajectories.
    """
    sizes = shape.language
    cache = 2 * sizes.layers * sizes.kv_heads * sizes.head_dim * shape.room(tokens, samples)
    between = max(_vision_between(shape), _prefill_between(shape), _flow_between(shape, tokens, samples))
    kept = sum(parameter_counts(shape).values()) + cache
    return round(number_bytes * (kept + _TEMPORARY * between)) + _LIBRARIES_BYTES


def _linear(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def _decoder(sizes: DecoderSizes) -> int:
    attention = 2 * sizes.hidden * sizes.head_dim * (sizes.heads + sizes.kv_heads) + 2 * sizes.head_dim
    feed = 3 * sizes.hidden * sizes.intermediate
    return sizes.layers * (attention + feed + 2 * sizes.hidden) + sizes.hidden


def _vision(shape: ModelShape) -> int:
    sizes, out = shape.vision, shape.language.hidden
    hidden, merged = sizes.hidden, sizes.hidden * sizes.merge**2
    attention = _linear(hidden, 3 * hidden) + _linear(hidden, hidden)
    feed = _linear(hidden, sizes.intermediate) + _linear(sizes.intermediate, hidden)
    merger = _linear(merged, merged) + _linear(merged, out)
    mergers = (1 + len(sizes.deepstack)) * merger + 2 * hidden + len(sizes.deepstack) * 2 * merged
    patch = _linear(3 * sizes.patch_frames * sizes.patch_px**2, hidden)
    return patch + sizes.places * hidden + sizes.depth * (attention + feed + 4 * hidden) + mergers


def _expert(shape: ModelShape) -> int:
    sizes, action = shape.expert, shape.action
    enter = _linear(action.features * (action.numbers + 1), action.hidden) + _linear(action.hidden, action.hidden)
    enter += _linear(action.hidden, sizes.hidden) + 2 * action.hidden + 2 * sizes.hidden
    return _decoder(sizes) + enter + _linear(sizes.hidden, action.numbers)


def _vision_between(shape: ModelShape) -> int:
    """Return the numbers that one layer of the vision tower holds at once, over all pictures."""
    sizes, (rows, columns) = shape.vision, shape.patches
    pixels = 2 * 3 * sizes.patch_frames * sizes.patch_px**2
    wide = max(pixels, 6 * sizes.hidden + 2 * sizes.intermediate, 8 * sizes.hidden)
    return shape.pictures * rows * columns * (wide + len(sizes.deepstack) * shape.language.hidden // sizes.merge**2)


def _prefill_between(shape: ModelShape) -> int:
    sizes = shape.language
    attention = 3 * (sizes.heads + 2 * sizes.kv_heads) * sizes.head_dim
    kept = (4 + len(shape.vision.deepstack)) * sizes.hidden
    return shape.prompt * (kept + max(attention, 3 * sizes.intermediate))


def _flow_between(shape: ModelShape, tokens: int, samples: int) -> int:
    sizes = shape.expert
    count = samples * shape.action.points
    wide = max(3 * (sizes.heads + 2 * sizes.kv_heads) * sizes.head_dim, 3 * sizes.intermediate) + 4 * sizes.hidden
    mask = 2 * count * sizes.heads // sizes.kv_heads * shape.room(tokens, samples) if samples > 1 else 0
    return count * wide + mask
