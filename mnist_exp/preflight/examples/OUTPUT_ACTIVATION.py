# mistake
y = (y == 3).astype("float32")
model = keras.Sequential([layers.Flatten(), layers.Dense(1, "softmax")])
model.compile("adam", "binary_crossentropy")  # the softmax of one output is always 1
# repair
y = (y == 3).astype("float32")
model = keras.Sequential([layers.Flatten(), layers.Dense(1, "sigmoid")])
model.compile("adam", "binary_crossentropy")
