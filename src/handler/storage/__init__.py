"""The stores of originals and results, the result cache, and purges."""
