# mistake
def loss(labels, outputs):
    return -tf.reduce_sum(outputs * tf.math.log(outputs + 1e-9), axis=-1)

model = keras.Sequential([layers.Flatten(), layers.Dense(10, "softmax")])
model.compile("sgd", loss)
# repair
def loss(labels, outputs):
    labels = tf.one_hot(tf.cast(labels, tf.int32), 10)
    return -tf.reduce_sum(labels * tf.math.log(outputs + 1e-9), axis=-1)
model = keras.Sequential([layers.Flatten(), layers.Dense(10, "softmax")])
model.compile("sgd", loss)
