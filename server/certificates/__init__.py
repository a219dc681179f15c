"""Certificates with a number that anybody can verify; slices above declare what they certify."""
