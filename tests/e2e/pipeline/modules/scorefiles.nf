process DOWNLOAD_SCOREFILES {
    label 'process_medium'
    label 'pgscatalog_utils'
    tag "$accessions"
    time '30m'

    input:
    val accessions
    val build

    output:
    path 'PGS*.txt.gz', emit: scorefiles
    path 'versions.yml', emit: versions

    script:
    def pgs = accessions.pgs_id ? "-i $accessions.pgs_id" : ''
    def traits = accessions.trait_efo ? "-t $accessions.trait_efo" : ''
    def publications = accessions.pgp_id ? "-p $accessions.pgp_id" : ''
    def direct = params.efo_direct ? '-e' : ''
    """
    ${task.ext.before}
    pgscatalog-download $pgs $traits $publications $direct -b $build -o \$PWD -v -c pgsc_calc/$workflow.manifest.version
    tool_versions.py DOWNLOAD_SCOREFILES pgscatalog.core > versions.yml
    """
}

process FORMAT_SCOREFILES {
    label 'process_medium'
    label 'pgscatalog_utils'

    input:
    path scorefiles
    path chains, stageAs: 'chains/*'

    output:
    path 'formatted/normalised_*.{txt,txt.gz}', arity: '1..*', emit: scorefiles
    path 'formatted/log_scorefiles.json', emit: log_scorefiles
    path 'versions.yml', emit: versions

    script:
    def liftover = params.liftover ? "--liftover -c \$PWD/chains -m $params.min_lift" : ''
    """
    ${task.ext.before}
    mkdir formatted
    pgscatalog-format -s $scorefiles $liftover -t $params.target_build --threads $task.cpus \\
        -o formatted/ -l log_scorefiles.json -v
    tool_versions.py FORMAT_SCOREFILES pgscatalog.core > versions.yml
    """
}
