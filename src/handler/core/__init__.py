"""What every layer of the handler shares, and what itself imports none of them.

`errors` has the errors that become answers, `ports` the protocols of what is outside, `http_headers` what
several layers read from or write into headers, and `circuit_breaker` the pause after a dependency's failures.
"""
