"""The campaign and its programmes: loading their file, and the public views of them."""
