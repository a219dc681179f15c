"""Engine, tables, transactions and prepared statements."""
