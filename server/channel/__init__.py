"""The official account as such: followers, replies to words and codes, the menu, late replies."""
