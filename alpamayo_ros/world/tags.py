"""What an episode says about itself: how it was made, and what was assumed."""

import dataclasses
from collections.abc import Mapping

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.lineage.runtime import package_version
from alpamayo_ros.storage.provenance import SIMULATED, provenance_of
from alpamayo_ros.world.edits import Add, Edit, Move, Recolour
from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.snapshot import STEP_S
from alpamayo_ros.world.sumo import traffic_version
from alpamayo_ros.world.sumo_traffic import traffic_rules

GENERATOR = "alpamayo_ros.world"
MAP_ASSET_PACK = "generated_road_networks"

ASSUMPTIONS = {
    "assumption_tyre": "The ego vehicle is kinematic: no tyres, no slip, no limit of friction; rain is seen, not felt.",
    "assumption_map_accuracy": "The map is exact, flat and complete; the expert knows it, a model does not.",
    "assumption_traffic_logic": (
        "SUMO drives the traffic: it keeps its distance and the right of way, nobody errs except by script; "
        "it changes lanes by a smooth step of 3 s and minds the ego vehicle as one of its own."
    ),
    "assumption_pedestrian_behaviour": (
        "People walk on fixed lines at constant speed; scripted ones step out at a given distance of the ego vehicle, "
        "and traffic brakes for them."
    ),
    "assumption_occlusion": "Actors and buildings hide actors from cameras; the expert knows what cameras cannot see.",
    "assumption_weather_fidelity": "Weather, light and dirt are drawn over the pictures; they change nobody's driving.",
    "assumption_sensor_model": (
        "Cameras are ideal pinholes without rolling shutter or exposure; odometry and its stamps are exact, "
        "faults are only those that are listed."
    ),
}
"""What was taken for granted; each of them is a difference from a road."""


def episode_tags(spec: EpisodeSpec, edits: tuple[Edit, ...] = ()) -> dict[str, str]:
    """Return flat texts that name everything an episode was made from.

    Args:
        spec: Of the episode.
        edits: What was changed about it.

    Raises:
        ConfigurationError: SUMO is not installed, or the tags would be those of a real recording.
    """
    road_map = load_map(spec.text("map")).road_map
    tags = {
        "provenance": SIMULATED,
        "generator": GENERATOR,
        "generator_version": package_version(),
        "episode": spec.id,
        "scenario": spec.scenario,
        "split": spec.split,
        "seed": str(spec.seed),
        "duration_s": _text(spec.duration_s),
        "map": road_map.name,
        "map_digest": road_map.digest,
        "map_asset_pack": f"{MAP_ASSET_PACK} of {GENERATOR} {package_version()}",
        "traffic_policy": f"SUMO {traffic_version()}, step {STEP_S} s",
        "traffic_policy_digest": document_id(traffic_rules()),
        **{name: _text(value) for name, value in spec.conditions.tags().items()},
        **{f"parameter_{name}": _text(value) for name, value in sorted(spec.parameters.items())},
        **ASSUMPTIONS,
    }
    if spec.faults:
        tags["faults"] = "; ".join(
            f"{fault.kind} {fault.sensor} {_text(fault.start_s)} s to {_text(fault.end_s)} s" for fault in spec.faults
        )
    if edits:
        tags["edits"] = "; ".join(_edit_text(edit) for edit in edits)
    require_simulated(tags)
    return tags


def spec_document(spec: EpisodeSpec, edits: tuple[Edit, ...] = ()) -> dict[str, object]:
    """Return everything that decides about an episode as JSON values; its id names the episode's source."""
    return {
        "generator": GENERATOR,
        "generator_version": package_version(),
        "scenario": spec.scenario,
        "seed": spec.seed,
        "split": spec.split,
        "duration_s": spec.duration_s,
        "map_digest": load_map(spec.text("map")).road_map.digest,
        "parameters": dict(sorted(spec.parameters.items())),
        "conditions": dataclasses.asdict(spec.conditions),
        "faults": [dataclasses.asdict(fault) for fault in spec.faults],
        "edits": [_edit_text(edit) for edit in edits],
        "traffic": {"version": traffic_version(), **traffic_rules()},
    }


def require_simulated(tags: Mapping[str, str]) -> None:
    """Refuse tags that do not say that everything was made up.

    Raises:
        ConfigurationError: They say that it is real, or nothing.
    """
    said = provenance_of(tags)
    if said != SIMULATED:
        raise ConfigurationError(f"provenance of a generated episode is {said!r}; expected {SIMULATED!r}")


def _text(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _edit_text(edit: Edit) -> str:
    if isinstance(edit, Add):
        return f"add {edit.actor!r}"
    if isinstance(edit, Move):
        return f"move {edit.actor} by {_text(edit.ahead_m)} m ahead, {_text(edit.left_m)} m left"
    if isinstance(edit, Recolour):
        return f"recolour {edit.actor} to {', '.join(_text(value) for value in edit.colour)}"
    return f"remove {edit.actor}"
