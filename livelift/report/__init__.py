"""`livelift report`: the exercise's questions answered from a recording, for people and for programs."""
