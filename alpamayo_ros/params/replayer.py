"""Parameters of the node that publishes a bag again."""

from dataclasses import dataclass

from alpamayo_ros.params.parameter import parameter


@dataclass(frozen=True, slots=True)
class ReplayerParams:
    """What is played, and how; the replayer runs no stack, so that it has no profile and is in no lineage."""

    autostart: bool = parameter(
        default=True,
        description="Configure and activate without being told to; false leaves that to a lifecycle manager.",
        behavioural=False,
    )
    bag: str = parameter(
        "", "Bag folder, or bare .mcap or .db3 file; '~' stands for the home folder. It must be given.",
        behavioural=False,
    )  # fmt: skip
    rate: float = parameter(1.0, "Bag seconds per second.", minimum=0.001, maximum=100.0, behavioural=False, live=True)
    start_offset_s: float = parameter(
        0.0,
        "Where to start after the bag's first message; each round of a loop begins there too.",
        unit="s",
        minimum=0.0,
        behavioural=False,
    )
    start_paused: bool = parameter(
        default=False, description="Wait for ~/resume or ~/step before the first message.", behavioural=False
    )
    loop: bool = parameter(default=False, description="Begin again at the end.", behavioural=False)
    topics: tuple[str, ...] = parameter(
        (),
        "Topics of the bag to play, whatever they are; empty for its inputs: everything but outputs of this package, "
        "/clock, /rosout, /parameter_events, /diagnostics and service events.",
        behavioural=False,
    )
    outputs: bool = parameter(
        default=False,
        description="Without named topics: also play the outputs of this package that the bag holds.",
        behavioural=False,
    )
    wait_for_subscribers: tuple[str, ...] = parameter(
        (),
        "Topics of the bag that must have a subscriber before the first message; empty starts at once, and a "
        "subscriber gets what is sent after it was discovered.",
        behavioural=False,
    )
    clock: bool = parameter(
        default=False,
        description="Publish the bag's time on /clock, for nodes with use_sim_time.",
        behavioural=False,
    )
    clock_rate_hz: float = parameter(
        100.0,
        "/clock is published this often, and before each message besides.",
        unit="Hz",
        minimum=1.0,
        maximum=1000.0,
        behavioural=False,
    )
    exit_at_end: bool = parameter(
        default=False,
        description="End the process once the bag has ended and every subscriber has what it was sent; also end it, "
        "with another exit code than 0, where the bag cannot be played. False keeps services and latched topics.",
        behavioural=False,
    )
