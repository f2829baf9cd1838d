"""Method -> Plan -> files: the lines of a package, and the templates that list them."""
