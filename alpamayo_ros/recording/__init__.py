"""Record live topics into bags, without the middleware: which topics, with which QoS, as what, and what was lost."""
