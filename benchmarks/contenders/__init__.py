"""What is compared: each module is a program of its own that prints one line of JSON."""
