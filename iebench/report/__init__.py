"""What people look at: the HTML page of evaluated runs, its plots, contact sheets, animations, descriptions of datasets.

May import the evaluation and everything below it; no network is run here, as all that is shown was computed before. Begin
reading at `page`.
"""
