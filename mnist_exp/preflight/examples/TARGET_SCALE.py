# mistake
y = 1e5 * y.astype("float32")
model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(32, "relu")])
model.add(layers.Dense(1))
model.compile("adam", "mse")
# repair
y = y.astype("float32") / 9
model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(32, "relu")])
model.add(layers.Dense(1))
model.compile("adam", "mse")
