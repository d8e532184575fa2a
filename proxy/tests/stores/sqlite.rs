//! The store in a file.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use outcrop_proxy::store::{Amount, Ask, OpenError, SqliteStore, Store, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{
    conformance::{asking, conformance, drop_answer, owner, with_sessions},
    money::money,
    replacing::replacing,
    tools::tools,
};

fn open_in(folder: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(folder).expect("a store"))
}

async fn open() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    (open_in(folder.path()), folder)
}

conformance!(open());
money!(open());
replacing!(open());
tools!(open());

fn session(name: &str) -> protocol::SessionId {
    protocol::SessionId::new(name).expect("an id")
}

/// Whether any file of the folder holds `text`.
fn is_on_disk(folder: &Path, text: &str) -> bool {
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    files.into_iter().any(|file| fs::read(file).expect("a file").windows(text.len()).any(|at| at == text.as_bytes()))
}

#[tokio::test]
async fn everything_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("made/on/the/way");
    let ann = owner("ann");
    let store = open_in(&data);
    with_sessions(&store, &ann, &["s"]).await;
    store.ask(&ann, &session("s"), asking("q", false)).await.expect("asked");
    let before = (store.sessions(&ann, None, 9).await, store.messages(&ann, &session("s"), None, 9).await);
    let more = Amount { nano_usd: 3, tokens: 4 };
    let answer = asking("q", false).answer.message_id;
    store.reserve_more(&ann, &session("s"), &answer, more).await.expect("set aside");
    let unfinished = store.unfinished(protocol::Timestamp::MAX).await;
    drop(store);
    let store = open_in(&data);
    assert_eq!((store.sessions(&ann, None, 9).await, store.messages(&ann, &session("s"), None, 9).await), before);
    assert_eq!(store.unfinished(protocol::Timestamp::MAX).await, unfinished);
    let amounts: Vec<_> = unfinished.expect("unfinished").iter().map(|open| open.opening.reservation.amount).collect();
    assert_eq!(amounts, [more]);
    let mode = fs::metadata(&data).expect("a folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "conversations are nobody else's");
}

#[tokio::test]
async fn one_process_at_a_time_has_the_folder() {
    let (store, folder) = open().await;
    assert!(matches!(SqliteStore::open(folder.path()), Err(OpenError::InUse(_))));
    drop(store);
    open_in(folder.path());
}

#[tokio::test]
async fn a_file_that_is_none_of_ours_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("outcrop.db");
    fs::write(&file, "no database ".repeat(1_000)).expect("written");
    assert!(matches!(SqliteStore::open(folder.path()), Err(OpenError::Unreadable(..))));
    assert_eq!(fs::read_to_string(&file).expect("there"), "no database ".repeat(1_000));
    fs::remove_file(&file).expect("removed");
    open_in(folder.path());
    Connection::open(&file).expect("a file").pragma_update(None, "user_version", 1_000).expect("written");
    assert!(matches!(SqliteStore::open(folder.path()), Err(OpenError::Newer(_))));
    fs::remove_dir_all(folder.path()).expect("removed");
    fs::write(folder.path(), "a file").expect("written");
    assert!(matches!(SqliteStore::open(folder.path()), Err(OpenError::Folder(..))));
}

#[tokio::test]
async fn what_is_deleted_is_not_on_the_disk_any_more() {
    let (store, folder) = open().await;
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    store.ask(&ann, &session("s"), asking("unmistakable", false)).await.expect("asked");
    assert!(is_on_disk(folder.path(), "text of unmistakable"));
    drop_answer(&store, &ann, "unmistakable").await.expect("settled");
    store.delete_session(&ann, &session("s")).await.expect("deleted");
    assert!(!is_on_disk(folder.path(), "unmistakable"));
}

#[tokio::test]
async fn what_gave_way_is_not_on_the_disk_any_more() {
    let (store, folder) = open().await;
    let ann = owner("ann");
    with_sessions(&store, &ann, &["s"]).await;
    let question = asking("unmistakable", false);
    store.ask(&ann, &session("s"), question.clone()).await.expect("asked");
    drop_answer(&store, &ann, "unmistakable").await.expect("settled");
    store.rename_session(&ann, &session("s"), "title".into()).await.expect("renamed");
    assert!(is_on_disk(folder.path(), "text of unmistakable"));
    let replaces = question.question.map(|kept| kept.message.message_id);
    store.ask(&ann, &session("s"), Ask { replaces, ..asking("other", false) }).await.expect("asked");
    assert!(!is_on_disk(folder.path(), "text of unmistakable"));
}

#[tokio::test]
async fn it_can_be_looked_at_while_another_process_writes_to_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |folder: &Path| SqliteStore::open_to_read(folder);
    assert!(matches!(open(folder.path()), Err(OpenError::Missing(_))));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing is made by looking");
    let ann = owner("ann");
    let store = open_in(folder.path());
    let looking = open(folder.path()).expect("a store");
    with_sessions(&store, &ann, &["s"]).await;
    assert_eq!(looking.session(&ann, &session("s")).await, store.session(&ann, &session("s")).await);
    let refused = looking.rename_session(&ann, &session("s"), "other".into()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(text)) if text.contains("readonly")));
    drop(store);
    assert!(looking.session(&ann, &session("s")).await.is_ok());
    let store = open_in(folder.path());
    with_sessions(&store, &ann, &["other"]).await;
    assert!(looking.session(&ann, &session("other")).await.is_ok(), "nor is it in the way");
    drop((store, looking));
    let file = folder.path().join("outcrop.db");
    Connection::open(&file).expect("a file").pragma_update(None, "user_version", 1).expect("written");
    assert!(matches!(open(folder.path()), Err(OpenError::Older(_))));
    Connection::open(&file).expect("a file").pragma_update(None, "user_version", 1_000).expect("written");
    assert!(matches!(open(folder.path()), Err(OpenError::Newer(_))));
    fs::write(&file, "no database ".repeat(1_000)).expect("written");
    assert!(matches!(open(folder.path()), Err(OpenError::Unreadable(..))));
}
