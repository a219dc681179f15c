"""The schema's history, one numbered step a file; HEAD names the last one."""
