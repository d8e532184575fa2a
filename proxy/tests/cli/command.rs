//! Runs the command in a folder and an environment of its own, and looks at all it says for secrets.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use bedrock_emulator::{ACCESS_KEY_ID, API_KEY, Emulator, SECRET_ACCESS_KEY};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// How long the command may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// What must never be printed.
const SECRETS: [&str; 3] = [SECRET_ACCESS_KEY, API_KEY, WRONG_SECRET];

/// A secret that the emulator does not know.
pub(crate) const WRONG_SECRET: &str = "not-the-secret-access-key-of-anyone";

/// How to run the command.
pub(crate) struct Run {
    folder: Arc<TempDir>,
    env: Vec<(String, String)>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command while it runs.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: String,
    /// Its log, which is read while it writes: a pipe that is full would stop it.
    log: watch::Receiver<String>,
    reading: JoinHandle<()>,
    /// Removed when nobody runs in it any more.
    _folder: Arc<TempDir>,
}

impl Run {
    /// With nothing: no home, no credentials, an empty folder.
    pub(crate) fn bare() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let home = folder.path().display().to_string();
        let env = vec![("HOME".to_owned(), home)];
        Self { folder: Arc::new(folder), env }.env("AWS_EC2_METADATA_DISABLED", "true")
    }

    /// With credentials and region for this emulator.
    pub(crate) fn against(emulator: &Emulator) -> Self {
        Self::bare()
            .env("BEDROCK_ENDPOINT_URL", &emulator.url())
            .env("AWS_REGION", "us-west-2")
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
            .env("OUTCROP_AUTH", "off")
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self
    }

    /// With this `.env` in the folder.
    pub(crate) fn dotenv(self, text: &str) -> Self {
        std::fs::write(self.folder.path().join(".env"), text).expect("written");
        self
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outcrop-proxy"));
        command
            .args(args)
            .env_clear()
            .envs(self.env.iter().cloned())
            .current_dir(self.folder.path())
            .kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Where it runs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Ran {
        let output = timeout(PATIENCE, self.command(args).output()).await.expect("an end").expect("started");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Ran { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }.without_secrets()
    }

    /// Starts it.
    pub(crate) fn spawn(&self, args: &[&str]) -> Running {
        let mut child = self.command(args).spawn().expect("started");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let (written, log) = watch::channel(String::new());
        let reading = tokio::spawn(async move {
            while let Some(line) = stderr.next_line().await.expect("UTF-8") {
                written.send_modify(|log| log.extend([&line, "\n"]));
            }
        });
        Running { child, lines, said: String::new(), log, reading, _folder: self.folder.clone() }
    }
}

impl Ran {
    fn without_secrets(self) -> Self {
        for secret in SECRETS {
            assert!(!self.stdout.contains(secret) && !self.stderr.contains(secret), "{secret} was printed");
        }
        self
    }

    /// That it failed with this one line.
    pub(crate) fn assert_one_line(&self, parts: &[&str]) {
        assert_eq!((self.status.code(), self.stdout.as_str()), (Some(1), ""), "{self:?}");
        assert_eq!(self.stderr.trim_end().lines().count(), 1, "{self:?}");
        assert!(self.stderr.starts_with("outcrop-proxy: "), "{self:?}");
        for part in parts {
            assert!(self.stderr.contains(part), "{part}: {self:?}");
        }
    }
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Where it says that it listens.
    pub(crate) async fn addr(&mut self) -> std::net::SocketAddr {
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await.expect("a line").expect("UTF-8").expect("more");
            self.said.push_str(&line);
            self.said.push('\n');
            let url = line.strip_prefix("listening on ").and_then(|url| url.split_once("://"));
            if let Some((_, addr)) = url {
                return addr.parse().expect("an address");
            }
        }
    }

    /// What it has said so far.
    #[allow(dead_code, reason = "not every program of tests asks")]
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Waits until it has logged this.
    #[allow(dead_code, reason = "not every program of tests asks")]
    pub(crate) async fn logs(&mut self, text: &str) {
        let logged = self.log.wait_for(|log| log.contains(text));
        timeout(PATIENCE, logged).await.expect("a line").expect("it runs");
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.pid().try_into().expect("a pid")).expect("a pid");
        rustix::process::kill_process(pid, signal).expect("signalled");
    }

    /// Waits for its end and takes all it said.
    pub(crate) async fn end(mut self) -> Ran {
        let ended = async {
            while let Some(line) = self.lines.next_line().await.expect("UTF-8") {
                self.said.push_str(&line);
                self.said.push('\n');
            }
            self.reading.await.expect("its log");
            self.child.wait().await.expect("an end")
        };
        let status = timeout(PATIENCE, ended).await.expect("an end");
        let stderr = self.log.borrow().clone();
        Ran { status, stdout: self.said, stderr }.without_secrets()
    }
}
