"""From a dataset to the batches of a training: epoch order and partition, decoding, batches of views, streams.

May import the dataset, factors and the ground. `order` has the epoch order and the batch partition across ranks as pure
functions; `batches` has the DataLoader with its workers and memory; `multiview`, `pairs` and `views` say what a batch is. Begin
reading at `multiview`.
"""
