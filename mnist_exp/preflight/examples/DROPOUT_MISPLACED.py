# mistake
last = [layers.Dense(10, "softmax"), layers.Dropout(0.5)]
model = keras.Sequential([layers.Flatten(), layers.Dense(64, "relu"), *last])
model.compile("adam", "sparse_categorical_crossentropy")
# repair
last = [layers.Dropout(0.5), layers.Dense(10, "softmax")]
model = keras.Sequential([layers.Flatten(), layers.Dense(64, "relu"), *last])
model.compile("adam", "sparse_categorical_crossentropy")
