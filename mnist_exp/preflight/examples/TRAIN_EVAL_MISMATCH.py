# mistake
dropout = layers.Lambda(lambda hidden: keras.random.dropout(hidden, 0.5))
model = keras.Sequential([layers.Flatten(), dropout, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
dropout = layers.Dropout(0.5)
model = keras.Sequential([layers.Flatten(), dropout, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
