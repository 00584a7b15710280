"""The foundation of every wing: settings, files and their checks, devices, memory, random seeds."""
