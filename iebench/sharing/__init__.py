"""Giving datasets, runs and results to others: folders for the hub, a table of views for its viewer, rows of the leaderboard.

May import every wing below it, `iebench.models` too, and knows neither Blender nor the command line. Begin reading at
`publish`, which brings a folder to its target; then `datasets` and `runs`, which say what is in it.
"""
