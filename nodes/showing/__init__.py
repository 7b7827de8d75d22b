"""What wire types show of themselves, for people who look into a wire. Named by `@wire(shown=...)`."""
