"""The checker of types and shapes that the test run puts around every function of iebench (see pyproject.toml)."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float, as the typing specification has it
