"""Figures without global state, and their encoding into the same bytes for the same content."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DOTS_PER_INCH = 110


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a chart."""

    name: str
    paper: str
    ink: str
    faint: str
    driven: str
    answered: str
    rejected: str
    skipped: str
    failed: str
    series: tuple[str, ...]
    map_from: float
    map_to: float


# Colours that people with any colour vision tell apart (Okabe and Ito), darker on white and lighter on black.
LIGHT = Theme(
    name="light", paper="#ffffff", ink="#1c2430", faint="#d5dae1", driven="#8d96a3", answered="#00795c",
    rejected="#c65102", skipped="#6b7280", failed="#b3261e",
    series=("#0063a6", "#c65102", "#00795c", "#a3477f", "#6b5b00"), map_from=0.0, map_to=0.82,
)  # fmt: skip
DARK = Theme(
    name="dark", paper="#171c23", ink="#e6e9ee", faint="#39424e", driven="#8d96a3", answered="#2ec79b",
    rejected="#ff9d4d", skipped="#9aa3af", failed="#ff7b72",
    series=("#62b4f0", "#ff9d4d", "#2ec79b", "#e08cc0", "#e0cc4c"), map_from=0.35, map_to=1.0,
)  # fmt: skip


@contextmanager
def own_settings() -> Iterator[None]:
    """Use matplotlib's own defaults and bundled font whatever the user's matplotlibrc says."""
    settings = {key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith(("backend", "date."))}
    settings |= {
        "font.family": ["DejaVu Sans"],
        "font.size": 9.5,
        "text.parse_math": False,
        "axes.formatter.use_mathtext": False,
    }
    with mpl.rc_context(settings):
        yield


def new_figure(width_in: float, height_in: float, theme: Theme) -> Figure:
    """Make a figure that no global state knows."""
    figure = Figure(figsize=(width_in, height_in), dpi=DOTS_PER_INCH, facecolor=theme.paper)
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, theme: Theme) -> None:
    """Give axes the colours of a theme."""
    axes.set_facecolor(theme.paper)
    axes.tick_params(colors=theme.ink, length=3)
    axes.grid(visible=True, color=theme.faint, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.label.set_color(theme.ink)
    axes.yaxis.label.set_color(theme.ink)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(theme.faint)


def encode_png(figure: Figure) -> bytes:
    """Encode a figure as PNG without the date and version that matplotlib would write into it."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer, format="png", dpi=DOTS_PER_INCH, facecolor=figure.get_facecolor(), metadata={"Software": None}
    )
    return buffer.getvalue()
