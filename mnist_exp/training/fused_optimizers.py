"""Optimizers of Keras with each update as one kernel of TensorFlow."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("mnist_exp")
class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam with the update as one kernel, to the last bit TensorFlow 1's AdamOptimizer.

    Keras' own assignments take twice as long. Like TensorFlow 1 it keeps the powers of the betas as
    running products in float32.
    """

    def build(self, variables: list[keras.Variable]) -> None:
        """Make the optimizer's variables, the powers of the betas included."""
        if not self.built:
            self._beta_powers = [
                self.add_variable(
                    (), initializer=keras.initializers.Constant(beta), name=f"beta_{i}_power"
                )
                for i, beta in enumerate((self.beta_1, self.beta_2), start=1)
            ]
        super().build(variables)

    def apply(
        self, grads: list[tf.Tensor], trainable_variables: list[keras.Variable] | None = None
    ) -> None:
        """Update the variables, and then the powers of the betas."""
        super().apply(grads, trainable_variables)
        for power, beta in zip(self._beta_powers, (self.beta_1, self.beta_2), strict=True):
            power.assign(power.value * beta)

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Update one variable with its gradient."""
        index = self._get_variable_index(variable)
        beta_1_power, beta_2_power = self._beta_powers
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=beta_1_power.value,
            beta2_power=beta_2_power.value,
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


@keras.saving.register_keras_serializable("mnist_exp")
class FusedSgd(keras.optimizers.SGD):
    """Keras' SGD, with momentum or without; each update is one kernel with the same formula."""

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Update one variable with its gradient."""
        rate = tf.cast(learning_rate, variable.dtype)
        if self.momentum == 0:
            tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)
        else:
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle,
                accum=self.momentums[self._get_variable_index(variable)].value.handle,
                lr=rate,
                grad=gradient,
                momentum=self.momentum,
                use_nesterov=self.nesterov,
            )


@keras.saving.register_keras_serializable("mnist_exp")
class FusedRmsprop(keras.optimizers.RMSprop):
    """Keras' RMSprop with each update as one kernel, which needs a momentum even where it is 0."""

    def build(self, variables: list[keras.Variable]) -> None:
        """Make the optimizer's variables."""
        if not self.built and self.momentum == 0:
            self._momenta = self.add_optimizer_variables(variables, "momentum")
        super().build(variables)
        if self.momentum > 0:
            self._momenta = self._momentums

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Update one variable with its gradient."""
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable.handle,
            ms=self._velocities[index].value.handle,
            mom=self._momenta[index].value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            rho=self.rho,
            momentum=self.momentum,
            epsilon=self.epsilon,
            grad=gradient,
        )
