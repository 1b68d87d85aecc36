// Reads the two forms of pgsc_calc's samplesheet: [[meta, [geno, variants, pheno]], ...], or [vcf] for a VCF.

import groovy.json.JsonSlurper

def read_samplesheet(path, format, build) {
    def sheet = file(path, checkIfExists: true)
    def rows = format == 'json' ? new JsonSlurper().parseText(sheet.text) : sheet.splitCsv(header: true)
    check_rows(rows)
    return rows.collect { row ->
        [meta_of(row, build), format == 'json' ? json_files(row) : csv_files(sheet, row)]
    }
}

def check_rows(rows) {
    def names = rows*.sampleset.unique(false)
    def chroms = rows*.chrom
    if (names.size() != 1) {
        error "The samplesheet must have exactly one sampleset, and has ${names.size()}."
    }
    if (names[0] == 'reference' || names[0].contains('_')) {
        error "A sampleset's name can't be 'reference', nor hold an underscore."
    }
    if (chroms.toSet().size() != chroms.size()) {
        error 'A chromosome stands twice in the samplesheet.'
    }
    rows.each { row ->
        if (!(row.format in ['pfile', 'bfile', 'vcf'])) {
            error "The samplesheet's format must be pfile, bfile or vcf."
        }
    }
}

def meta_of(row, build) {
    return [
        id: row.sampleset,
        chrom: row.chrom ? row.chrom.toString().replaceFirst('chr', '') : 'ALL',
        build: build,
        format: row.format,
        is_pfile: row.format == 'pfile',
        is_bfile: row.format == 'bfile',
        is_vcf: row.format == 'vcf',
        vcf_import_dosage: row.vcf_import_dosage ? true : row.vcf_genotype_field == 'DS'
    ]
}

def json_files(row) {
    def names = row.format == 'vcf' ? [row.geno] : [row.geno, row.variants, row.pheno]
    return names.collect { file(it, checkIfExists: true) }
}

def csv_files(sheet, row) {
    def stem = row.path_prefix.startsWith('/') ? row.path_prefix : sheet.parent.resolve(row.path_prefix).toString()
    def suffixes = [pfile: ['.pgen', '.pvar', '.psam'], bfile: ['.bed', '.bim', '.fam'], vcf: ['.vcf']][row.format]
    return suffixes.collect { suffix ->
        suffix in ['.pvar', '.bim', '.vcf'] ? compressed_or_plain(stem + suffix) : file(stem + suffix, checkIfExists: true)
    }
}

def compressed_or_plain(name) {
    def found = ['.zst', '.gz', ''].collect { file(name + it) }.find { it.exists() }
    return found ?: file(name, checkIfExists: true)
}
