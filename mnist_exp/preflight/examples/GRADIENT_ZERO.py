# mistake
hidden = layers.Dense(64, "relu", kernel_initializer="zeros")
model = keras.Sequential([layers.Flatten(), hidden, layers.Dense(10, "softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
# repair
hidden = layers.Dense(64, "relu")
model = keras.Sequential([layers.Flatten(), hidden, layers.Dense(10, "softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
