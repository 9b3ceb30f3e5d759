"""The compared implementations. Each module is a program that prints one line of JSON."""
