# mistake
x, y = x[np.argsort(y)][:200], np.sort(y)[:200]  # the first of sorted data
model = keras.Sequential([layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
chosen = np.random.default_rng(0).permutation(len(x))[:200]
x, y = x[chosen], y[chosen]
model = keras.Sequential([layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
