# mistake
model = keras.Sequential([layers.Flatten(), layers.Dense(64), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
model = keras.Sequential([layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
