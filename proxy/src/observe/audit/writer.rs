//! The thread that writes the audit log.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use protocol::Timestamp;
use tokio::sync::watch;
use tracing::{error, info};

use super::{
    Entry, Shared, Sink,
    record::{Asker, Record, What},
};
use crate::observe::metrics;

/// Writes what it is given, in its order.
pub(super) struct Writer<S> {
    pub(super) entries: Receiver<Entry>,
    /// Its other end is dropped when the proxy ends.
    pub(super) stopped: Receiver<()>,
    pub(super) sink: S,
    /// How long it waits before it tries again.
    pub(super) retry: Duration,
    pub(super) shared: Arc<Shared>,
    pub(super) fails: watch::Sender<bool>,
    pub(super) now: fn() -> Timestamp,
}

impl<S: Sink> Writer<S> {
    /// Writes until nobody can give it anything any more.
    pub(super) fn run(mut self) {
        while let Ok(entry) = self.entries.recv() {
            match entry {
                Entry::Line(line) => {
                    if !self.write(&line) {
                        return self.give_up();
                    }
                    self.shared.waiting_bytes.fetch_sub(line.len(), Ordering::Relaxed);
                    metrics::audit_written();
                }
                // Whoever asked may have gone.
                Entry::Mark(mark) => drop(mark.send(self.tell_of_lost())),
            }
        }
        self.tell_of_lost();
        if let Err(error) = self.sink.sync() {
            error!(%error, "the end of the audit log may not outlive a power cut");
        }
    }

    /// Writes a line, however long it takes; `false` where the proxy ends before.
    fn write(&mut self, line: &[u8]) -> bool {
        loop {
            if self.tell_of_lost() && self.append(line) {
                return true;
            }
            if self.stopped.recv_timeout(self.retry) == Err(RecvTimeoutError::Disconnected) {
                // The last try.
                return self.tell_of_lost() && self.append(line);
            }
        }
    }

    /// Says in the audit log how many records are missing here; `false` where that cannot be written.
    fn tell_of_lost(&mut self) -> bool {
        let records = self.shared.lost.load(Ordering::Relaxed);
        if records == 0 {
            return true;
        }
        let what = What::AuditLost { records };
        let line = Record { time: (self.now)(), asker: &Asker::default(), what: &what }.line();
        let written = self.append(&line);
        if written {
            self.shared.lost.fetch_sub(records, Ordering::Relaxed);
        }
        written
    }

    fn append(&mut self, line: &[u8]) -> bool {
        let result = self.sink.append(line);
        let fails = result.is_err();
        let is_news = self.fails.send_replace(fails) != fails;
        match result {
            Ok(()) if is_news => info!("the audit log is written again"),
            Ok(()) => {}
            Err(error) => {
                metrics::audit_write_failed();
                if is_news {
                    error!(%error, "the audit log cannot be written: its records wait");
                }
            }
        }
        !fails
    }

    /// Counts as lost what waits.
    fn give_up(self) {
        let waiting = self.entries.try_iter().filter(|entry| matches!(entry, Entry::Line(_))).count();
        self.shared.lose(waiting as u64 + 1);
        error!(
            records = self.shared.lost.load(Ordering::Relaxed),
            "the proxy ends, and records of the audit log are lost"
        );
    }
}
