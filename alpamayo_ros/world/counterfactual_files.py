"""Write a counterfactual: a page for people and the numbers for scripts."""

import json
from pathlib import Path
from typing import Any

from alpamayo_ros.report.counterfactual import render_counterfactual
from alpamayo_ros.structs.counterfactual import DriveMoment
from alpamayo_ros.world.counterfactual import Counterfactual
from alpamayo_ros.world.driven import DrivenEpisode
from alpamayo_ros.world.output import make_folder, write_file

PAGE_FILE = "counterfactual.html"
DOCUMENT_FILE = "counterfactual.json"


def write_counterfactual(out: Path, found: Counterfactual) -> Path:
    """Write page and numbers into a new folder; return the page's path.

    Raises:
        OutputError: The folder exists already or cannot be written.
        BagWriteError: The disk is full or faulty.
    """
    page = render_counterfactual(found.data).encode()
    document = (json.dumps(counterfactual_document(found), indent=1) + "\n").encode()
    make_folder(out)
    write_file(out / DOCUMENT_FILE, document)
    write_file(out / PAGE_FILE, page)
    return out / PAGE_FILE


def counterfactual_document(found: Counterfactual) -> dict[str, Any]:
    """Return the numbers of a counterfactual, ready for JSON."""
    return {
        "episode": found.original.spec.id,
        "change": found.data.change,
        "driver": found.original.driver,
        "differs": found.findings.differs,
        "first_difference_s": found.findings.first_s,
        "headline": found.findings.headline,
        "findings": dict(found.findings.rows),
        "shown_s": [picture.t_s for picture in found.data.original.pictures],
        "original": _drive(found.original),
        "edited": _drive(found.edited),
        "tags": dict(found.data.tags),
    }


def _drive(drive: DrivenEpisode) -> dict[str, Any]:
    return {
        "answered": drive.answered,
        "metrics": dict(drive.metrics),
        "moments": [_moment(moment) for moment in drive.moments],
    }


def _moment(moment: DriveMoment) -> dict[str, Any]:
    return {
        "t_s": moment.t_s,
        "x_m": round(moment.x_m, 4),
        "y_m": round(moment.y_m, 4),
        "heading_rad": round(moment.heading_rad, 6),
        "speed_mps": round(moment.speed_mps, 4),
        "longitudinal": moment.longitudinal.name.lower(),
        "lateral": moment.lateral.name.lower(),
        "lane": moment.lane.name.lower(),
        "cause": moment.cause,
        "actor": moment.actor_id,
        "text": moment.text,
        "answered": moment.answered,
    }
