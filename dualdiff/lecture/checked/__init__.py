"""How a claimed derivative is checked, and which slip explains a wrong one."""
