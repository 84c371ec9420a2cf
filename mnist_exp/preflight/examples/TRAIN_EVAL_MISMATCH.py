# mistake
dropout = layers.Lambda(lambda hidden: keras.random.dropout(hidden, 0.5))
hidden = layers.Dense(64, "relu")
model = keras.Sequential([layers.Flatten(), hidden, dropout, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
dropout = layers.Dropout(0.5)
hidden = layers.Dense(64, "relu")
model = keras.Sequential([layers.Flatten(), hidden, dropout, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
