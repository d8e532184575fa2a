//! The file of the audit log. When it is full it becomes `FILE.1`, what was `FILE.1` becomes `FILE.2`, and the last one is removed.
//!
//! Crates that rotate files cut a line in two where a file ends, or take what they are given without writing it while the file cannot
//! be opened; neither will do for an audit log.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::Sink;

/// Readable by the user the proxy runs as, and by nobody else.
const MODE: u32 = 0o600;

/// Files that follow each other.
#[derive(Debug)]
pub struct Rotating {
    path: PathBuf,
    max_bytes: u64,
    max_files: u32,
    /// None where the next one could not be opened yet.
    current: Option<Current>,
    /// Held as long as this process writes.
    _lock: Option<File>,
}

#[derive(Debug)]
struct Current {
    file: File,
    bytes: u64,
    /// A pipe or a device is written to, and never cut nor renamed.
    is_regular: bool,
}

impl Rotating {
    /// Goes on with the file at `path`. It has at most `max_bytes`, and there are at most `max_files` of them.
    ///
    /// # Errors
    /// A file that cannot be opened, or that another process writes.
    pub fn open(path: &Path, max_bytes: u64, max_files: u32) -> io::Result<Self> {
        let current = Current::open(path)?;
        let lock = current.is_regular.then(|| lock(&numbered(path, "lock"))).transpose()?;
        Ok(Self { path: path.to_owned(), max_bytes, max_files, current: Some(current), _lock: lock })
    }

    /// If it fails in the middle it can be done again: a file that has its new name already is not there under the old one.
    fn rotate(&mut self) -> io::Result<()> {
        if let Some(current) = &self.current {
            current.file.sync_data()?;
        }
        let name = |number: u32| match number {
            0 => self.path.clone(),
            number => numbered(&self.path, &number.to_string()),
        };
        // Where the first one has its new name already, the others have too.
        if fs::exists(name(0))? {
            for number in (0..self.max_files - 1).rev() {
                match fs::rename(name(number), name(number + 1)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        self.current = None;
        self.current = Some(Current::open(&self.path)?);
        Ok(())
    }
}

impl Sink for Rotating {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        let is_full = |current: &Current| {
            current.is_regular && current.bytes > 0 && current.bytes.saturating_add(length) > self.max_bytes
        };
        if self.current.as_ref().is_none_or(is_full) {
            self.rotate()?;
        }
        match &mut self.current {
            Some(current) => current.append(line),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        match &self.current {
            Some(current) if current.is_regular => current.file.sync_data(),
            _ => Ok(()),
        }
    }
}

impl Current {
    fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(MODE);
        let is_regular = fs::metadata(path).map_or(true, |known| known.is_file());
        let mut file = options.read(is_regular).open(path)?;
        let mut bytes = if is_regular { file.metadata()?.len() } else { 0 };
        if bytes > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            // A process that was killed may have left half a line.
            if last != *b"\n" {
                file.write_all(b"\n")?;
                bytes += 1;
            }
        }
        Ok(Self { file, bytes, is_regular })
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        match self.file.write_all(line) {
            Ok(()) => {
                self.bytes += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                // The part of it that was written, if any, is taken back: the line is written again.
                if self.is_regular {
                    self.file.set_len(self.bytes)?;
                }
                Err(error)
            }
        }
    }
}

fn numbered(path: &Path, number: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(number);
    name.into()
}

fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).mode(MODE).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(ErrorKind::ResourceBusy, "another proxy writes it")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
