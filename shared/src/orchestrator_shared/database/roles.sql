-- One login role per service. Names and passwords in double braces are quoted by the caller.

-- name: create_role
CREATE ROLE {{role}} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS
    PASSWORD {{password}};

-- name: change_password
ALTER ROLE {{role}} LOGIN PASSWORD {{password}};

-- name: allow_connect
GRANT CONNECT ON DATABASE {{database}} TO {{role}};

-- name: find_roles
SELECT rolname, rolsuper FROM pg_roles WHERE rolname = ANY ($1::text[]);
