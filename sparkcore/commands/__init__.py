"""The commands of the shell: each module has the functions of one group, `parser` their arguments."""
