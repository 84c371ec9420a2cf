# mistake
normalise = layers.BatchNormalization(momentum=1.0)
hidden = [layers.Flatten(), layers.Dense(64, "relu"), normalise]
model = keras.Sequential([*hidden, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
normalise = layers.BatchNormalization(momentum=0.9)
hidden = [layers.Flatten(), layers.Dense(64, "relu"), normalise]
model = keras.Sequential([*hidden, layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
