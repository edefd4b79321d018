"""The evaluators, one file each, which `iebench.evals.registry` finds here."""
