"""The campaign and its programmes, as one file tells them and as citizens see them."""
