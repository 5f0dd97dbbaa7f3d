"""Is this data what it says it is? Checks of recorded behaviour, each with what was seen, a figure and plain words.

A check compares with what people and machines are known to leave behind. It can find traces of a forgery, a simulation
or broken instrumentation; it cannot find that there are none, so the best verdict is "nothing found".
"""
