"""From a dataset to the batches of a training: who reads what when, decoding, batches of views, streams.

May import the dataset, factors and the ground. `order` decides in pure functions who reads what; `batches` has the DataLoader
with its workers and memory; `multiview`, `pairs` and `views` say what a batch is. Begin reading at `multiview`.
"""
