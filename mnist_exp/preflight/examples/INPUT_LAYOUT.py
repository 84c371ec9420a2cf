# mistake
x = x.transpose(0, 3, 1, 2)  # [N, 1, 28, 28]
stack = [layers.Conv2D(16, 3, padding="same", activation="relu"), layers.Flatten()]
model = keras.Sequential([*stack, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
stack = [layers.Conv2D(16, 3, padding="same", activation="relu"), layers.Flatten()]
model = keras.Sequential([*stack, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
