"""The schema's history, one numbered migration per file; HEAD names the last one."""
