# mistake
model = keras.Sequential([layers.Flatten(), layers.Dense(10, "softmax")])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
# repair
model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
