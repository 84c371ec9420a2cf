# mistake
low = keras.initializers.Constant(-5.0)
hidden = layers.Dense(64, "relu", bias_initializer=low)
model = keras.Sequential([layers.Flatten(), hidden, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
hidden = layers.Dense(64, "relu", bias_initializer="zeros")
model = keras.Sequential([layers.Flatten(), hidden, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
