"""Everything that the pages of experiments say."""
