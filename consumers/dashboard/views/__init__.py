"""Snapshots turned into words and rows: values in, values out."""
