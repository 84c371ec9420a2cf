# mistake
hidden = [layers.Dense(32, "sigmoid") for _ in range(8)]
model = keras.Sequential([layers.Flatten(), *hidden, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
hidden = [layers.Dense(32, "relu", kernel_initializer="he_normal") for _ in range(8)]
model = keras.Sequential([layers.Flatten(), *hidden, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
