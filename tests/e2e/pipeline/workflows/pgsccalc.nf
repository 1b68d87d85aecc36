include { DOWNLOAD_SCOREFILES } from '../modules/scorefiles'
include { DUMPSOFTWAREVERSIONS } from '../modules/versions'
include { INPUT_CHECK } from './input_check'
include { MAKE_COMPATIBLE } from './make_compatible'
include { MATCH } from './match'
include { APPLY_SCORE } from './apply_score'
include { REPORT } from './report'

workflow PGSCCALC {
    main:
    check_params()
    steps = steps_to_run()
    scorefiles = params.scorefile ? Channel.fromPath(params.scorefile, checkIfExists: true) : Channel.empty()
    versions = Channel.empty()
    wanted = accessions()
    if (wanted.any { it.value }) {
        DOWNLOAD_SCOREFILES(wanted, params.target_build)
        scorefiles = scorefiles.mix(DOWNLOAD_SCOREFILES.out.scorefiles.flatten())
        versions = versions.mix(DOWNLOAD_SCOREFILES.out.versions)
    }
    INPUT_CHECK(scorefiles.collect(sort: { it.name }))
    versions = versions.mix(INPUT_CHECK.out.versions)
    if ('compatible' in steps) {
        MAKE_COMPATIBLE(INPUT_CHECK.out.genomes)
        versions = versions.mix(MAKE_COMPATIBLE.out.versions)
    }
    if ('match' in steps) {
        MATCH(MAKE_COMPATIBLE.out.genomes, INPUT_CHECK.out.scorefiles)
        versions = versions.mix(MATCH.out.versions)
    }
    if ('score' in steps) {
        APPLY_SCORE(MAKE_COMPATIBLE.out.genomes, MATCH.out.scorefiles)
        versions = versions.mix(APPLY_SCORE.out.versions)
    }
    if ('report' in steps) {
        REPORT(APPLY_SCORE.out.scores, MATCH.out.summary, INPUT_CHECK.out.log_scorefiles)
        versions = versions.mix(REPORT.out.versions)
    }
    DUMPSOFTWAREVERSIONS(versions.map { it.text }.unique().collectFile(name: 'collated_versions.yml', sort: true))
}

def check_params() {
    if (params.run_ancestry) {
        error 'This pipeline only stands in for pgsc_calc: it has no ancestry branch (run_ancestry).'
    }
    if (!params.input) {
        error 'Set input, the samplesheet.'
    }
    if (!(params.format in ['csv', 'json'])) {
        error 'Set format to csv or json.'
    }
    if (!params.target_build) {
        error 'Set target_build, the build of the target genomes.'
    }
    if (params.liftover && !(params.hg19_chain && params.hg38_chain)) {
        error 'liftover needs hg19_chain and hg38_chain.'
    }
    if (!params.scorefile && !accessions().any { it.value }) {
        error 'Set scores to calculate: scorefile, pgs_id, pgp_id or efo_id.'
    }
}

def steps_to_run() {
    def steps = ['input', 'compatible', 'match', 'score', 'report']
    def last = steps.init().find { params["only_$it"] } ?: 'report'
    return steps[0..steps.indexOf(last)]
}

def accessions() {
    def traits = [params.trait_efo, params.efo_id].findAll().join(',')
    return [pgs_id: words(params.pgs_id), pgp_id: words(params.pgp_id), trait_efo: words(traits)]
}

def words(text) {
    def listed = (text ?: '').replaceAll('\\s', '').tokenize(',').unique()
    return listed.findAll { it ==~ /(PGS|PGP)[0-9]{6}|[A-Za-z]+_[0-9]+/ }.join(' ')
}
