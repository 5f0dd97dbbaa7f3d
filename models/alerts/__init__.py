"""Alerts to customer success: rules over scores and signals, the life of an alert, and who hears of it when."""
