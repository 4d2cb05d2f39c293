"""Back to back: two ways of running one model, on a bag or on random numbers."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alpamayo_ros.envelope.document import load_envelope
from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.inference.comparison import PairedSession, random_inputs
from alpamayo_ros.inference.registry import library_versions
from alpamayo_ros.lineage.manifest import digests_by_kind
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.pipeline.setup import StackSetup, choose_profile, set_up_stack
from alpamayo_ros.replay.drive import in_process
from alpamayo_ros.replay.engine_tolerances import EngineTolerances
from alpamayo_ros.replay.run import Progress, replay_bag, set_up_replay
from alpamayo_ros.replay.twin import TwinPipeline, Twins, load_twins
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.camera import RigCalibration
from alpamayo_ros.structs.engine_comparison import EngineComparison, EngineSide, OutputDifference, TickAgreement

UNITS: Mapping[str, str] = {
    "logits": "logit",
    "velocity": "standard deviations of an action",
    "motion": "m/s, m/s^2, rad/s",
    "trajectories": "m, rad, m/s, m/s^2, 1/m",
}
"""Units of outputs by name; others are activations, without one."""

_SAME_INPUTS = ("trigger", "cameras", "frames_per_camera", "image_height", "image_width", "period_ms", "history_length",
                "navigation")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two, as it is asked for: ``PROFILE`` or ``PROFILE@BACKEND``.

    Attributes:
        name: What was asked for.
        profile: Profile name, or path of a profile file.
        backend: Backend id, empty for the profile's own.
    """

    name: str
    profile: str
    backend: str


def parse_side(text: str) -> Side:
    """Return a side from its text; the last ``@`` separates the backend.

    Raises:
        ConfigurationError: A part is empty.
    """
    profile, at, backend = text.rpartition("@")
    if not at:
        profile, backend = text, ""
    if not profile or (at and not backend):
        raise ConfigurationError(f"side {text!r} is not well formed; expected PROFILE or PROFILE@BACKEND")
    return Side(text, profile, backend)


def compare_on_bag(
    first: Side,
    second: Side,
    bag: Path,
    tolerances: EngineTolerances,
    *,
    topics: Path | None = None,
    calibration: Path | None = None,
    progress: Progress | None = None,
) -> EngineComparison:
    """Let both answer every tick of a bag.

    Args:
        first: What the other is compared with.
        second: The other.
        bag: Input bag.
        tolerances: What is allowed.
        topics: Topics file.
        calibration: Calibration file.
        progress: Called with the number of messages read and their total.

    Raises:
        ConfigurationError: They take other inputs.
        AlpamayoError: Of the class that fits what is wrong.
    """
    with open_bag(bag) as reader:
        setup = set_up_replay(
            reader, profile_name=first.profile, backend=first.backend, topics_path=topics, calibration_path=calibration
        )
        other = _other_setup(second, setup.stack)
        with _loaded(setup.stack, other) as twins, tempfile.TemporaryDirectory() as folder:
            pipeline = TwinPipeline(setup.stack, twins, tolerances)
            replay_bag(reader, setup, in_process(pipeline), Path(folder) / "outputs", progress)
            return _judged(
                (_side(first, setup.stack), _side(second, other)), f"bag {bag}", tolerances, twins.pairs, twins.ticks,
                twins.failures, on_bag=True,
            )  # fmt: skip


def compare_on_random(
    first: Side, second: Side, count: int, tolerances: EngineTolerances, seed: int = 0
) -> EngineComparison:
    """Run each program of both on random inputs; what comes out means nothing, but must be the same.

    Args:
        first: What the other is compared with.
        second: The other.
        count: Inputs for each program.
        tolerances: What is allowed.
        seed: Of the inputs.

    Raises:
        ConfigurationError: They take other inputs.
        AlpamayoError: Of the class that fits what is wrong.
    """
    profile = choose_profile(first.profile, first.backend)
    ours = set_up_stack(profile, NodeParameters(), RigCalibration(), load_envelope(None))
    theirs = _other_setup(second, ours)
    with _loaded(ours, theirs) as twins:
        for stage, pair in sorted(twins.pairs.items()):
            random = np.random.default_rng([seed, sum(stage.encode())])
            for number in range(count):
                pair.infer(random_inputs(pair.input_specs, random), number)
        source = f"{count} random inputs of each program, seed {seed}"
        return _judged(
            (_side(first, ours), _side(second, theirs)), source, tolerances, twins.pairs, (), (), on_bag=False
        )


