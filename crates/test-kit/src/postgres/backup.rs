//! Backups of a database, and going back to one.

use super::Cluster;

impl Cluster {
    /// Makes a backup of a database, in place of an earlier one of that database.
    ///
    /// # Panics
    ///
    /// When `pg_dump` fails.
    pub fn back_up(&self, database: &str) {
        self.run("pg_dump", &["-f", &self.backup(database), &self.url(database)]);
    }

    /// Puts a database back to its backup, as an operator does: it is removed, which cuts off those who use it, made anew
    /// and filled.
    ///
    /// # Panics
    ///
    /// When there is no backup, or `psql` fails.
    pub fn restore(&self, database: &str) {
        let drop = format!("DROP DATABASE {database} WITH (FORCE)");
        let create = format!("CREATE DATABASE {database}");
        let quietly = ["-q", "-v", "ON_ERROR_STOP=1"];
        let anew = ["-c", &drop, "-c", &create, &self.url("postgres")];
        self.run("psql", &[&quietly[..], &anew].concat());
        let fill = ["-f", &self.backup(database), &self.url(database)];
        self.run("psql", &[&quietly[..], &fill].concat());
    }

    fn backup(&self, database: &str) -> String {
        self.folder.join(format!("{database}.sql")).display().to_string()
    }
}
