"""The ledger of announcements: claims and sends in batches, and settles every recipient."""
