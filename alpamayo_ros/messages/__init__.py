"""The type store, the table of topics, and the one translator between messages and structs."""
