# mistake
model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
