"""Curves of instructions against bytes of arena as a picture."""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from arenite.curve import Curve


def draw(curves: list[Curve], output: Path) -> None:
    """Write a picture: bytes of arena across, instructions over those in the largest arena up."""
    matplotlib.rcParams["svg.hashsalt"] = "arenite"
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for one in curves:
        least = one.points[-1][1]
        sizes, counts = zip(*one.points, strict=True)
        axes.plot(sizes, [count / least for count in counts], marker="o", markersize=3, label=one.model)
    axes.set_xscale("log")
    axes.set_xlabel("bytes of arena")
    axes.set_ylabel("instructions, over those in a roomy arena")
    axes.set_title(f"What spare bytes buy, on {curves[0].board}")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(output, metadata={"Date": None})
