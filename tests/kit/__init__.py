"""What tests are made with: a clock, a recorder of WeChat calls, databases, factories."""
