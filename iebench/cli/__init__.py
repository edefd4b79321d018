"""The command line: parses, calls, prints. One file a group of commands; `main` puts them together and tells errors.

May import every wing below and both neighbours, `iebench.render` and `iebench.models`, inside the functions that need them,
so that `iebench --help` needs neither torch nor bpy. Begin reading at `main`.
"""
