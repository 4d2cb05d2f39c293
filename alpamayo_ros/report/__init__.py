"""HTML, pictures and JUnit XML from structs."""
