mod backup;

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use database::{ConnectOptions, Database};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::databases::skip;

/// A PostgreSQL cluster that is started for a test and gone with it.
///
/// It listens on a Unix socket in its own folder, so no port can be taken. It ends, and its folder goes, when it is
/// dropped and when the process dies, in whatever way: a shell waits for the end of its standard input, which only this
/// process holds open.
pub struct Cluster {
    tools: Tools,
    folder: PathBuf,
    options: ClusterOptions,
    keeper: Child,
}

/// How a [`Cluster`] runs.
#[derive(Clone, Debug, Default)]
pub struct ClusterOptions {
    /// Whether commits reach the disk. Without, tests are much faster, and a killed server loses nothing either: only the
    /// machine's losing its power would.
    pub durable: bool,
}

/// Where test databases are made: a server of our own or the one in `TEST_POSTGRES_URL`.
pub(crate) enum Home {
    Own(Cluster),
    Given(String),
}

/// What is started and ended with: `bin` holds initdb and pg_ctl, which refuse to run as root.
struct Tools {
    bin: PathBuf,
    become_user: Vec<String>,
}

/// One cluster per test process; it ends with the process.
static SHARED: OnceCell<Result<Home, String>> = OnceCell::const_new();

impl Cluster {
    /// Makes and starts a cluster. `Err` says what is missing on this machine.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is there but cannot be started.
    pub fn start(options: ClusterOptions) -> Result<Self, String> {
        let bin = find_binaries().ok_or("there is no PostgreSQL (apt-get install postgresql)")?;
        let folder = tempfile::Builder::new()
            .prefix("pg-test-")
            .tempdir()
            .expect("a temporary folder");
        let become_user = hand_over(&folder)?;
        let folder = folder.keep();
        let keeper = spawn_keeper(&folder);
        let cluster = Self {
            tools: Tools { bin, become_user },
            folder,
            options,
            keeper,
        };
        cluster.initialise();
        cluster.boot();
        Ok(cluster)
    }

    /// [`Cluster::start`], or `None` when there is no PostgreSQL on this machine: the test is skipped and says so.
    ///
    /// # Panics
    ///
    /// Those of [`Cluster::start`], and with `REQUIRE_POSTGRES=1` when there is no PostgreSQL.
    pub async fn for_test(options: ClusterOptions) -> Option<Self> {
        Self::start_aside(options).await.map_err(|missing| skip(&missing)).ok()
    }

