"""What two ways of running a model were found to differ by."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EngineSide:
    """One of the two that are compared.

    Attributes:
        name: As it was asked for, e.g. ``nano@torch``.
        profile: Name of the profile.
        backend: Backend id.
        components: Digest by kind of the lineage.
        libraries: Versions that the backend computes with.
    """

    name: str
    profile: str
    backend: str
    components: Mapping[str, str]
    libraries: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OutputDifference:
    """One output of one stage, over all calls with equal inputs.

    Attributes:
        stage: ``perceive``, ``reason`` or ``plan``.
        output: Name of the tensor.
        unit: Of its values.
        calls: How often both ran.
        values: Numbers compared.
        largest: Largest absolute difference; infinite where only one is not finite, or shapes differ.
        mean: Mean absolute difference.
        typical: Mean absolute value of the first, to see the difference beside.
        tolerance: Largest difference that is allowed.
    """

    stage: str
    output: str
    unit: str
    calls: int
    values: int
    largest: float
    mean: float
    typical: float
    tolerance: float

    @property
    def within(self) -> bool:
        """Whether the difference is allowed."""
        return self.largest <= self.tolerance


@dataclass(frozen=True, slots=True)
class TickAgreement:
    """One tick that both answered, each running by itself from the observation on.

    Attributes:
        t0_ns: Model time.
        stage: First stage whose result is apart by more than is allowed, empty for none.
        same_text: Whether both say the same words.
        same_decision: Whether meta-action and causes are the same.
        same_sample: Whether both select the same sample.
        ade_m: Mean distance of the selected trajectories.
        fde_m: Distance of their last points.
        texts: What each said.
    """

    t0_ns: int
    stage: str
    same_text: bool
    same_decision: bool
    same_sample: bool
    ade_m: float
    fde_m: float
    texts: tuple[str, str]


@dataclass(frozen=True, slots=True)
class EngineComparison:
    """Two ways of running a model, back to back.

    Attributes:
        first: What the other is compared with.
        second: The other.
        source: What was fed: a bag, or random numbers of a seed.
        tolerances: Name and digest of the tolerances.
        outputs: By stage and output, on equal inputs.
        ticks: Ticks that both answered; empty on random numbers.
        failures: Ticks that only one of them answered, with the reason.
        exceeded: What is not allowed, one sentence each.
        shares: Share of ticks by what was the same: ``text``, ``decision``, ``sample``.
        on_bag: Whether ticks were to be answered.
    """

    first: EngineSide
    second: EngineSide
    source: str
    tolerances: str
    outputs: tuple[OutputDifference, ...]
    ticks: tuple[TickAgreement, ...] = ()
    failures: tuple[str, ...] = ()
    exceeded: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    on_bag: bool = False

    @property
    def compared(self) -> bool:
        """Whether there was anything to compare; two that fail at every tick alike show nothing."""
        return bool(self.ticks or self.failures) if self.on_bag else any(one.calls for one in self.outputs)

    @property
    def first_apart(self) -> TickAgreement | None:
        """The first tick that is apart by more than is allowed."""
        return next((tick for tick in self.ticks if tick.stage), None)
