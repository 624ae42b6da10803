//! The one module that names SQLite and PostgreSQL.
