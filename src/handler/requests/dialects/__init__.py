"""Ways to write down what is wanted; each ends in an ImageRequest."""
