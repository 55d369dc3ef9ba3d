"""Records in a table of DynamoDB."""
