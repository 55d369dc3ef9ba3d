"""How work is stopped at its deadline: inside libvips, or in a process that can be killed."""
