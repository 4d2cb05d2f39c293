"""What nano is trained to do: say the answer, flow to the driven actions, and, as a help, see what is there."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from alpamayo_ros.geometry.kinematics import MAX_CURVATURE_RADPM
from alpamayo_ros.inference.networks.anatomy import POINTS, STEP_S, Anatomy
from alpamayo_ros.inference.networks.nano import Nano
from alpamayo_ros.inference.networks.reasoning_decoder import HIDDEN
from alpamayo_ros.reasoning.driving_language import CAUSE, LABELS, META, vocabulary
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.training.batches import Batch
from alpamayo_ros.training.motion_targets import ACTIONS
from alpamayo_ros.training.shard import BOX_CLASSES

MOMENTS = 6
"""Moments, a second apart, at which speed, offset and heading are foreseen before the first word."""

DRAWS = 4
"""Flow times and noises drawn for each answer of a batch: the expert is cheap beside the cameras."""


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weights of the losses, and of tokens within the first.

    Attributes:
        answer: Cross entropy of tokens.
        flow: Squared error of the velocity field.
        path: Distance of the path that the flow points at, in the unit of ``path_unit``.
        seen: Dense heads.
        label: Weight of the token after ``<cause>`` beside a word's 1.
        box: Weight of camera and edges.
        meta: Weight of the three meta-actions.
        decision: Cross entropy of cause and meta-action before the first word.
        motion: Distance of the motion that is foreseen before the first word.
    """

    answer: float = 1.5
    flow: float = 1.0
    path: float = 0.5
    seen: float = 0.4
    decision: float = 1.0
    motion: float = 0.5
    label: float = 6.0
    box: float = 0.5
    meta: float = 6.0


class DenseHeads(nn.Module):
    """Heads on the vision encoder's features at an eighth; they teach it to see and are not exported."""

    def __init__(self, anatomy: Anatomy) -> None:
        super().__init__()
        self.head = nn.Conv2d(anatomy.middle, len(BOX_CLASSES) + 1, 1)
        self.deep = nn.Conv2d(anatomy.width, 4 * (len(BOX_CLASSES) + 1), 1)
        nn.init.constant_(self.head.bias[:-1], -4.0)

    def forward(self, eighth: Tensor, sixteenth: Tensor) -> Tensor:
        """Return logits and distance (B * C, classes + 1, 12, 20), seen at an eighth and refined at a sixteenth."""
        return self.head(eighth) + functional.pixel_shuffle(self.deep(sixteenth), 2)


