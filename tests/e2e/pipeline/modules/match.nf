process MATCH_VARIANTS {
    label 'process_medium'
    label 'pgscatalog_utils'
    tag "$meta.id chromosome $meta.chrom"
    errorStrategy 'finish'

    input:
    tuple val(meta), path(variants), path(scorefiles)

    output:
    tuple val(meta), path('*.ipc.zst'), emit: matches
    path 'versions.yml', emit: versions

    script:
    def chrom = meta.chrom == 'ALL' ? '' : "--chrom $meta.chrom"
    def ambiguous = params.keep_ambiguous ? '--keep_ambiguous' : ''
    def multiallelic = params.keep_multiallelic ? '--keep_multiallelic' : ''
    """
    ${task.ext.before}
    export POLARS_MAX_THREADS=$task.cpus
    pgscatalog-match --dataset $meta.id --scorefile $scorefiles --target $variants --only_match $chrom \\
        $ambiguous $multiallelic --outdir \$PWD -v
    tool_versions.py MATCH_VARIANTS pgscatalog.match > versions.yml
    """
}

process MATCH_COMBINE {
    label 'process_medium'
    label 'pgscatalog_utils'
    tag "$meta.id"

    input:
    tuple val(meta), path('???.ipc.zst'), path(scorefiles)

    output:
    tuple val(meta), path('*.scorefile.gz'), emit: scorefiles
    path '*_summary.csv', emit: summary
    path '*_log.csv.gz', emit: log
    path 'versions.yml', emit: versions

    script:
    def layout = meta.split ? '--split' : '--combined'
    def ambiguous = params.keep_ambiguous ? '--keep_ambiguous' : ''
    def multiallelic = params.keep_multiallelic ? '--keep_multiallelic' : ''
    """
    ${task.ext.before}
    export POLARS_MAX_THREADS=$task.cpus
    pgscatalog-matchmerge --dataset $meta.id --scorefile $scorefiles --matches *.ipc.zst \\
        --min_overlap $params.min_overlap $ambiguous $multiallelic --outdir \$PWD $layout -v
    tool_versions.py MATCH_COMBINE pgscatalog.match > versions.yml
    """
}
