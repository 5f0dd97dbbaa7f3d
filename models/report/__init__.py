"""The trial exercise's questions, answered from a recording: what goes with what, what the offer changed."""
