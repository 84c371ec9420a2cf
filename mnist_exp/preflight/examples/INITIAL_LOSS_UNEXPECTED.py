# mistake
large = keras.initializers.RandomNormal(stddev=5.0)
model = keras.Sequential([layers.Flatten(), layers.Dense(10, kernel_initializer=large)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
# repair
model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