    async fn start_aside(options: ClusterOptions) -> Result<Self, String> {
        tokio::task::spawn_blocking(|| Self::start(options))
            .await
            .expect("a cluster")
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres@localhost/{database}?host={}",
            self.folder.display()
        )
    }

    /// Makes an empty database.
    ///
    /// # Panics
    ///
    /// When it is there already, or the server does not run.
    pub async fn create_database(&self, name: &str) {
        maintain(&self.url("postgres"), format!("CREATE DATABASE {name}")).await;
    }

    /// Starts the server again after [`Cluster::crash`] or [`Cluster::stop`].
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn boot(&self) {
        let durable = if self.options.durable { "on" } else { "off" };
        let settings = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c max_connections=300 -c shared_buffers=32MB \
             -c fsync={durable} -c full_page_writes={durable}",
            self.folder.display()
        );
        let log = self.folder.join("log");
        self.run(
            "pg_ctl",
            &[
                "start",
                "-w",
                "-s",
                "-D",
                &self.data(),
                "-l",
                &log.display().to_string(),
                "-o",
                &settings,
            ],
        );
    }

    /// Stops the server as an operator would; its clients are cut off.
    ///
    /// # Panics
    ///
    /// When it does not stop.
    pub fn stop(&self) {
        self.run("pg_ctl", &["stop", "-w", "-s", "-m", "fast", "-D", &self.data()]);
    }

    /// Ends the server without letting it finish anything.
    ///
    /// # Panics
    ///
    /// When it does not end.
    pub fn crash(&self) {
        self.run("pg_ctl", &["stop", "-w", "-s", "-m", "immediate", "-D", &self.data()]);
    }

    /// Stops the server where it stands, connections included, as a machine does that hangs. [`Cluster::thaw`] ends that.
    ///
    /// # Panics
    ///
    /// When the server does not run.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets a frozen server go on.
    ///
    /// # Panics
    ///
    /// When the server does not run.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// To the server first, which then starts no more processes, and to each that it has.
    fn signal(&self, signal: &str) {
        let file = std::fs::read_to_string(Path::new(&self.data()).join("postmaster.pid")).expect("a running server");
        let server = file.lines().next().expect("its process").to_owned();
        let send = |processes: &str| {
            Command::new("kill")
                .args(["-s", signal])
                .args(processes.split_whitespace())
                .status()
        };
        assert!(send(&server).expect("kill").success(), "SIG{signal} could not be sent");
        let children = Command::new("pgrep")
            .args(["-P", &server])
            .output()
            .expect("pgrep")
            .stdout;
        let _ = send(&String::from_utf8_lossy(&children));
    }

    pub(crate) async fn shared() -> Result<&'static Home, String> {
        let home = SHARED.get_or_init(|| async {
            match std::env::var("TEST_POSTGRES_URL") {
                Ok(url) => Ok(Home::Given(url)),
                Err(_) => Self::start_aside(ClusterOptions::default()).await.map(Home::Own),
            }
        });
        home.await.as_ref().map_err(Clone::clone)
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    /// With a locale in which `a` comes before `B` where this PostgreSQL can do so: columns that have to compare byte by
    /// byte would otherwise do so without being told.
    fn initialise(&self) {
        let data = self.data();
        let common = ["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"];
        let plain = ["--locale=C.UTF-8"];
        let natural = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"];
        if self.try_run("initdb", &[&common[..], &natural[..]].concat()).is_err() {
            self.run("initdb", &[&common[..], &plain[..]].concat());
        }
    }

    fn run(&self, tool: &str, arguments: &[&str]) {
        self.try_run(tool, arguments)
            .unwrap_or_else(|said| panic!("{tool} failed: {said}"));
    }

    fn try_run(&self, tool: &str, arguments: &[&str]) -> Result<(), String> {
        let tool = self.tools.bin.join(tool).display().to_string();
        let mut words = self
            .tools
            .become_user
            .iter()
            .map(String::as_str)
            .chain([tool.as_str()])
            .chain(arguments.iter().copied());
        let mut command = Command::new(words.next().expect("a program"));
        // The server outlives pg_ctl and must not hold the harness's pipes open.
        let said = self.folder.join("said");
        let file = || {
            std::fs::File::options()
                .create(true)
                .append(true)
                .open(&said)
                .expect("a file for messages")
        };
        command
            .args(words)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(file())
            .stderr(file());
        let status = command.status().map_err(|error| error.to_string())?;
        if status.success() {
            Ok(())
        } else {
            Err(std::fs::read_to_string(&said).unwrap_or_default())
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

impl Home {
    /// Makes a database and returns its URL.
    pub(crate) async fn create_database(&self, name: &str) -> String {
        maintain(&self.url("postgres"), format!("CREATE DATABASE {name}")).await;
        self.url(name)
    }

    /// A given server gets its databases removed; our own goes as a whole.
    pub(crate) fn drop_database(&'static self, name: &str) {
        if let Self::Own(_) = self {
            return;
        }
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let work = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(maintain(&self.url("postgres"), statement));
        });
        let _ = work.join();
    }

    fn url(&self, database: &str) -> String {
        match self {
            Self::Own(cluster) => cluster.url(database),
            Self::Given(url) => with_database(url, database),
        }
    }
}

/// Runs a statement that makes or removes a database.
async fn maintain(server: &str, statement: String) {
    let database = Database::connect(server, &ConnectOptions::default())
        .await
        .expect("a PostgreSQL server");
    database.execute(statement, vec![]).await.expect("a test database");
}

/// Replaces the database in a URL, keeping its parameters.
fn with_database(url: &str, database: &str) -> String {
    let (address, parameters) = url
        .split_once('?')
        .map_or((url, String::new()), |(a, p)| (a, format!("?{p}")));
    let scheme_end = address.find("://").map_or(0, |at| at + 3);
    let server = address[scheme_end..]
        .find('/')
        .map_or(address, |at| &address[..scheme_end + at]);
    format!("{server}/{database}{parameters}")
}

/// Debian keeps them out of the path, one folder per version.
fn find_binaries() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    let number = |bin: &PathBuf| {
        bin.parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str()?.parse::<u32>().ok())
    };
    versions.sort_by_key(number);
    versions.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(|bin| bin.join("initdb").exists())
}

/// PostgreSQL refuses to run as root: then the folder is given to the user `postgres`, and the words to become it returned.
fn hand_over(folder: &TempDir) -> Result<Vec<String>, String> {
    let is_root = std::fs::metadata(folder.path()).is_ok_and(|metadata| metadata.uid() == 0);
    if !is_root {
        return Ok(Vec::new());
    }
    let (uid, gid) = id_of("postgres").ok_or("there is no user postgres, and PostgreSQL does not run as root")?;
    chown(folder.path(), Some(uid), Some(gid)).map_err(|error| error.to_string())?;
    Ok(
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
            .map(str::to_owned)
            .to_vec(),
    )
}

fn id_of(user: &str) -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.split(':').next() == Some(user))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// A shell that ends the server and removes its folder once this process lets go of its standard input.
fn spawn_keeper(folder: &Path) -> Child {
    const SCRIPT: &str = r#"
        read -r _
        pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
        [ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null && kill -CONT "$pid" 2>/dev/null
        while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
        rm -rf "$1"
    "#;
    Command::new("sh")
        .args(["-c", SCRIPT, "keeper"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C is for the tests; the keeper still has to clean up after them.
        .process_group(0)
        .spawn()
        .expect("a shell")
}
