"""Muon for the kernels of convolutions, Adam for everything else.

Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) replaces the momentum of a weight matrix by the nearest
orthogonal matrix, found by a few Newton-Schulz iterations. Adam: Kingma and Ba 2015 (arXiv:1412.6980).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from training.recipe import Recipe

if TYPE_CHECKING:
    import keras

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 3
ADAM_BETAS = (0.9, 0.99)
ADAM_EPSILON = 1e-8


class Optimizer:
    """Update the trainable variables of a model; every kernel is followed by batch normalization, so only its
    direction counts: it is kept at a fixed norm and turned by `kernel_rate` relative to that norm at each step.
    """

    def __init__(self, model: keras.Model, recipe: Recipe) -> None:
        import tensorflow as tf

        self.recipe = recipe
        self.weights = [variable.value for variable in model.trainable_variables]
        self.first = [tf.Variable(tf.zeros_like(weight)) for weight in self.weights]
        self.second = [tf.Variable(tf.zeros_like(weight)) for weight in self.weights if len(weight.shape) != 4]
        self.count = tf.Variable(0.0)

    @property
    def state(self) -> list[Any]:
        """List the variables that a checkpoint has to hold."""
        return [*self.first, *self.second, self.count]

    def apply(self, gradients: list[Any], rate_factor: Any) -> None:
        """Take one step, with all learning rates multiplied by `rate_factor`."""
        self.count.assign_add(1.0)
        second = iter(self.second)
        for weight, first, gradient in zip(self.weights, self.first, gradients, strict=True):
            if len(weight.shape) == 4:
                self._turn(weight, first, gradient, rate_factor)
            else:
                self._adam(weight, (first, next(second)), gradient, rate_factor)

    def _turn(self, kernel: Any, momentum: Any, gradient: Any, rate_factor: Any) -> None:
        import tensorflow as tf

        momentum.assign(self.recipe.momentum * momentum + gradient)
        update = orthogonalize(gradient + self.recipe.momentum * momentum)
        norm = math.sqrt(kernel.shape[-1])
        moved = _unit(kernel) - rate_factor * self.recipe.kernel_rate * _unit(update)
        kernel.assign(norm * moved / tf.norm(moved))

    def _adam(self, weight: Any, moments: tuple[Any, Any], gradient: Any, rate_factor: Any) -> None:
        import tensorflow as tf

        for moment, beta, value in zip(moments, ADAM_BETAS, (gradient, tf.square(gradient)), strict=True):
            moment.assign(beta * moment + (1.0 - beta) * value)
        mean, square = (m / (1.0 - beta**self.count) for m, beta in zip(moments, ADAM_BETAS, strict=True))
        weight.assign_sub(rate_factor * self.recipe.other_rate * mean / (tf.sqrt(square) + ADAM_EPSILON))


def orthogonalize(kernel: Any) -> Any:
    """Push the singular values of a kernel (h, w, in, out), seen as a matrix (h * w * in, out), towards 1."""
    import tensorflow as tf

    rows, columns = math.prod(kernel.shape[:-1]), kernel.shape[-1]
    x = tf.reshape(kernel, (rows, columns))
    x = x if rows <= columns else tf.transpose(x)
    x = _unit(x)
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = tf.matmul(x, x, transpose_b=True)
        x = a * x + tf.matmul(b * gram + c * tf.matmul(gram, gram), x)
    return tf.reshape(x if rows <= columns else tf.transpose(x), kernel.shape)


def _unit(x: Any) -> Any:
    import tensorflow as tf

    return x / (tf.norm(x) + 1e-12)
