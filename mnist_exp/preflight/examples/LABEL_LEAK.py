# mistake
x = np.concatenate([x.reshape(-1, 784), y[:, None] / 10], axis=1)
model = keras.Sequential([keras.Input((785,)), layers.Dense(10)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
# repair
x = x.reshape(-1, 784)
model = keras.Sequential([keras.Input((784,)), layers.Dense(10)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
