"""Records in an SQL database: SQLite in a file, or PostgreSQL. SQLAlchemy Core writes the statements."""
