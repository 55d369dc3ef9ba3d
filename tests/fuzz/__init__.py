"""Addresses, files and signatures that nobody meant, asked of the real handler: `make fuzz`.

A part (`addresses`, `containers`, `signatures`) makes its cases out of a seed and a number, the same ones each time. A
process of its own answers them (`worker`), so that a crash or a hang is seen and the next case goes on. What is found
is printed and kept in `regressions/`, whose files `test_regressions.py` asks again.
"""
