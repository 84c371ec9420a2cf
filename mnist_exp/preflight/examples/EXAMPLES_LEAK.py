# mistake
model = keras.Sequential([layers.Flatten(), layers.Dense(10), layers.Softmax(axis=0)])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
model = keras.Sequential([layers.Flatten(), layers.Dense(10), layers.Softmax(axis=-1)])
model.compile("adam", "sparse_categorical_crossentropy")
