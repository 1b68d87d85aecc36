include { MATCH_COMBINE; MATCH_VARIANTS } from '../modules/match'

workflow MATCH {
    take:
    genomes // [meta, geno, variants, pheno]
    scorefiles

    main:
    MATCH_VARIANTS(genomes.map { meta, geno, variants, pheno -> [meta, variants] }.combine(scorefiles.map { [it] }))
    // in one order, whichever chromosome is done first: else the next run finds nothing of this in its cache
    candidates = MATCH_VARIANTS.out.matches
        .toSortedList { a, b -> a[0].chrom <=> b[0].chrom }
        .filter { it }
        .map { found -> [[id: found[0][0].id, split: found[0][0].chrom != 'ALL'], found.collect { it[1] }.flatten()] }
    MATCH_COMBINE(candidates.combine(scorefiles.map { [it] }))

    emit:
    scorefiles = MATCH_COMBINE.out.scorefiles
    summary = MATCH_COMBINE.out.summary
    versions = MATCH_VARIANTS.out.versions.first().mix(MATCH_COMBINE.out.versions)
}