class DecisionHeads(nn.Module):
    """Heads on the state of ``<bos>``: cause, meta-action and motion, before a word is said; they are not exported.

    The words that give a decision away are few, and each stands in several wordings; asked at one place and without
    wording, the decoder learns sooner what to look for.
    """

    def __init__(self, anatomy: Anatomy) -> None:
        super().__init__()
        self.classes = [len(LABELS) + 1, len(LongitudinalAction), len(LateralAction), len(LaneAction)]
        self.classify = nn.Linear(anatomy.width, sum(self.classes))
        self.move = nn.Linear(anatomy.width, 3 * MOMENTS)

    def forward(self, state: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss of the decision and of the motion.

        Args:
            state: (B, D).
            batch: Its label, meta-action, speed and future are the truth.
        """
        logits = self.classify(state).float().split(self.classes, dim=1)
        truth = [batch.label + 1, *batch.meta.unbind(dim=1)]
        decision = torch.stack([functional.cross_entropy(one, of) for one, of in zip(logits, truth, strict=True)])
        moments = batch.future[:, 9:60:10]
        gained = (moments[..., 3] - batch.speed_mps[:, None]) / 5.0
        unit = path_unit(moments.device)[9:60:10]
        target = torch.stack([gained, moments[..., 1] / unit, moments[..., 2] * 10.0 / unit], dim=2).flatten(1)
        return decision.sum(), functional.smooth_l1_loss(self.move(state).float(), target, beta=0.2)


def token_weights(weights: LossWeights) -> Tensor:
    """Return the weight of each token id of the vocabulary, 0 for padding."""
    found = []
    for token in vocabulary():
        structure = token.startswith("<") and token not in (CAUSE, META, "<bos>", "<eos>", "<pad>")
        edge = structure and token[-2].isdigit()
        found.append(weights.box if edge else weights.label if structure else 1.0)
    found[0] = 0.0
    return torch.tensor(found)


def answer_loss(logits: Tensor, tokens: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted cross entropy of each next token.

    Args:
        logits: (B, S, V).
        tokens: (B, S), padded with 0.
        weights: (V,).
    """
    target = tokens[:, 1:]
    each = functional.cross_entropy(logits[:, :-1].float().flatten(0, 1), target.flatten(), reduction="none")
    weight = weights[target.flatten()]
    return (each * weight).sum() / weight.sum()


def seen_loss(found: Tensor, seen: Tensor) -> Tensor:
    """Return the loss of the dense heads: focal for presence, absolute for distance where something is."""
    logits, distance = found[:, :-1].float(), found[:, -1].float()
    present, far = seen[:, :-1], seen[:, -1]
    entropy = functional.binary_cross_entropy_with_logits(logits, present, reduction="none")
    wrong = (torch.sigmoid(logits) - present).abs()
    focal = (entropy * wrong.square() * (1.0 + 3.0 * present)).sum() / present.sum().clamp(min=32.0)
    where = (far > 0).float()
    return focal + ((distance - far).abs() * where).sum() / where.sum().clamp(min=32.0)


def path_unit(device: torch.device) -> Tensor:
    """Return the unit in m (64,) that a distance at each point is counted in: 0.5 m at once, 5 m at 6.4 s.

    The vehicle drives the first moments of a plan before the next one comes, and keeping a lane is a matter of
    decimetres there.
    """
    return 0.5 + 0.7 * STEP_S * torch.arange(1, POINTS + 1, device=device)


def physical(actions: Tensor) -> Tensor:
    """Return acceleration and curvature (..., 2) of normalised actions: ``ActionScale.physical`` in torch.

    The curvature is held within the action space, so that a far draw of the flow has no endless slope.
    """
    mean, std = actions.new_tensor(ACTIONS.mean), actions.new_tensor(ACTIONS.std)
    acceleration, bent = (actions * std + mean).unbind(dim=-1)
    knee = ACTIONS.curvature_knee
    if knee is None:
        return torch.stack([acceleration, bent], dim=-1)
    most = math.asinh(MAX_CURVATURE_RADPM / knee)
    return torch.stack([acceleration, knee * torch.sinh(bent.clamp(-most, most))], dim=-1)


def roll_out(actions: Tensor, speed_mps: Tensor) -> Tensor:
    """Return x, y, yaw, speed (B, N, 4) of normalised actions (B, N, 2) from a speed (B,): the unicycle in torch."""
    acceleration, curvature = physical(actions).unbind(dim=-1)
    gained = speed_mps[:, None] + STEP_S * acceleration.cumsum(dim=1)
    # Never below zero: what was braked away below it is not owed when speed is gained again.
    debt = torch.cummin(gained, dim=1).values.clamp(max=0.0)
    speed = gained - debt
    before = torch.cat([speed_mps[:, None], speed[:, :-1]], dim=1)
    arc = 0.5 * (before + speed) * STEP_S
    yaw = (curvature * arc).cumsum(dim=1)
    yaw_before = torch.cat([torch.zeros_like(yaw[:, :1]), yaw[:, :-1]], dim=1)
    x = 0.5 * STEP_S * (before * yaw_before.cos() + speed * yaw.cos())
    y = 0.5 * STEP_S * (before * yaw_before.sin() + speed * yaw.sin())
    return torch.stack([x.cumsum(dim=1), y.cumsum(dim=1), yaw, speed], dim=-1)


class NanoLoss(nn.Module):
    """All losses of one batch."""

    def __init__(self, anatomy: Anatomy, weights: LossWeights) -> None:
        super().__init__()
        self.weights = weights
        self.heads = DenseHeads(anatomy)
        self.decisions = DecisionHeads(anatomy)
        self.token_weights: Tensor
        self.register_buffer("token_weights", token_weights(weights), persistent=False)

    def forward(self, nano: Nano, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses by name; ``all`` is their weighted sum."""
        eighth, sixteenth, vision_tokens = nano.vision.features(batch.images)
        logits, states = nano.reason(vision_tokens, batch.history, batch.navigation, batch.tokens)
        found = self.heads(eighth, sixteenth)
        decision, motion = self.decisions(states[:, 0], batch)
        flow, path = self._flow(nano, batch, states, generator)
        losses = {
            "answer": answer_loss(logits, batch.tokens, self.token_weights),
            "seen": seen_loss(found, batch.seen.flatten(0, 1)),
            "flow": flow,
            "path": path,
            "decision": decision,
            "motion": motion,
        }
        total = torch.stack([getattr(self.weights, name) * loss for name, loss in losses.items()]).sum()
        return {**losses, "all": total}

    def _flow(self, nano: Nano, batch: Batch, states: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        count = len(batch.actions) * DRAWS
        device = batch.actions.device
        actions = batch.actions.repeat(DRAWS, 1, 1)
        noise = torch.randn(actions.shape, generator=generator, device=device)
        time = torch.rand(count, generator=generator, device=device)
        mixed = time[:, None, None] * actions + (1.0 - time[:, None, None]) * noise
        mask = ((batch.tokens == 0).float() * HIDDEN)[:, None, None].repeat(DRAWS, 1, 1, 1)
        history = batch.history.repeat(DRAWS, 1, 1)
        velocity = nano.action(states.repeat(DRAWS, 1, 1), history, mixed, time, mask).float()
        flow = functional.mse_loss(velocity, actions - noise)
        aimed = mixed + (1.0 - time[:, None, None]) * velocity
        path = roll_out(aimed, batch.speed_mps.repeat(DRAWS))[..., :2]
        apart = (path - batch.future[..., :2].repeat(DRAWS, 1, 1)) / path_unit(device)[:, None]
        return flow, functional.smooth_l1_loss(apart, torch.zeros_like(apart), beta=0.2)
