-- The databases and roles of a local stack. Names and passwords in double braces are quoted by the caller.

-- name: database_exists
SELECT true FROM pg_database WHERE datname = $1;

-- name: create_database
CREATE DATABASE {{database}};

-- name: close_to_others
REVOKE CONNECT, TEMPORARY ON DATABASE {{database}} FROM PUBLIC;

-- name: open_warehouse
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {{database}} TO {{role}};

-- name: role_exists
SELECT true FROM pg_roles WHERE rolname = $1;
