# mistake
x = 255 * x  # pixels from 0 to 255
model = keras.Sequential([layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
x = 255 * x
model = keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
