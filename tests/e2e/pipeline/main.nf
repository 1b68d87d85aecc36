// Stands in for pgsc_calc 2.2.0 in the tests: the same interface, the same tools. README.md says what differs.

include { PGSCCALC } from './workflows/pgsccalc'

workflow PGSCATALOG_PGSCCALC {
    PGSCCALC()
}

workflow {
    PGSCATALOG_PGSCCALC()
}
