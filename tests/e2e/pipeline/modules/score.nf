process PLINK2_SCORE {
    label 'process_low'
    label 'process_long'
    label 'plink2'
    tag "$meta.id chromosome $meta.chrom effect type $weights.effect_type $weights.n"
    errorStrategy 'finish'

    input:
    tuple val(meta), path(geno), path(variants), path(pheno), val(weights), path(scorefile)

    output:
    tuple val(meta), path("${stem}.sscore*", arity: '2'), emit: scores
    path "${stem}.log", emit: log
    path 'versions.yml', emit: versions

    script:
    stem = "${meta.id}_${meta.chrom}_${weights.effect_type}_${weights.n}"
    def genomes = meta.is_pfile ? "--pfile vzs $geno.baseName" : "--bfile vzs $geno.baseName"
    // too few samples for frequencies of their own: a missing genotype counts nothing
    def impute = meta.n_samples < 50 ? 'no-mean-imputation error-on-freq-calc' : ''
    def model = weights.effect_type == 'additive' ? '' : weights.effect_type
    def columns = weights.n_scores > 1 ? "--score-col-nums 3-${weights.n_scores + 2}" : ''
    """
    ${task.ext.before}
    plink2 --threads $task.cpus --memory ${task.memory.toMega()} --seed 31 --extract $scorefile $task.ext.args \\
        --score $scorefile $task.ext.args2 header-read cols=+scoresums,+denom,+fid list-variants $impute $model \\
        $columns $genomes --out $stem
    tool_versions.py PLINK2_SCORE plink2 > versions.yml
    """
}

process SCORE_AGGREGATE {
    label 'process_high_memory'
    label 'pgscatalog_utils'
    tag "$meta.id"

    input:
    tuple val(meta), path(scores)
    path scorefiles

    output:
    tuple val(meta), path('aggregated_scores.txt.gz'), emit: scores
    path 'versions.yml', emit: versions

    script:
    """
    ${task.ext.before}
    pgscatalog-aggregate -s *.sscore.zst -o . -v --no-split --verify_variants
    tool_versions.py SCORE_AGGREGATE pgscatalog.calc > versions.yml
    """
}

process SCORE_REPORT {
    label 'process_high_memory'
    label 'report'
    tag "$meta.id"

    input:
    tuple val(meta), path(scores), path(summary), path(log_scorefiles)

    output:
    path '*.txt.gz', includeInputs: true
    path 'report.html', emit: report
    path 'versions.yml', emit: versions

    script:
    """
    ${task.ext.before}
    echo $workflow.commandLine > command.txt
    score_report.py $scores $summary $log_scorefiles command.txt > report.html
    tool_versions.py SCORE_REPORT python > versions.yml
    """
}
