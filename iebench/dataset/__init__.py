"""The dataset on disk, format 1: card, shards, reader, writer, verify, remote copies, and the published layout.

May import factors and the ground, and needs no torch. Begin reading at `card`, then `shards`; `reader.Dataset` is what
all others open.
"""
