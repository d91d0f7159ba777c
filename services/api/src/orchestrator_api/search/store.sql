-- Each looks at $looked rows of the project, at most. All words have to be there, in any order; `-`, `.`, `_` and `/`
-- part words as spaces do, so `nightly sales` finds nightly-sales.

-- part: has_all_words
NOT EXISTS (SELECT FROM unnest($words::text[]) AS w (word) WHERE strpos(found.names, w.word) = 0)

-- part: rank
-- The whole name, its beginning, the beginning of a word, anything else.
CASE WHEN found.names = $text::text THEN 0 WHEN starts_with(found.names, $text) THEN 1
     WHEN strpos(' ' || found.names, ' ' || $text) > 0 THEN 2 ELSE 3 END

-- part: found
-- By the id, the name, and both.
CROSS JOIN LATERAL (
    SELECT translate(lower(v.given), '-._/', '    ') AS names
    FROM (VALUES (c.id), (c.name), (c.component || ' ' || c.id), (c.name || ' ' || c.id)) AS v (given)) AS found

-- name: configurations
-- Without the component orchestrator, or only that.
SELECT component, id, name FROM (
    SELECT c.component, c.id, c.name, min({{part rank}}) AS rank
    FROM (SELECT s.component, s.id, s.name FROM catalog.configurations s
          WHERE s.project = $project AND s.deleted_at IS NULL
            AND CASE WHEN $of_orchestrations THEN s.component = 'orchestrator' ELSE s.component <> 'orchestrator' END
          LIMIT $looked) AS c
    {{part found}}
    WHERE {{part has_all_words}}
    GROUP BY c.component, c.id, c.name) AS ranked
ORDER BY rank, lower(name), component, id
LIMIT $limit

-- name: runs
-- Those with this number, of orchestrations with these words.
SELECT run.id, run.configuration AS orchestration, run.number, run.status
FROM (SELECT l.id, min({{part rank}}) AS rank
      FROM (SELECT s.component, s.id, s.name FROM catalog.configurations s
            WHERE s.project = $project AND s.component = 'orchestrator' LIMIT $looked) AS c
      {{part found}}
      JOIN jobs.lanes_v1 l ON (l.project, l.component, l.configuration) = ($project, 'orchestrator', c.id)
      WHERE {{part has_all_words}}
      GROUP BY l.id) AS lane
JOIN jobs.jobs_v1 run ON run.lane_id = lane.id AND run.number = $number
ORDER BY lane.rank, run.accepted_at DESC
LIMIT $limit

-- name: tables
-- Those for which updates were heard, of the project itself and of buckets shared with it.
SELECT found.project, found.name FROM (
    SELECT t.project, t.name, translate(lower(t.name), '-._/', '    ') AS names
    FROM (SELECT own.project, own.name FROM triggers.tables_v1 own WHERE own.project = $project
          UNION ALL
          SELECT theirs.project, theirs.name FROM catalog.shares s
          JOIN triggers.tables_v1 theirs ON theirs.project = s.project
           AND s.bucket = regexp_replace(theirs.name, '\.[^.]*$', '')
          WHERE s.shared_with = $project) AS t
    LIMIT $looked) AS found
WHERE {{part has_all_words}}
ORDER BY {{part rank}}, found.project <> $project, found.name
LIMIT $limit

-- name: job
SELECT id, component, configuration, number, status FROM jobs.jobs_v1 WHERE project = $project AND id = $job_id
