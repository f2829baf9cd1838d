"""Method -> Plan (data) -> lines -> files."""
