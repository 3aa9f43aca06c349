"""The optimizer with scaled arrays, compared with AdamW as in its paper, in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning.learners._adamw import Update, steps


def textbook(weight, gradients, rate=0.01, decay=0.9, beta1=0.9, beta2=0.999, epsilon=1e-8):
    first = second = np.zeros_like(weight)
    for number, gradient in enumerate(gradients, 1):
        weight = weight - rate * decay * weight
        first = beta1 * first + (1 - beta1) * gradient
        second = beta2 * second + (1 - beta2) * gradient**2
        weight = weight - rate * (first / (1 - beta1**number)) / (np.sqrt(second / (1 - beta2**number)) + epsilon)
    return weight


def scaled(weight, columns, rows, update):
    weight = weight.astype(np.float32)
    first, second = np.zeros((2, *weight.shape), np.float32)
    scale = 1.0
    for column, row, step in zip(columns, rows, steps(len(rows)), strict=True):
        update(
            weight,
            first,
            second,
            (column * step.first).astype(np.float32),
            (column**2 * step.second).astype(np.float32),
            row.astype(np.float32),
            (row**2).astype(np.float32),
            np.float32(step.rate),
            np.float32(step.epsilon),
        )
        scale = step.next_weight
        if step.rescale is not None:
            for array, by in zip((weight, first, second), step.rescale, strict=True):
                array *= np.float32(by)
            scale = 1.0
    return weight * scale


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 127, 128, 129, 300]), st.sampled_from([1e-9, 1e-3, 1.0, 1e3]))
def test_rank_one_steps_are_adamw(seed, count, size):
    draws = np.random.default_rng(seed)
    weight = draws.normal(size=(4, 6))
    columns, rows = draws.normal(size=(count, 4)), size * draws.normal(size=(count, 6))
    rows[:, 2] = 0.0
    expected = textbook(weight, columns[:, :, None] * rows[:, None, :])
    assert scaled(weight, columns, rows, Update()) == pytest.approx(expected, abs=2e-5)


def test_blocks_and_changing_widths_do_not_change_a_bit(monkeypatch):
    draws = np.random.default_rng(0)
    wide = draws.normal(size=(75, 41)), draws.normal(size=(3, 75)), draws.normal(size=(3, 41))
    narrow = draws.normal(size=(3, 4)), draws.normal(size=(2, 3)), draws.normal(size=(2, 4))
    whole = [scaled(*case, Update()) for case in (wide, narrow)]
    monkeypatch.setattr("cleaning.learners._adamw._BLOCK_FLOATS", 35 * 41)
    small = Update()
    for case, expected in zip((wide, narrow, wide), (*whole, whole[0]), strict=True):
        assert np.array_equal(scaled(*case, small), expected)
