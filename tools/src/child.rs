//! A server that is a process of the proxy's own: with a process group for itself and what it starts, which ends with it.

use std::{io, path::Path, process::Stdio, sync::Arc, time::Duration};

use tokio::{
    io::AsyncReadExt,
    process::{Child as Process, ChildStderr, ChildStdin, ChildStdout, Command},
};

/// How long a server has to end by itself once nothing more is sent to it.
const GRACE: Duration = Duration::from_secs(2);
/// The longest line of a server's log that is kept.
const MAX_LINE_BYTES: usize = 2048;

/// A running server. Dropped, it is killed with everything it started.
#[derive(Debug)]
pub(crate) struct Child {
    process: Process,
    group: Group,
}

impl Child {
    /// Starts `command` with exactly this environment; gives it and its output and input.
    pub(crate) fn start(
        server: &Arc<str>,
        command: &str,
        args: &[String],
        environment: &[(String, String)],
        folder: Option<&Path>,
    ) -> io::Result<(Self, ChildStdout, ChildStdin)> {
        let mut start = Command::new(command);
        start.args(args).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        start.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        if let Some(folder) = folder {
            start.current_dir(folder);
        }
        #[cfg(unix)]
        start.process_group(0);
        let mut process = start.spawn()?;
        let group = Group::of(&process);
        let missing = || io::Error::other("it has no standard streams");
        let output = process.stdout.take().ok_or_else(missing)?;
        let input = process.stdin.take().ok_or_else(missing)?;
        tokio::spawn(log(server.clone(), process.stderr.take().ok_or_else(missing)?));
        Ok((Self { process, group }, output, input))
    }

    /// Waits a little for it to end by itself, its input being closed, and kills what is left. Tells how it ended.
    pub(crate) async fn end(mut self) -> String {
        let ended = tokio::time::timeout(GRACE, self.process.wait()).await;
        // Its group is gone, or has members still, which keep its number from being given away.
        self.group.kill();
        match ended {
            Ok(Ok(status)) => format!("it ended ({status})"),
            Ok(Err(error)) => format!("it ended ({error})"),
            Err(_) => "it closed its output and was ended".to_owned(),
        }
    }
}

/// A process group, killed when dropped.
#[derive(Debug)]
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(process: &Process) -> Self {
        let id = process.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    #[cfg(not(unix))]
    fn of(_: &Process) -> Self {
        Self {}
    }

    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(leader) = self.leader.take() {
            // There may be nobody left to kill.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a server writes to its standard error goes to the log, line by line.
async fn log(server: Arc<str>, mut output: ChildStderr) {
    let mut lines = Lines::default();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = output.read(&mut buffer).await {
        lines.push(&buffer[..count], |line| tracing::debug!(server = &*server, "{line}"));
    }
    lines.push(b"\n", |line| tracing::debug!(server = &*server, "{line}"));
}

/// Bytes become lines, of which at most [`MAX_LINE_BYTES`] are kept.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&str)) {
        for byte in bytes {
            if *byte != b'\n' {
                if self.0.len() < MAX_LINE_BYTES {
                    self.0.push(*byte);
                }
                continue;
            }
            // No control characters: the log is read in terminals.
            let text: String =
                String::from_utf8_lossy(&self.0).chars().filter(|character| !character.is_control()).collect();
            if !text.is_empty() {
                line(&text);
            }
            self.0.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_without_control_characters() {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        lines.push(b"one\r\n\ntw", |line| found.push(line.to_owned()));
        lines.push(b"o\x1b[31m\n", |line| found.push(line.to_owned()));
        lines.push(&[b'x'; MAX_LINE_BYTES + 5], |line| found.push(line.to_owned()));
        lines.push(b"\n\xff\n", |line| found.push(line.to_owned()));
        let long = "x".repeat(MAX_LINE_BYTES);
        assert_eq!(found, ["one", "two[31m", long.as_str(), "\u{fffd}"]);
    }
}
