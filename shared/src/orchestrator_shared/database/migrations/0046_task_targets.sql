-- Where a configuration is used: which versions of orchestrations have a task that runs one of this id.
CREATE INDEX configuration_versions_targets ON catalog.configuration_versions
    USING gin (jsonb_path_query_array(parameters, '$.phases[*].tasks[*].configuration'))
    WHERE component = 'orchestrator';
