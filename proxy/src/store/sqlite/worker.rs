//! A thread that owns a connection.
//!
//! What waits to be written when the thread is free is done in one transaction and acknowledged when that is committed: a disk that
//! takes a millisecond to be sure of a write takes one for a hundred of them. What is read has a transaction of its own: one sees the
//! database as it was at its first use, and whoever comes later may have heard of something newer.

use std::{io, thread};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use crate::store::StoreError;

/// How many uses may wait for a thread; others wait for room.
const MAX_WAITING: usize = 1_024;

/// How many writes are committed together.
const MAX_TOGETHER: usize = 256;

/// What a thread is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
}

impl Purpose {
    /// What begins a transaction.
    fn begin(self) -> &'static str {
        match self {
            Self::Read => "BEGIN",
            Self::Write => "BEGIN IMMEDIATE",
        }
    }

    /// How many uses one has at most.
    fn most_uses(self) -> usize {
        match self {
            Self::Read => 1,
            Self::Write => MAX_TOGETHER,
        }
    }
}

/// Tells whoever asked, once it is known whether the transaction is committed.
type Tell = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

struct Job {
    /// Whether it is no part of a transaction.
    alone: bool,
    work: Box<dyn FnOnce(&mut Connection) -> Tell + Send>,
}

#[derive(Debug)]
pub(super) struct Worker {
    /// Until it is told to end.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start(name: &str, connection: Connection, purpose: Purpose) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(MAX_WAITING);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || serve(connection, waiting, purpose))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Does `work`, all of it or nothing. Once it waits its turn it is done, even if nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(false, move |connection| {
            let savepoint = connection.savepoint()?;
            let result = work(&savepoint)?;
            savepoint.commit()?;
            Ok(result)
        })
        .await
    }

    /// Does `work` outside of any transaction.
    pub(super) async fn run_alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(true, move |connection| work(connection)).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        alone: bool,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let work = Box::new(move |connection: &mut Connection| -> Tell {
            let result = work(connection);
            Box::new(move |committed| {
                // Whoever has gone does not have to know.
                let _ = tell.send(committed.and(result));
            })
        });
        let ended = || StoreError::Unavailable("its thread has ended".to_owned());
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send(Job { alone, work }).await.map_err(|_| ended())?;
        told.await.map_err(|_| ended())?
    }
}

impl Drop for Worker {
    /// Waits for what was given to it.
    fn drop(&mut self) {
        self.jobs = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the store's thread panicked");
        }
    }
}

fn serve(mut connection: Connection, mut waiting: mpsc::Receiver<Job>, purpose: Purpose) {
    let mut next = None;
    while let Some(first) = next.take().or_else(|| waiting.blocking_recv()) {
        if first.alone {
            (first.work)(&mut connection)(Ok(()));
            continue;
        }
        if let Err(error) = connection.execute_batch(purpose.begin()) {
            error!(%error, "the store cannot be used");
            continue;
        }
        let mut done = vec![(first.work)(&mut connection)];
        while done.len() < purpose.most_uses()
            && let Ok(job) = waiting.try_recv()
        {
            if job.alone {
                next = Some(job);
                break;
            }
            done.push((job.work)(&mut connection));
        }
        let committed = connection.execute_batch("COMMIT").map_err(|error| {
            error!(%error, "nothing was stored");
            // Where this fails too there is no transaction left.
            let _ = connection.execute_batch("ROLLBACK");
            StoreError::from(error)
        });
        done.into_iter().for_each(|tell| tell(committed.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn who_reads_after_a_write_sees_it_whatever_others_read_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let writer = Connection::open(&file).unwrap();
        writer.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (n)").unwrap();
        let reader = Worker::start("reader", Connection::open(&file).unwrap(), Purpose::Read).unwrap();
        let count = |connection: &Connection| Ok(connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?);
        let (begun, has_begun) = oneshot::channel();
        let (go_on, may_go_on) = channel();
        let slow = reader.run(move |connection| {
            let before: u32 = count(connection)?;
            begun.send(()).unwrap();
            may_go_on.recv().unwrap();
            Ok(before)
        });
        let later = async {
            has_begun.await.unwrap();
            writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
            let later = reader.run(count);
            let go_on = async { go_on.send(()).unwrap() };
            // In this order: it waits before the thread is free.
            tokio::join!(biased; later, go_on).0
        };
        assert_eq!(tokio::join!(slow, later), (Ok(0), Ok(1)));
    }
}
