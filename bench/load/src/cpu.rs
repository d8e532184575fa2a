//! CPU time of another process, from Linux's scheduler statistics.

use std::fs;
use std::io;
use std::path::PathBuf;

/// Nanoseconds that all threads of `pid` have run, in user and kernel mode. Threads that have ended are not among them.
///
/// # Errors
/// The process is gone or belongs to someone else.
pub(crate) fn cpu_ns(pid: u32) -> io::Result<u64> {
    let mut total = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        total += thread_ns(task?.path())?;
    }
    Ok(total)
}

fn thread_ns(task: PathBuf) -> io::Result<u64> {
    let text = match fs::read_to_string(task.join("schedstat")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        read => read?,
    };
    let first = text.split_ascii_whitespace().next().and_then(|field| field.parse().ok());
    first.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "schedstat begins with no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_this_process_is_counted() {
        let pid = std::process::id();
        let before = cpu_ns(pid).unwrap();
        let mut value = 1_u64;
        while cpu_ns(pid).unwrap() < before + 5_000_000 {
            value = std::hint::black_box(value.wrapping_mul(6_364_136_223_846_793_005));
        }
        assert!(cpu_ns(pid).unwrap() > before);
    }
}
