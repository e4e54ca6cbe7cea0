"""One function per stage, and for the command `score`; it calls the other rooms and writes files."""
