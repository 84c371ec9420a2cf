# mistake
flat, hidden = layers.Flatten(), layers.Dense(64, "relu", kernel_regularizer="l2")
hidden.kernel_regularizer = keras.regularizers.L2(1.0)
model = keras.Sequential([keras.Input((28, 28, 1)), flat, hidden, layers.Dense(10)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
# repair
flat, hidden = layers.Flatten(), layers.Dense(64, "relu", kernel_regularizer="l2")
hidden.kernel_regularizer = keras.regularizers.L2(1e-4)
model = keras.Sequential([keras.Input((28, 28, 1)), flat, hidden, layers.Dense(10)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
