"""How a request becomes a call of features, and the result an answer."""
