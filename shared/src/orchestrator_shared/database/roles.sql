-- One login role per service, and those of what watches them, which only read. Names and passwords in double braces are quoted by the caller.

-- name: create_role
CREATE ROLE {{role}} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS
    PASSWORD {{password}};

-- name: create_reader
CREATE ROLE {{role}} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS
    CONNECTION LIMIT 20 PASSWORD {{password}};
ALTER ROLE {{role}} SET default_transaction_read_only = on;
ALTER ROLE {{role}} SET statement_timeout = '10s';

-- name: create_monitor
-- It inherits: the right to read statistics is that of a role which it is a member of.
CREATE ROLE {{role}} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT NOREPLICATION NOBYPASSRLS
    CONNECTION LIMIT 5 PASSWORD {{password}};
ALTER ROLE {{role}} SET default_transaction_read_only = on;
ALTER ROLE {{role}} SET statement_timeout = '10s';
GRANT pg_monitor TO {{role}};

-- name: change_password
ALTER ROLE {{role}} LOGIN PASSWORD {{password}};

-- name: allow_connect
GRANT CONNECT ON DATABASE {{database}} TO {{role}};

-- name: find_roles
SELECT rolname, rolsuper FROM pg_roles WHERE rolname = ANY ($1::text[]);
