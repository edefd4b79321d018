"""The explorer: a static site to look at a dataset, and at what runs make of it.

May import the evaluation, the scene of `iebench.render` and what lies below both; networks come to it as
`iebench.evals.model.Model`. Python writes data and thumbnails, `site/` holds the pages: plain scripts, without a build. Begin
reading at `writing`.
"""

MAX_VIEWS = 100_000  # of a larger dataset, as many are shown
