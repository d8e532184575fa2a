//! A thread that owns a connection.
//!
//! What waits when the thread is free is done in one transaction and acknowledged when that is committed: a disk that takes a
//! millisecond to be sure of a write takes one for a hundred of them.

use std::{io, thread};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use crate::store::StoreError;

/// How many uses may wait for a thread; others wait for room.
const MAX_WAITING: usize = 1_024;

/// How many uses are committed together.
const MAX_TOGETHER: usize = 256;

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
    /// Starts the thread. `begin` begins its transactions.
    pub(super) fn start(name: &str, connection: Connection, begin: &'static str) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(MAX_WAITING);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || serve(connection, waiting, begin))?;
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

fn serve(mut connection: Connection, mut waiting: mpsc::Receiver<Job>, begin: &str) {
    let mut next = None;
    while let Some(first) = next.take().or_else(|| waiting.blocking_recv()) {
        if first.alone {
            (first.work)(&mut connection)(Ok(()));
            continue;
        }
        if let Err(error) = connection.execute_batch(begin) {
            error!(%error, "the store cannot be used");
            continue;
        }
        let mut done = vec![(first.work)(&mut connection)];
        while done.len() < MAX_TOGETHER
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
