"""The tables of parameters that README shows, from the dataclasses."""

import json

from alpamayo_ros.params.node_parameters import NODES
from alpamayo_ros.params.parameter import Declaration, declarations
from alpamayo_ros.params.stack import ModelParams, StackParams

_HEAD = "| parameter | default | allowed | what it is |\n|---|---|---|---|\n"


def parameter_tables() -> str:
    """Return one Markdown table per node; what several nodes have stands in tables of its own."""
    shared = declarations(StackParams)
    owners = [node for node, parameters in NODES.items() if issubclass(parameters, StackParams)]
    parts = [_table(f"Every node of a stack ({', '.join(owners)})", shared)]
    runners = [node for node, parameters in NODES.items() if issubclass(parameters, ModelParams)]
    model = {name: row for name, row in declarations(ModelParams).items() if name not in shared}
    parts.append(_table(f"Every node that runs a part of the model ({', '.join(runners)})", model))
    shared = {**shared, **model}
    for node, parameters in NODES.items():
        own = declarations(parameters)
        if node in owners:
            own = {name: row for name, row in own.items() if name not in shared}
        if own:
            parts.append(_table(f"`{node}`", own))
    return "\n".join(parts)


def _table(title: str, rows: dict[str, tuple[type, object, Declaration]]) -> str:
    lines = [
        f"| `{name}` | `{json.dumps(default)}` | {_allowed(kind, declaration)} | {_words(declaration)} |"
        for name, (kind, default, declaration) in rows.items()
    ]
    return f"**{title}**\n\n{_HEAD}" + "\n".join(lines) + "\n"


def _allowed(kind: type, declaration: Declaration) -> str:
    if declaration.choices:
        return ", ".join(f"`{choice}`" for choice in declaration.choices)
    low, high = declaration.minimum, declaration.maximum
    if low is None and high is None:
        names: dict[type[object], str] = {bool: "true, false", tuple: "texts", str: "text"}
        return names.get(kind, "any")
    unit = f" {declaration.unit}" if declaration.unit else ""
    if high is None:
        return f"from {low}{unit}"
    return f"{low} to {high}{unit}" if low is not None else f"to {high}{unit}"


def _words(declaration: Declaration) -> str:
    marks = [word for word, holds in (("behavioural", declaration.behavioural), ("live", declaration.live)) if holds]
    words = declaration.description.replace("|", "\\|")
    return f"{words} *({', '.join(marks)})*" if marks else words
