"""The official account: followers, replies to texts and codes, the menu, late replies."""
