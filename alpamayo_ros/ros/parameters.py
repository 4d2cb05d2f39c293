"""Declare the parameters of a node from its dataclass, and refuse what does not fit.

rclpy ignores overrides of names that nobody declares, and ends the process at one of a wrong type. Here both become a
sentence that ``configure`` is refused with.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from alpamayo_ros.errors import ParameterError, expected_one_of
from alpamayo_ros.params.node_parameters import BUILT_IN, NODES, QOS_OVERRIDES, NodeParameters, load_parameters
from alpamayo_ros.params.parameter import Declaration, declarations, parse_parameters, validated_value

_LARGEST = 2**63 - 1
_TYPES = {
    bool: Parameter.Type.BOOL,
    int: Parameter.Type.INTEGER,
    float: Parameter.Type.DOUBLE,
    str: Parameter.Type.STRING,
    tuple: Parameter.Type.STRING_ARRAY,
}


class ParameterServer:
    """The parameters of one node: declared, bounded, refused, and resolved together with those of the other nodes."""

    def __init__(self, node: Node, key: str) -> None:
        """Declare every parameter of the node.

        Args:
            node: Made with ``automatically_declare_parameters_from_overrides``.
            key: Name of its section in parameter files, whatever name it runs under.
        """
        self._node = node
        self._key = key
        self._class: type[Any] = NODES[key]
        self._declared = declarations(self._class)
        self._given: dict[str, object] = {}
        self._wrong: dict[str, str] = {}
        self._unknown: list[str] = []
        self._of_others: dict[tuple[str, str], Any] = {}
        self._settable = True
        self._synchronising = False
        self._take_overrides()
        node.add_on_set_parameters_callback(self._on_set)

    def freeze(self, *, frozen: bool) -> None:
        """Allow live parameters only, as long as the node is configured."""
        self._settable = not frozen

    def live(self, name: str) -> Any:
        """Return the present value of a live parameter."""
        return self._node.get_parameter(name).value

    def own(self, name: str) -> Any:
        """Return the present value of one of the node's parameters."""
        return self._node.get_parameter(name).value

    def autostarts(self) -> bool:
        """Whether the node starts by itself, as it was given or as the parameter file says.

        A file that is not valid is reported when the node is configured, so that it starts towards that.
        """
        if "autostart" in self._given or "parameter_file" not in self._declared:
            return bool(self.own("autostart"))
        path = str(self.own("parameter_file"))
        try:
            return bool(getattr(load_parameters(Path(path) if path else None), self._key).autostart)
        except ParameterError:
            return True

    def resolve(self) -> NodeParameters:
        """Return the parameters of every node: defaults, then the parameter file, then what this node was given.

        Raises:
            ParameterError: An override is unknown, of the wrong type or out of range, or the file is not valid.
        """
        if self._unknown:
            known = sorted(self._declared)
            raise ParameterError(
                expected_one_of(f"parameter {self._key}.", self._unknown[0], known).replace(". '", ".'", 1)
            )
        if self._wrong:
            raise ParameterError(next(iter(self._wrong.values())))
        path = str(self.own("parameter_file")) if "parameter_file" in self._declared else ""
        everything = load_parameters(Path(path) if path else None)
        self._validate_others(everything)
        values = {**asdict(getattr(everything, self._key)), **self._given}
        resolved = parse_parameters(self._class, self._key, values)
        self._synchronise(resolved)
        return replace(everything, **{self._key: resolved})

    def _validate_others(self, everything: NodeParameters) -> None:
        """Require of parameters of other nodes that they are valid, and what every node names in its lineage."""
        for (owner, name), value in self._of_others.items():
            wanted = validated_value(NODES[owner], owner, name, () if value is None else value)
            named = getattr(getattr(everything, owner), name)
            if declarations(NODES[owner])[name][2].behavioural and wanted != named:
                raise ParameterError(
                    f"parameter {owner}.{name} is {wanted!r} for this node {self._key!r}, and {named!r} by "
                    "parameter_file; expected the same, since every node names the parameters of them all in its "
                    "lineage: write it into a file and name that as parameter_file"
                )

    def _take_overrides(self) -> None:
        overrides = self._node.get_parameters_by_prefix("")
        for name, parameter in overrides.items():
            if name in self._declared:
                self._node.undeclare_parameter(name)
                # An empty list comes without a type, and so without a value.
                empty = self._declared[name][0] is tuple and parameter.value is None
                self._try(name, () if empty else parameter.value)
            elif owners := _owners(name):
                self._node.undeclare_parameter(name)
                self._of_others.update({(owner, name): parameter.value for owner in owners})
            elif name not in BUILT_IN and not name.startswith(QOS_OVERRIDES):
                self._unknown.append(name)
        for name, (kind, default, declaration) in self._declared.items():
            descriptor = _descriptor(name, kind, declaration)
            value = self._given.get(name, default)
            self._node.declare_parameter(name, _ros_value(value), descriptor, ignore_override=True)

    def _try(self, name: str, value: Any) -> None:
        try:
            self._given[name] = validated_value(self._class, self._key, name, value)
            self._wrong.pop(name, None)
        except ParameterError as error:
            self._wrong[name] = str(error)

    def _synchronise(self, resolved: Any) -> None:
        """Show the values of the parameter file where a person asks for a parameter."""
        self._synchronising = True
        try:
            self._node.set_parameters(
                [
                    Parameter(name, _TYPES[kind], _ros_value(getattr(resolved, name)))
                    for name, (kind, _, _) in self._declared.items()
                ]
            )
        finally:
            self._synchronising = False

    def _on_set(self, parameters: Sequence[Parameter[Any]]) -> SetParametersResult:
        if self._synchronising:
            return SetParametersResult(successful=True)
        taken: dict[str, object] = {}
        for parameter in parameters:
            if parameter.name not in self._declared:
                continue
            if not self._settable and not self._declared[parameter.name][2].live:
                live = ", ".join(name for name, row in self._declared.items() if row[2].live) or "none"
                return SetParametersResult(
                    successful=False,
                    reason=f"parameter {self._key}.{parameter.name} can be changed while the node is unconfigured "
                    f"only; live parameters: {live}",
                )
            try:
                taken[parameter.name] = validated_value(self._class, self._key, parameter.name, parameter.value)
            except ParameterError as error:
                return SetParametersResult(successful=False, reason=str(error))
        # Not before all of them fit: of parameters that are set at once, all are taken or none.
        self._given |= taken
        for name in taken:
            self._wrong.pop(name, None)
        return SetParametersResult(successful=True)


