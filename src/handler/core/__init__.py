"""What every layer of the handler shares, and what itself imports none of them.

`errors` has the errors that become answers, `ports` the protocols of what is outside, `cache_control` the arithmetic of
that header, and `circuit_breaker` the pause after a dependency's failures.
"""
