# mistake
model = keras.Sequential([layers.Flatten(), layers.Dense(1, "sigmoid")])
model.compile("adam", "binary_crossentropy")  # y holds ten classes
# repair
model = keras.Sequential([layers.Flatten(), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
