include { FORMAT_SCOREFILES } from '../modules/scorefiles'
include { read_samplesheet } from '../modules/samplesheet'

workflow INPUT_CHECK {
    take:
    scorefiles

    main:
    chains = params.liftover ? [file(params.hg19_chain, checkIfExists: true), file(params.hg38_chain, checkIfExists: true)] : []
    FORMAT_SCOREFILES(scorefiles, chains)

    emit:
    genomes = Channel.fromList(read_samplesheet(params.input, params.format, params.target_build))
    scorefiles = FORMAT_SCOREFILES.out.scorefiles
    log_scorefiles = FORMAT_SCOREFILES.out.log_scorefiles
    versions = FORMAT_SCOREFILES.out.versions
}
