"""One function per stage; it calls the other rooms in their order, takes typed values and writes files."""
