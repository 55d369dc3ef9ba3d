"""The gallery's API: visitors, known by a signed cookie, and their pictures."""
