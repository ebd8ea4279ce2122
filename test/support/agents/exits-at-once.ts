/** An agent that does not start: its program ends with an error before it listens. */
process.exit(78);
