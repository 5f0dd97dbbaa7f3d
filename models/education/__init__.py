"""What education is measured by, as sums over rows, and how those read (docs/decisions/0017-education.md)."""
