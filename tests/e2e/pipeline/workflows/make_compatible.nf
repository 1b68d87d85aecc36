include { PLINK2_RELABELBIM; PLINK2_RELABELPVAR; PLINK2_VCF } from '../modules/genomes'

workflow MAKE_COMPATIBLE {
    take:
    genomes // [meta, [geno, variants, pheno]] or [meta, [vcf]]

    main:
    rows = genomes.branch { meta, files ->
        vcf: meta.is_vcf
            return [meta, files[0]]
        bfile: meta.is_bfile
            return [meta, *files]
        pfile: meta.is_pfile
            return [meta, *files]
    }
    PLINK2_RELABELBIM(rows.bfile)
    PLINK2_RELABELPVAR(rows.pfile)
    PLINK2_VCF(rows.vcf)

    emit:
    genomes = PLINK2_RELABELBIM.out.genomes.mix(PLINK2_RELABELPVAR.out.genomes, PLINK2_VCF.out.genomes)
    versions = PLINK2_RELABELBIM.out.versions.first()
        .mix(PLINK2_RELABELPVAR.out.versions.first(), PLINK2_VCF.out.versions.first())
}
