"""From a config to trained weights; TensorFlow is used here."""
