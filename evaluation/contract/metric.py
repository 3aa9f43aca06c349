"""What a metric is: a name, how to print it, and which way is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """`label` is the axis title; `limits` the values it can take (None: unbounded)."""

    name: str
    label: str
    greater_is_better: bool
    limits: tuple[float | None, float | None] = (0.0, 1.0)

    @property
    def direction(self) -> str:
        """In words, for tables and axes."""
        return "higher is better" if self.greater_is_better else "lower is better"

    def clip(self, value: float) -> float:
        """The value, or the limit it lies beyond."""
        low, high = self.limits
        value = value if low is None else max(value, low)
        return value if high is None else min(value, high)
