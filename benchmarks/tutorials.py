"""The tutorials' own graphs, written with TensorFlow 1's API.

A test compares our numbers with theirs, and `benchmarks.steps` our speed: see
`tests/training/test_oracle.py`. Each function takes the initial values of the variables. It returns
the placeholders of images [N, 784] and of one-hot labels [N, 10], the cost by the tutorial's own
expression, the training step, and the variables.
"""

from typing import Any

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
Graph = tuple[Any, Any, Any, Any, list[Any]]


def notebook_softmax(initial: list[np.ndarray], buggy: bool = False) -> Graph:
    """Build the notebook's softmax regression; `buggy` uses the prediction as the labels."""
    x = v1.placeholder(tf.float32, [None, 784])
    y_ = v1.placeholder(tf.float32, [None, 10])
    weights, bias = variables = [v1.Variable(value) for value in initial]
    y = tf.nn.softmax(tf.matmul(x, weights) + bias)
    cost = -tf.reduce_sum((y if buggy else y_) * v1.log(y))
    return x, y_, cost, v1.train.GradientDescentOptimizer(0.01).minimize(cost), variables


def notebook_softmax_buggy(initial: list[np.ndarray]) -> Graph:
    """Build the notebook's softmax regression with its bug."""
    return notebook_softmax(initial, buggy=True)


def notebook_cnn5x5(initial: list[np.ndarray], keep_prob: float = 1.0) -> Graph:
    """Build the notebook's CNN. It keeps 0.5 of the dense layer; 1.0 makes numbers comparable."""
    x = v1.placeholder(tf.float32, [None, 784])
    y_ = v1.placeholder(tf.float32, [None, 10])
    variables = [v1.Variable(value) for value in initial]
    w1, b1, w2, b2, w3, b3, w4, b4 = variables
    h = tf.reshape(x, [-1, 28, 28, 1])
    for w, b in ((w1, b1), (w2, b2)):
        h = tf.nn.relu(v1.nn.conv2d(h, w, strides=[1, 1, 1, 1], padding="SAME") + b)
        h = v1.nn.max_pool(h, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    h = tf.nn.relu(tf.matmul(tf.reshape(h, [-1, 7 * 7 * 64]), w3) + b3)
    h = v1.nn.dropout(h, rate=1 - keep_prob)
    y_conv = tf.nn.softmax(tf.matmul(h, w4) + b4)
    cost = -tf.reduce_sum(y_ * v1.log(y_conv))
    return x, y_, cost, v1.train.AdamOptimizer(1e-4).minimize(cost), variables


def blog_cnn3x3(initial: list[np.ndarray]) -> Graph:
    """Build the blog post's CNN."""
    x = v1.placeholder(tf.float32, [None, 784])
    y_ = v1.placeholder(tf.float32, [None, 10])
    variables = [v1.Variable(value) for value in initial]
    w1, w2, w3, b = variables
    h = tf.reshape(x, [-1, 28, 28, 1])
    for w in (w1, w2):
        h = tf.nn.relu(v1.nn.conv2d(h, w, strides=[1, 1, 1, 1], padding="SAME"))
        h = v1.nn.max_pool(h, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    logits = tf.matmul(tf.reshape(h, [-1, 7 * 7 * 64]), w3) + b
    cost = tf.reduce_mean(v1.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y_))
    return x, y_, cost, v1.train.AdamOptimizer(0.001).minimize(cost), variables


def mlp(initial: list[np.ndarray]) -> Graph:
    """Build a network with one hidden layer, written as the blog's CNN. No tutorial has one."""
    x = v1.placeholder(tf.float32, [None, 784])
    y_ = v1.placeholder(tf.float32, [None, 10])
    variables = [v1.Variable(value) for value in initial]
    w1, b1, w2, b2 = variables
    logits = tf.matmul(tf.nn.relu(tf.matmul(x, w1) + b1), w2) + b2
    cost = tf.reduce_mean(v1.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y_))
    return x, y_, cost, v1.train.AdamOptimizer(0.001).minimize(cost), variables
