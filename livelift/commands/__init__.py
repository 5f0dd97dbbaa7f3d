"""The commands of the command line, grouped by what people use them for."""
