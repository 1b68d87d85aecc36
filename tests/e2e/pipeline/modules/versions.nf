process DUMPSOFTWAREVERSIONS {
    label 'pyyaml'

    input:
    path versions

    output:
    path 'software_versions.yml', emit: yml

    script:
    """
    ${task.ext.before}
    tool_versions.py DUMPSOFTWAREVERSIONS python > own.yml
    {
        cat $versions own.yml
        printf 'Workflow:\\n    Nextflow: %s\\n    %s: %s\\n' \\
            $workflow.nextflow.version $workflow.manifest.name $workflow.manifest.version
    } > software_versions.yml
    """
}
