"""How large anything may be that was downloaded: far above what a benchmark needs (docs/security.md has the table)."""

MIB, GIB = 2**20, 2**30

MAX_CARD_BYTES = 64 * MIB  # of dataset.json: a hundred thousand shards
MAX_JSON_BYTES = 256 * MIB  # of any other JSON: config.json, results.json, the document of a glTF
MAX_PAGE_BYTES = MIB  # of a README.md
MAX_WEIGHTS_BYTES = 8 * GIB  # of model.safetensors
MAX_TABLE_BYTES = 256 * MIB  # of a CSV table, a log or a list: two million objects
MAX_ROWS = 2_000_000  # of a CSV table
MAX_CELLS = 2**24  # of a CSV table
MAX_ROW = MIB  # characters of one row
MAX_VALUES = 2**22  # in JSON: a short text may ask for fifty times its size of memory
MAX_DEPTH = 64  # of lists and objects in JSON
MAX_INTEGER = 2**64  # beyond any count, size or seed
MAX_NAME = 1024  # characters of a name of an object, a class or a file

MAX_IMAGE_SIDE = 8192  # pixels of a view
MAX_VIEWS = 10_000  # of an object
MAX_FACTORS = 256  # of a factor space
MAX_LABEL = 1_000_000  # class index
MAX_JPEG_BYTES = 64 * MIB  # of a view, and of any other member of a shard
MAX_SCANS = 100  # of a view; a progressive JPEG has ten
MAX_MEMBER_BYTES = 16 * MIB  # of a file of the published layout
MAX_HELD_BYTES = GIB  # of objects whose files an import holds while it waits for the rest of them
MAX_OBJECT_BYTES = 2 * GIB  # of a mesh, unpacked, and of any file of an archive of objects
MAX_PICTURE_PIXELS = 178_956_970  # of a texture; where Pillow too speaks of a bomb
MAX_GALLERY_BYTES = GIB  # unpacked

MAX_PARAMETERS = 2**30  # of a method, as a run's config.json asks for it: 4 GiB of weights
MAX_LAYERS = 64  # of a perceptron
MAX_WAIT_SECONDS = 300.0  # that a server may ask for before it is told that it is too much
