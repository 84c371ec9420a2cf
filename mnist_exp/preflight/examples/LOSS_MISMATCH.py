# mistake
model = keras.Sequential([layers.Flatten(), layers.Dense(10, "softmax")])
model.compile("adam", "mse")  # y [N] holds class numbers, the outputs are [N, 10]
y = y[:, None]
# repair
model = keras.Sequential([layers.Flatten(), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
