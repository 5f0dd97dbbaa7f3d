"""`livelift backtest`: a recording's history through the same core, and what each model would have said of it."""
