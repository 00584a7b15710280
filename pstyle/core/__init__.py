"""What everything stands on: settings, files and their checks, devices, memory, random seeds."""
