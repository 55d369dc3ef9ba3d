"""The gallery: visitors without an account keep pictures, and results of recipes, in a private source.

It knows no HTTP: `handler.entrypoints.gallery` reads requests and writes answers. A record of the pipeline holds what
is known of a picture; a result is a recipe in that record, and a signed URL from which it is rendered.
"""
