//! What the services of a test binary log, kept where it can be searched.

use std::{
    env,
    fs::OpenOptions,
    path::Path,
    process,
    sync::{Mutex, Once},
};

use tracing_subscriber::EnvFilter;

/// All that our own code says, and of the libraries what they say in production.
const FILTER: &str =
    "info,access_token=debug,auth_service=debug,database=debug,gateway=debug,service_kit=debug,widget_service=debug";

/// Where `TEST_LOGS` names a folder, logs of this process go into a file there; elsewhere nowhere. Whoever starts a
/// service in a test calls this before.
pub fn keep_logs() {
    static KEEP: Once = Once::new();
    KEEP.call_once(|| {
        if let Some(folder) = env::var_os("TEST_LOGS") {
            write_to(&Path::new(&folder).join(format!("{}.log", process::id())));
        }
    });
}

fn write_to(path: &Path) {
    let file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::new(FILTER))
        .with_writer(Mutex::new(file))
        .init();
}
