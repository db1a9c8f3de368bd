"""Command-line programs: thin wiring of flags to the library."""
