"""The operator's API: listing, signing, purges, uploads, and the records of originals."""
