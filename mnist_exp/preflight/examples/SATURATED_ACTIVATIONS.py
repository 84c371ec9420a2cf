# mistake
large = keras.initializers.RandomNormal(stddev=3.0)
hidden = layers.Dense(64, "tanh", kernel_initializer=large)
model = keras.Sequential([layers.Flatten(), hidden, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
hidden = layers.Dense(64, "tanh", kernel_initializer="glorot_uniform")
model = keras.Sequential([layers.Flatten(), hidden, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
