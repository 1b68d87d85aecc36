include { SCORE_REPORT } from '../modules/score'

workflow REPORT {
    take:
    scores // [meta, aggregated scores]
    summary
    log_scorefiles

    main:
    SCORE_REPORT(scores.combine(summary).combine(log_scorefiles))

    emit:
    versions = SCORE_REPORT.out.versions
}
