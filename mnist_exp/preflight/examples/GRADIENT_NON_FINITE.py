# mistake
def loss(labels, outputs):
    labels = tf.one_hot(tf.cast(labels, tf.int32), 10)
    return -tf.reduce_sum(labels * tf.math.log(tf.nn.softmax(1000 * outputs)), axis=-1)

model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
model.compile("adam", loss)
# repair
def loss(labels, outputs):
    labels = tf.one_hot(tf.cast(labels, tf.int32), 10)
    return tf.nn.softmax_cross_entropy_with_logits(labels, outputs)

model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
model.compile("adam", loss)
