"""Piecewise-linear curves: how a measure turns a figure into 0-100."""

from bisect import bisect_right

from msgspec import Struct


class Curve(Struct, frozen=True):
    """A line through points (x ascending, y 0-100), flat before the first and after the last."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]

    def at(self, x: float) -> float:
        """The curve's height at `x`; at a given point exactly that point's."""
        xs = self.xs
        if x <= xs[0]:
            return self.ys[0]
        if x >= xs[-1]:
            return self.ys[-1]
        right = bisect_right(xs, x)
        x0, y0 = xs[right - 1], self.ys[right - 1]
        return y0 + (self.ys[right] - y0) * ((x - x0) / (xs[right] - x0))
