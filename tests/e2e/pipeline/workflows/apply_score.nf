include { PLINK2_SCORE; SCORE_AGGREGATE } from '../modules/score'

import java.util.zip.GZIPInputStream

workflow APPLY_SCORE {
    take:
    genomes // [meta, geno, variants, pheno]
    scorefiles // [meta, [a file for each chromosome (or ALL), effect type and number]]

    main:
    weights = scorefiles.flatMap { meta, files -> [files].flatten() }.map { [chrom_of(it), weights_of(it), it] }
    ready = genomes
        .map { meta, geno, variants, pheno -> [meta.chrom, meta + [n_samples: pheno.countLines() - 1], geno, variants, pheno] }
        .combine(weights, by: 0)
        .map { it.tail() }
    PLINK2_SCORE(ready)
    scores = PLINK2_SCORE.out.scores
        .toSortedList { a, b -> a[1][0].name <=> b[1][0].name }
        .filter { it }
        .map { found -> [[id: found[0][0].id], found.collect { it[1] }.flatten()] }
    SCORE_AGGREGATE(scores, scorefiles.map { meta, files -> files })

    emit:
    scores = SCORE_AGGREGATE.out.scores
    versions = PLINK2_SCORE.out.versions.first().mix(SCORE_AGGREGATE.out.versions)
}

// A scorefile's name is {sampleset}_{chromosome}_{effect type}_{number}.scorefile.gz
def chrom_of(path) {
    return path.name.tokenize('_')[1]
}

def weights_of(path) {
    def words = path.name.tokenize('.')[0].tokenize('_')
    return [effect_type: words[2], n: words[3], n_scores: columns_of(path) - 2]
}

def columns_of(path) {
    return new GZIPInputStream(path.newInputStream()).withReader { it.readLine().split('\t').length }
}
