"""Functions over cases that return what people or programs read: lines, rows, files."""
