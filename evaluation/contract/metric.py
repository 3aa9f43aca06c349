"""A metric: its name, label, direction and limits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """`label` is the axis title; `limits` are the lowest and highest possible values (None: unbounded)."""

    name: str
    label: str
    greater_is_better: bool
    limits: tuple[float | None, float | None] = (0.0, 1.0)

    @property
    def direction(self) -> str:
        """Which way is better, in words, for tables and axes."""
        return "higher is better" if self.greater_is_better else "lower is better"

    def clip(self, value: float) -> float:
        """The value, clipped to the limits."""
        low, high = self.limits
        value = value if low is None else max(value, low)
        return value if high is None else min(value, high)
