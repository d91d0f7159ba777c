-- name: project_numbers
SELECT project, number FROM jobs.task_users WHERE project = ANY ($projects::text[])

-- name: number_projects
-- NOT EXISTS, because an insert that meets a conflict still uses up a number of the range.
INSERT INTO jobs.task_users (project) SELECT p FROM unnest($projects::text[]) AS p
WHERE NOT EXISTS (SELECT FROM jobs.task_users u WHERE u.project = p)
ORDER BY p
ON CONFLICT (project) DO NOTHING
