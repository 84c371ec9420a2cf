# mistake
inputs = keras.Input((28, 28, 1))
hidden = layers.Dense(64, "relu")(layers.Flatten()(inputs))
outputs = layers.Dense(10, "softmax")(keras.ops.stop_gradient(hidden))
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy")
# repair
inputs = keras.Input((28, 28, 1))
hidden = layers.Dense(64, "relu")(layers.Flatten()(inputs))
outputs = layers.Dense(10, "softmax")(hidden)
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy")
