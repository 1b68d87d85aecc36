"""Random cohorts and scores through the embedded engine: the sums of an independent routine, or a refusal by name."""
