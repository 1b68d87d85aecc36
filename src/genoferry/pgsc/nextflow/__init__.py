"""The Nextflow engine: pgsc_calc itself, rendered, run, watched and explained."""
