//! What tools looked like when they were approved.
//!
//! A server that was trustworthy when it was set up may say something else tomorrow. A tool is pinned by the hash of what a model
//! and people are told of it when it is first seen; once it says something else it is held back until somebody approves that.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Held;

/// Why the file of pins cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PinsError {
    /// It cannot be read or written.
    #[error("{path}: {source}; it has to be a file that the proxy may read and write")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// Something else is in it. It is left as it is.
    #[error("{path} is no file of pins ({source}); repair it, or move it away to approve all tools anew")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Nothing is held back under this name.
    #[error("no tool of {server} is held back{}", tool.as_deref().map(|tool| format!(" under the name {tool}")).unwrap_or_default())]
    NotHeld {
        /// The server.
        server: String,
        /// The tool that was asked for.
        tool: Option<String>,
    },
}

type ByServer = BTreeMap<String, BTreeMap<String, String>>;

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    /// Approved: server, tool, fingerprint.
    servers: ByServer,
    /// Held back: server, tool, the fingerprint that waits to be approved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    held: ByServer,
}

/// The pins of all servers, in a file or in memory. Clones are the same pins.
#[derive(Debug, Clone)]
pub struct Pins(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    path: Option<PathBuf>,
    contents: Contents,
    is_unwritable: bool,
}

/// What the pins say of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is as it was approved.
    Approved,
    /// It was never seen before, and counts as approved from now on.
    New,
    /// It was approved with this fingerprint, which is another.
    Held { pinned: String },
}

impl Pins {
    /// The pins in the file at `path`, which may not exist yet.
    ///
    /// # Errors
    /// [`PinsError`], where there is something that cannot be read as pins.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, PinsError> {
        let path = path.into();
        let contents = read(&path)?.unwrap_or_default();
        Ok(Self::new(Some(path), contents))
    }

    /// Pins that are forgotten at the end.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(None, Contents::default())
    }

    fn new(path: Option<PathBuf>, contents: Contents) -> Self {
        Self(Arc::new(Mutex::new(Inner { path, contents, is_unwritable: false })))
    }

    /// Approves what is held back of `server`: `tool`, or all there is. A running hub follows within seconds, whichever process did
    /// it. Gives the names of what was approved.
    ///
    /// # Errors
    /// [`PinsError`]; nothing is approved then.
    pub fn approve(&self, server: &str, tool: Option<&str>) -> Result<Vec<String>, PinsError> {
        let mut inner = self.lock();
        inner.reload()?;
        let mut contents = inner.contents.clone();
        let held = contents.held.entry(server.to_owned()).or_default();
        let approved: BTreeMap<String, String> = match tool {
            None => std::mem::take(held),
            Some(tool) => held.remove_entry(tool).into_iter().collect(),
        };
        if approved.is_empty() {
            return Err(PinsError::NotHeld { server: server.to_owned(), tool: tool.map(str::to_owned) });
        }
        let names = approved.keys().cloned().collect();
        contents.servers.entry(server.to_owned()).or_default().extend(approved);
        contents.held.retain(|_, held| !held.is_empty());
        inner.write(&contents)?;
        inner.contents = contents;
        Ok(names)
    }

    /// Looks `tools` of a server up, by name and fingerprint, and keeps what is new.
    pub(crate) fn settle(&self, server: &str, tools: &[(&str, &str)]) -> Vec<Verdict> {
        let mut inner = self.lock();
        if let Err(error) = inner.reload() {
            tracing::warn!(%error, "pins are used as they were");
        }
        let mut contents = inner.contents.clone();
        let pinned = contents.servers.entry(server.to_owned()).or_default();
        let held = contents.held.entry(server.to_owned()).or_default();
        held.clear();
        let verdicts = tools
            .iter()
            .map(|(tool, fingerprint)| match pinned.get(*tool) {
                None => {
                    pinned.insert((*tool).to_owned(), (*fingerprint).to_owned());
                    Verdict::New
                }
                Some(known) if known == fingerprint => Verdict::Approved,
                Some(known) => {
                    held.insert((*tool).to_owned(), (*fingerprint).to_owned());
                    Verdict::Held { pinned: known.clone() }
                }
            })
            .collect();
        contents.servers.retain(|_, tools| !tools.is_empty());
        contents.held.retain(|_, tools| !tools.is_empty());
        if contents != inner.contents {
            match inner.write(&contents) {
                Ok(()) => inner.is_unwritable = false,
                Err(error) if !inner.is_unwritable => {
                    tracing::warn!(%error, "pins are kept in memory only: after a restart, changed tools count as new");
                    inner.is_unwritable = true;
                }
                Err(_) => {}
            }
            inner.contents = contents;
        }
        verdicts
    }

    /// Whether the pin of one of these is no longer the one that holds it back.
    pub(crate) fn have_changed(&self, held: &[Held]) -> bool {
        let mut inner = self.lock();
        // A file that cannot be read has changed nothing; it is told of when something is settled.
        let _ = inner.reload();
        held.iter().any(|held| {
            inner.contents.servers.get(&*held.server).and_then(|tools| tools.get(&*held.tool)) != Some(&held.pinned)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Takes over what another process wrote.
    fn reload(&mut self) -> Result<(), PinsError> {
        // What could not be written is only here.
        if let Some(path) = self.path.as_deref().filter(|_| !self.is_unwritable)
            && let Some(contents) = read(path)?
        {
            self.contents = contents;
        }
        Ok(())
    }

    /// Puts a whole new file in the place of the old one.
    fn write(&self, contents: &Contents) -> Result<(), PinsError> {
        let Some(path) = self.path.as_deref() else { return Ok(()) };
        let error = |source| PinsError::File { path: path.to_owned(), source };
        // A corrupt file is for people to look at.
        if let Err(found @ PinsError::Corrupt { .. }) = read(path) {
            return Err(found);
        }
        let mut text = serde_json::to_string_pretty(contents).map_err(|source| error(source.into()))?;
        text.push('\n');
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(error)?;
        io::Write::write_all(&mut file, text.as_bytes()).map_err(error)?;
        file.as_file().sync_all().map_err(error)?;
        file.persist(path).map_err(|failed| error(failed.error))?;
        Ok(())
    }
}

fn read(path: &Path) -> Result<Option<Contents>, PinsError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            serde_json::from_str(&text).map(Some).map_err(|source| PinsError::Corrupt { path: path.to_owned(), source })
        }
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PinsError::File { path: path.to_owned(), source }),
    }
}

/// What a tool is pinned by: the SHA-256 of all that is told of it, in one form whatever the order of fields.
pub(crate) fn fingerprint(tool: &rmcp::model::Tool) -> String {
    let told = serde_json::json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.input_schema.as_ref(),
        "annotations": tool.annotations,
    });
    let mut text = String::new();
    write_canonical(&told, &mut text);
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// JSON without blanks, fields in order.
fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<_, _> = fields.iter().collect();
            let mut separator = '{';
            for (name, value) in &sorted {
                text.push(separator);
                text.push_str(&Value::String((*name).clone()).to_string());
                text.push(':');
                write_canonical(value, text);
                separator = ',';
            }
            text.push_str(if sorted.is_empty() { "{}" } else { "}" });
        }
        Value::Array(items) => {
            let mut separator = '[';
            for value in items {
                text.push(separator);
                write_canonical(value, text);
                separator = ',';
            }
            text.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}
