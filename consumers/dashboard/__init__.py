"""`livelift dashboard`: what Redis holds, as pages that people read."""
