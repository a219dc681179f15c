"""Activities: lectures, open days and other dated occasions with their own seats."""
