"""Messages to single citizens: push grants, the push queue, and the inbox for all of them."""
