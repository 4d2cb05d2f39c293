"""The stages of one profile, loaded."""

from dataclasses import dataclass

from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.planning.planner import Planner
from alpamayo_ros.reasoning.reasoner import Reasoner


@dataclass(frozen=True, slots=True)
class Stages:
    """Reasoning and planning with their engines loaded and warm."""

    reasoner: Reasoner
    planner: Planner


def load_stages(profile: Profile, parameters: NodeParameters) -> Stages:
    """Load every engine of a profile.

    Raises:
        BackendError: A backend or program is not known or not available.
        ProfileError: The profile asks for a stage that cannot be composed.
    """
    reason = open_session(profile.backend, profile.stages["reason"])
    plan = open_session(profile.backend, profile.stages["plan"])
    for session in (reason, plan):
        session.warm_up()
    return Stages(Reasoner(profile, parameters.reasoning, reason), Planner(profile, parameters.planner, plan))
