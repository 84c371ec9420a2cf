# mistake
def loss(labels, outputs):
    return -keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=True)

model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
model.compile("adam", loss)
# repair
def loss(labels, outputs):
    return keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=True)

model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
model.compile("adam", loss)
