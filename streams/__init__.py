"""The Faust shell: reads batches, calls the core, writes rows and outputs, acknowledges."""
