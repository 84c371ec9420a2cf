# mistake
model = keras.Sequential([layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(10, "softmax")])
model.compile(keras.optimizers.Adam(1.0), "sparse_categorical_crossentropy")
# repair
model = keras.Sequential([layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(10, "softmax")])
model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
