"""Training of ``nano``, the small reasoning driving model; the vehicle does not need it."""
