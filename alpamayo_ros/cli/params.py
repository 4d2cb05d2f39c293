"""``alpamayo params``: the generated parameter files."""

from pathlib import Path

import typer

from alpamayo_ros.cli.console import OUT
from alpamayo_ros.cli.verb_help import VerbCommand
from alpamayo_ros.errors import OutputError
from alpamayo_ros.params.node_parameters import generated_files

app = typer.Typer(help="Generate parameter files from the dataclasses.", no_args_is_help=True)


@app.command("write", cls=VerbCommand)
def write(folder: Path = typer.Argument(Path("config"), help="Folder to write into.")) -> int:
    """Write the YAML file and the JSON schema of every node's parameters."""
    for name, text in generated_files().items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
        OUT.print(str(path), markup=False)
    return 0