def _owners(name: str) -> list[str]:
    """Return the nodes that have a parameter: a section ``/**`` gives it to everybody."""
    return [node for node, parameters in NODES.items() if name in declarations(parameters)]


def _ros_value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _descriptor(name: str, kind: type, declaration: Declaration) -> ParameterDescriptor:
    unit = f" Unit: {declaration.unit}." if declaration.unit else ""
    constraints = f"one of: {', '.join(declaration.choices)}" if declaration.choices else ""
    descriptor = ParameterDescriptor(
        name=name,
        type=_TYPES[kind].value,
        description=declaration.description + unit + (" Live." if declaration.live else ""),
        additional_constraints=constraints,
        # An empty list has no type of its own in rclpy.
        dynamic_typing=kind is tuple,
    )
    low, high = declaration.minimum, declaration.maximum
    if low is None and high is None:
        return descriptor
    if kind is int:
        descriptor.integer_range = [
            IntegerRange(
                from_value=int(low if low is not None else -_LARGEST),
                to_value=int(high if high is not None else _LARGEST),
                step=0,
            )
        ]
    if kind is float:
        largest = sys.float_info.max
        descriptor.floating_point_range = [
            FloatingPointRange(
                from_value=float(low if low is not None else -largest),
                to_value=float(high if high is not None else largest),
                step=0.0,
            )
        ]
    return descriptor
