"""`livelift alerts`: scores and signals in, the few messages that customer success can act on out."""
