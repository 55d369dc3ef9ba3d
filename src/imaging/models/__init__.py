"""Neural networks: their weights, their sessions and U²-Net's saliency."""
