"""What every layer of the handler shares. This package imports no other part of the handler.

`errors` has the errors that become answers, `ports` the protocols of what is outside, `http_headers` what
several layers read from or write into headers, and `circuit_breaker` the pause after a dependency's failures.
"""
