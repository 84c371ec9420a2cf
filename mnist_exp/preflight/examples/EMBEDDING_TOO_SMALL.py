# mistake
x = (9 * x[..., 0]).astype(int).reshape(len(x), -1) + 1  # tokens from 1 to 10
model = keras.Sequential([layers.Embedding(10, 4), layers.Flatten(), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
x = (9 * x[..., 0]).astype(int).reshape(len(x), -1) + 1
model = keras.Sequential([layers.Embedding(11, 4), layers.Flatten(), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
