"""WeChat's reports of sent messages: stored as they come, applied to the ledger afterwards."""
