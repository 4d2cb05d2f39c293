"""What every HTML page of this package is made of: templates that escape, and charts in two colour schemes."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from alpamayo_ros.report.canvas import DARK, LIGHT, Theme
from alpamayo_ros.report.words import counted, plain


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart in two colour schemes, as data URIs, with its text for those who do not see it."""

    light: str
    dark: str
    width: int
    height: int
    alt: str


def page_environment() -> Environment:
    """Return the templates; what they print is escaped, and a name that is missing is an error."""
    environment = Environment(
        loader=PackageLoader("alpamayo_ros.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plain": plain}
    environment.globals |= {"counted": counted}
    return environment


def chart(draw: Callable[[Theme], bytes], alt: str) -> Chart:
    """Draw a chart, a PNG file, once for light and once for dark pages."""
    light, dark = draw(LIGHT), draw(DARK)
    # Width and height of a PNG stand in its first chunk, so that the page does not jump while it loads.
    width, height = (int.from_bytes(light[start : start + 4], "big") for start in (16, 20))
    return Chart(data_uri(light, "png"), data_uri(dark, "png"), width, height, alt)


def data_uri(data: bytes, kind: str) -> str:
    """Return a picture's bytes as an address that a page can show without another file."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
