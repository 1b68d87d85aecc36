// Genomes under one naming of variants, kept over runs in the folder `genotypes_cache` (else in the work folder).

def kept_genomes(kind) {
    return "${params.genotypes_cache ?: workflow.workDir}/genomes/$kind"
}

process PLINK2_RELABELPVAR {
    label 'process_low'
    label "${params.copy_genomes ? 'copy_genomes' : ''}"
    label 'plink2'
    tag "$meta.id chromosome $meta.chrom"
    storeDir { kept_genomes('relabelled') }

    input:
    tuple val(meta), path(geno), path(variants), path(pheno)

    output:
    tuple val(meta), path("${stem}.pgen", includeInputs: true), path("${stem}.pvar.zst"),
        path("${stem}.psam", includeInputs: true), emit: genomes
    path "${stem}.{vmiss,afreq}.gz", emit: counts
    path 'versions.yml', emit: versions

    script:
    stem = "${meta.build}_${meta.id}_${meta.chrom}"
    def zst = variants.name.endsWith('zst') ? 'vzs' : ''
    def multiallelic = params.keep_multiallelic ? '' : '--var-id-multi @:#'
    """
    ${task.ext.before}
    plink2 --threads $task.cpus --memory ${task.memory.toMega()} --freq --missing vcols=fmissdosage,fmiss \\
        $task.ext.args --set-all-var-ids '@:#:\$r:\$a' $multiallelic --pfile $geno.baseName $zst \\
        --make-just-pvar zs cols=-xheader,-maybequal,-maybefilter,-maybeinfo,-maybecm --out $stem
    cp -a $geno ${stem}.pgen || true
    cp -a $pheno ${stem}.psam || true
    gzip ${stem}.vmiss ${stem}.afreq
    tool_versions.py PLINK2_RELABELPVAR plink2 > versions.yml
    """
}

process PLINK2_RELABELBIM {
    label 'process_low'
    label "${params.copy_genomes ? 'copy_genomes' : ''}"
    label 'plink2'
    tag "$meta.id chromosome $meta.chrom"
    storeDir { kept_genomes('relabelled') }

    input:
    tuple val(meta), path(geno), path(variants), path(pheno)

    output:
    tuple val(meta), path("${stem}.bed", includeInputs: true), path("${stem}.bim.zst"),
        path("${stem}.fam", includeInputs: true), emit: genomes
    path "${stem}.{vmiss,afreq}.gz", emit: counts
    path 'versions.yml', emit: versions

    script:
    stem = "${meta.build}_${meta.id}_${meta.chrom}"
    def zst = variants.name.endsWith('zst') ? 'vzs' : ''
    def multiallelic = params.keep_multiallelic ? '' : '--var-id-multi @:#'
    """
    ${task.ext.before}
    plink2 --threads $task.cpus --memory ${task.memory.toMega()} --freq --missing vcols=fmissdosage,fmiss \\
        $task.ext.args --set-all-var-ids '@:#:\$r:\$a' $multiallelic --bfile $geno.baseName $zst \\
        --make-just-bim zs --out $stem
    cp -a $geno ${stem}.bed || true
    cp -a $pheno ${stem}.fam || true
    gzip ${stem}.vmiss ${stem}.afreq
    tool_versions.py PLINK2_RELABELBIM plink2 > versions.yml
    """
}

process PLINK2_VCF {
    label 'process_medium'
    label "${params.copy_genomes ? 'copy_genomes' : ''}"
    label 'plink2'
    tag "$meta.id chromosome $meta.chrom"
    storeDir { kept_genomes('recoded') }

    input:
    tuple val(meta), path(vcf)

    output:
    tuple val(recoded), path("${stem}.pgen"), path("${stem}.pvar.zst"), path("${stem}.psam"), emit: genomes
    path "${stem}.{vmiss,afreq}.gz", emit: counts
    path 'versions.yml', emit: versions

    script:
    recoded = meta + [is_pfile: true]
    stem = "${meta.build}_${meta.id}_${meta.chrom}"
    def dosage = meta.vcf_import_dosage ? 'dosage=DS' : ''
    def multiallelic = params.keep_multiallelic ? '' : '--max-alleles 2'
    def chroms = meta.chrom == 'ALL' ? '1-22, X, Y, XY' : meta.chrom
    """
    ${task.ext.before}
    plink2 --threads $task.cpus --memory ${task.memory.toMega()} --set-all-var-ids '@:#:\$r:\$a' $multiallelic \\
        --freq --missing vcols=fmissdosage,fmiss $task.ext.args --vcf $vcf $dosage --allow-extra-chr --chr $chroms \\
        --make-pgen vzs pvar-cols=-xheader,-maybequal,-maybefilter,-maybeinfo,-maybecm --out $stem
    gzip ${stem}.vmiss ${stem}.afreq
    tool_versions.py PLINK2_VCF plink2 > versions.yml
    """
}