def _other_setup(side: Side, first: StackSetup) -> StackSetup:
    profile = choose_profile(side.profile, side.backend)
    _require_same_inputs(first.profile, profile)
    return set_up_stack(profile, first.parameters, first.calibration, first.envelope)


def _require_same_inputs(first: Profile, second: Profile) -> None:
    for name in _SAME_INPUTS:
        ours, theirs = getattr(first, name), getattr(second, name)
        if ours != theirs:
            raise ConfigurationError(
                f"profiles {first.name} and {second.name} take other inputs: {name} is {ours} and {theirs}; "
                "expected two ways of running one model"
            )


@contextmanager
def _loaded(first: StackSetup, second: StackSetup) -> Iterator[Twins]:
    twins = load_twins(first, second)
    for pair in twins.pairs.values():
        # What warming up ran on zeros is no comparison.
        pair.forget()
    try:
        yield twins
    finally:
        for stages in (twins.first, twins.second):
            stages.reasoner.close()
            stages.planner.close()
            if stages.perceiver is not None:
                stages.perceiver.close()


def _side(side: Side, setup: StackSetup) -> EngineSide:
    return EngineSide(
        name=side.name,
        profile=setup.profile.name,
        backend=setup.profile.backend,
        components=digests_by_kind(setup.lineage),
        libraries=library_versions(setup.profile.backend),
    )


def _judged(
    sides: tuple[EngineSide, EngineSide],
    source: str,
    tolerances: EngineTolerances,
    pairs: Mapping[str, PairedSession],
    ticks: Sequence[TickAgreement],
    failures: Sequence[str],
    *,
    on_bag: bool,
) -> EngineComparison:
    outputs = tuple(
        OutputDifference(
            stage=stage,
            output=name,
            unit=UNITS.get(name, "1"),
            calls=apart.calls,
            values=apart.values,
            largest=apart.largest,
            mean=apart.total / apart.values if apart.values else 0.0,
            typical=apart.size / apart.values if apart.values else 0.0,
            tolerance=tolerances.outputs[stage],
        )
        for stage in ("perceive", "reason", "plan")
        if stage in pairs
        for name, apart in pairs[stage].apart.items()
    )
    shares = _shares(ticks)
    return EngineComparison(
        first=sides[0],
        second=sides[1],
        source=source,
        tolerances=tolerances.name,
        outputs=outputs,
        ticks=tuple(ticks),
        failures=tuple(failures),
        exceeded=tuple(_exceeded(outputs, ticks, failures, shares, tolerances)),
        shares=shares,
        on_bag=on_bag,
    )


def _shares(ticks: Sequence[TickAgreement]) -> dict[str, float]:
    if not ticks:
        return {}
    same = {
        "text": sum(tick.same_text for tick in ticks),
        "decision": sum(tick.same_decision for tick in ticks),
        "sample": sum(tick.same_sample for tick in ticks),
    }
    return {name: count / len(ticks) for name, count in same.items()}


def _exceeded(
    outputs: Sequence[OutputDifference],
    ticks: Sequence[TickAgreement],
    failures: Sequence[str],
    shares: Mapping[str, float],
    tolerances: EngineTolerances,
) -> Iterator[str]:
    for one in outputs:
        if not one.within:
            yield (
                f"{one.stage}: {one.output} is up to {one.largest:.3g} {one.unit} apart; allowed: {one.tolerance:.3g}"
            )
    for name, share in shares.items():
        least = tolerances.shares.get(name, 0.0)
        if share < least:
            yield f"the same {name} in {share:.1%} of {len(ticks)} ticks; wanted: {least:.1%}"
    far = max((tick.ade_m for tick in ticks), default=0.0)
    if far > tolerances.ade_m:
        yield f"trajectories are up to {far:.3g} m apart on average of a tick; allowed: {tolerances.ade_m:.3g} m"
    if failures:
        yield f"only one of them answered in {len(failures)} ticks; first: {failures[0]}"
