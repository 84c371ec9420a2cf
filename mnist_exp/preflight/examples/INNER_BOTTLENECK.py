# mistake
hidden = layers.Dense(64, "softmax")
model = keras.Sequential([layers.Flatten(), hidden, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
hidden = layers.Dense(64, "relu")
model = keras.Sequential([layers.Flatten(), hidden, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
