"""One module per migration, numbered, forward only for evidence tables."""
