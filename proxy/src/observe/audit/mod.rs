//! The audit log: who did what, when, and what came of it, as lines of JSON.
//!
//! Records are made where things happen and handed to a thread that writes them, so that nobody waits for a disk. The thread tries
//! again for as long as it cannot write, and what happens meanwhile waits in a queue. Beyond that queue records are lost: they are
//! counted, the log of the proxy says so, and so does a record in the audit log as soon as it can be written again.

mod file;
mod record;
mod writer;

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};

use protocol::Timestamp;
use tokio::sync::{oneshot, watch};
use tracing::error;

use super::metrics;
pub use file::Rotating;
use record::Record;
pub(super) use record::What;
pub use record::{Asker, Target};
use writer::Writer;

/// How many records may wait to be written. Those beyond are lost.
pub const MAX_WAITING: usize = 10_000;

/// How many bytes they may have, since they may have texts in them.
pub const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// How often it is tried to write what could not be written.
pub const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// How long what waits may take to be written when the proxy ends.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Where lines are written to.
pub trait Sink: Send + 'static {
    /// Adds a line, whole or not at all.
    ///
    /// # Errors
    /// Why it was not added; the same line comes again then.
    fn append(&mut self, line: &[u8]) -> io::Result<()>;

    /// Sees to it that what was written outlives a power cut.
    ///
    /// # Errors
    /// What the system says.
    fn sync(&mut self) -> io::Result<()>;
}

/// The audit log.
pub struct Audit {
    /// None once it is closed.
    queue: Mutex<Option<SyncSender<Entry>>>,
    shared: Arc<Shared>,
    failing: watch::Receiver<bool>,
    /// Ends the writer's waiting for better times when it is dropped.
    stop: Mutex<Option<SyncSender<()>>>,
    /// Is closed when the writer has ended.
    ended: Mutex<Receiver<()>>,
    now: fn() -> Timestamp,
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// What the writer is given.
#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    /// To be told when everything before it is written, and whether nothing of it was lost.
    Mark(oneshot::Sender<bool>),
}

/// What the queue and the writer count together.
#[derive(Debug, Default)]
struct Shared {
    waiting_bytes: AtomicUsize,
    /// Records that are lost and not told of yet.
    lost: AtomicU64,
}

impl Audit {
    /// One that writes to `sink`, beginning with a record that says so.
    ///
    /// # Errors
    /// That record cannot be written, or there is no thread to be had.
    pub fn start(sink: impl Sink, now: fn() -> Timestamp) -> io::Result<Self> {
        Self::start_with(sink, now, RETRY_INTERVAL)
    }

    fn start_with(mut sink: impl Sink, now: fn() -> Timestamp, retry: Duration) -> io::Result<Self> {
        let started = What::ProxyStarted { version: env!("CARGO_PKG_VERSION") };
        sink.append(&Record { time: now(), asker: &Asker::default(), what: &started }.line())?;
        metrics::audit_written();
        let (queue, entries) = sync_channel(MAX_WAITING);
        let (stop, stopped) = sync_channel(0);
        let (has_ended, ended) = sync_channel(0);
        let (fails, failing) = watch::channel(false);
        let shared = Arc::<Shared>::default();
        let writer = Writer { entries, stopped, sink, retry, shared: shared.clone(), fails, now };
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || {
            writer.run();
            drop(has_ended);
        })?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            shared,
            failing,
            stop: Mutex::new(Some(stop)),
            ended: Mutex::new(ended),
            now,
        })
    }

    /// Takes note that `asker` did `what`.
    pub(super) fn record(&self, asker: &Asker, what: &What<'_>) {
        let line = Record { time: (self.now)(), asker, what }.line();
        let bytes = line.len();
        let before = self.shared.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let has_room = before == 0 || before + bytes <= MAX_WAITING_BYTES;
        if !(has_room && self.send(Entry::Line(line))) {
            self.shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.shared.lose(1);
        }
    }

    fn send(&self, entry: Entry) -> bool {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        match queue.as_ref().map(|queue| queue.try_send(entry)) {
            Some(Ok(())) => true,
            None | Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) => false,
        }
    }

    /// Waits until what was recorded so far is written; `false` where it cannot be written, or something of it was lost.
    pub async fn is_written(&self) -> bool {
        let (mark, written) = oneshot::channel();
        let mut failing = self.failing.clone();
        if *failing.borrow() || !self.send(Entry::Mark(mark)) {
            return false;
        }
        tokio::select! {
            biased;
            written = written => written.unwrap_or(false),
            _ = failing.wait_for(|failing| *failing) => false,
        }
    }

    /// Writes what waits, with a last record that says that the proxy ends, and no more after that; for at most [`CLOSE_TIMEOUT`].
    pub fn close(&self) {
        self.record(&Asker::default(), &What::ProxyStopped {});
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(CLOSE_TIMEOUT) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            error!("the audit log takes too long to be written: its last records are lost");
        }
    }
}

impl Shared {
    /// So many records are lost.
    fn lose(&self, records: u64) {
        metrics::audit_lost(records);
        if self.lost.fetch_add(records, Ordering::Relaxed) == 0 {
            error!("records of the audit log are lost: see that its file can be written");
        }
    }
}

#[cfg(test)]
mod tests;
