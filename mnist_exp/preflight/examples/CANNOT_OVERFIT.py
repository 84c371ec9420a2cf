# mistake
narrow = [layers.Flatten(), layers.Dense(1, "relu")]
model = keras.Sequential([*narrow, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
wide = [layers.Flatten(), layers.Dense(64, "relu")]
model = keras.Sequential([*wide, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
