use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::mpsc::Sender,
};

use protocol::{ErrorCode, RequestId};
use serde_json::Value;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_unix_ms(1_795_683_600_123)
}

fn refusal() -> What<'static> {
    What::RequestRefused { outcome: ErrorCode::Forbidden, session_id: None, message_id: None, question: None }
}

fn asker(n: usize) -> Asker {
    Asker { request_id: Some(RequestId::new(format!("r{n}")).unwrap()), ..Asker::default() }
}

/// The files there are, the newest first, and the lines in them from the oldest to the newest.
fn files(path: &Path) -> (Vec<String>, Vec<Value>) {
    let folder = path.parent().unwrap();
    let mut names: BTreeMap<u32, PathBuf> = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let ending = path.extension().unwrap().to_str().unwrap();
        match ending.parse() {
            Ok(number) => drop(names.insert(number, path)),
            Err(_) if ending == "log" => drop(names.insert(0, path)),
            Err(_) => assert_eq!(ending, "lock"),
        }
    }
    let lines = names.values().rev().flat_map(|path| {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.ends_with('\n'), "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    });
    let lines = lines.collect();
    (names.values().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect(), lines)
}

fn numbers(lines: &[Value]) -> Vec<usize> {
    lines.iter().filter_map(|line| line["requestId"].as_str()?.strip_prefix('r')?.parse().ok()).collect()
}

#[test]
fn a_record_is_a_line_of_json_with_a_time() {
    let line = Record { time: now(), asker: &asker(1), what: &refusal() }.line();
    let text = String::from_utf8(line).unwrap();
    let expected =
        r#"{"time":"2026-11-26T09:00:00.123Z","kind":"request.refused","outcome":"forbidden","requestId":"r1"}"#;
    assert_eq!(text, format!("{expected}\n"));
}

#[test]
fn no_record_is_lost_where_one_file_follows_another_and_the_last_ones_are_kept() {
    for max_files in [2, 3, 1_000] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let audit = Audit::start(Rotating::open(&path, 500, max_files).unwrap(), now).unwrap();
        for n in 0..100 {
            audit.record(&asker(n), &refusal());
        }
        audit.close();
        let (names, lines) = files(&path);
        let found = numbers(&lines);
        assert_eq!(found, (100 - found.len()..100).collect::<Vec<_>>(), "{max_files}");
        assert_eq!(lines.last().unwrap()["kind"], "proxy.stopped");
        if max_files == 1_000 {
            assert_eq!((found.len(), lines.len()), (100, 102), "one more for the start, one for the end");
        } else {
            assert_eq!(names.len(), max_files as usize, "{names:?}");
        }
        for name in names {
            assert!(fs::metadata(folder.path().join(&name)).unwrap().len() <= 500, "{name}");
        }
    }
}

#[test]
fn what_was_there_stays_and_half_a_line_harms_no_other() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let first = Rotating::open(&path, 500, 2).unwrap();
    let error = Rotating::open(&path, 500, 2).expect_err("one proxy at a time");
    assert!(error.to_string().contains("another proxy"), "{error}");
    drop(first);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&path, "{\"kind\":\"whole\"}\n{\"kind\":").unwrap();
    Rotating::open(&path, 500, 2).unwrap().append(b"{}\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"kind\":\"whole\"}\n{\"kind\":\n{}\n");
}

#[test]
fn a_file_that_cannot_be_begun_is_tried_again_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let mut file = Rotating::open(&path, 10, 2).unwrap();
    file.append(b"first...\n").unwrap();
    // In the way of the file that is to be kept.
    fs::create_dir_all(folder.path().join("audit.log.1/x")).unwrap();
    for _ in 0..2 {
        file.append(b"second..\n").expect_err("there is a folder in its place");
    }
    fs::remove_dir_all(folder.path().join("audit.log.1")).unwrap();
    file.append(b"second..\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "second..\n");
    assert_eq!(fs::read_to_string(folder.path().join("audit.log.1")).unwrap(), "first...\n");
}

/// A sink that is told what becomes of each line; it takes every line once nobody tells it any more.
struct Told {
    verdicts: Receiver<bool>,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Sink for Told {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if !self.verdicts.recv().unwrap_or(true) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.taken.lock().unwrap().push(serde_json::from_slice(line).unwrap());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn told() -> (Audit, Sender<bool>, Arc<Mutex<Vec<Value>>>) {
    let (verdict, verdicts) = std::sync::mpsc::channel();
    let taken = Arc::<Mutex<Vec<Value>>>::default();
    verdict.send(true).unwrap();
    let audit = Audit::start_with(Told { verdicts, taken: taken.clone() }, now, Duration::ZERO).unwrap();
    (audit, verdict, taken)
}

#[test]
fn what_is_too_much_is_counted_and_told_of_when_it_can_be() {
    let (audit, verdict, taken) = told();
    // One is being written; this many wait; so many are too much.
    let sent = MAX_WAITING + 1 + 7;
    audit.record(&asker(0), &refusal());
    verdict.send(false).unwrap();
    let waiting = || audit.shared.waiting_bytes.load(Ordering::Relaxed);
    // The writer has it in its hands when the failure is known.
    let mut failing = audit.failing.clone();
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(failing.wait_for(|failing| *failing))
        .unwrap();
    for n in 1..sent {
        audit.record(&asker(n), &refusal());
    }
    assert_eq!(audit.shared.lost.load(Ordering::Relaxed), 7);
    assert!(waiting() > 0);
    drop(verdict);
    audit.close();
    let taken = taken.lock().unwrap();
    assert_eq!(numbers(&taken), (0..=MAX_WAITING).collect::<Vec<_>>());
    let lost: u64 = taken.iter().filter_map(|line| line["records"].as_u64()).sum();
    assert_eq!(lost, 7 + u64::from(taken.last().unwrap()["kind"] != "proxy.stopped"));
    assert_eq!(waiting(), 0);
}

#[test]
fn texts_that_wait_have_a_bound_too() {
    let (audit, verdict, taken) = told();
    let text = "x".repeat(MAX_WAITING_BYTES / 4);
    let with_text = What::RequestRefused {
        outcome: ErrorCode::Forbidden,
        session_id: None,
        message_id: None,
        question: Some(&text),
    };
    for n in 0..5 {
        audit.record(&asker(n), &with_text);
    }
    assert_eq!(audit.shared.lost.load(Ordering::Relaxed), 2, "four of them have a little more than the most");
    drop(verdict);
    audit.close();
    assert_eq!(numbers(&taken.lock().unwrap()), [0, 1, 2]);
}

#[test]
fn what_cannot_be_written_before_the_end_is_counted() {
    let (audit, verdict, taken) = told();
    for n in 0..3 {
        audit.record(&asker(n), &refusal());
    }
    // It goes on to fail for as long as anybody can tell.
    let failing = std::thread::spawn(move || while verdict.send(false).is_ok() {});
    audit.close();
    assert_eq!(audit.shared.lost.load(Ordering::Relaxed), 4, "three, and the end");
    failing.join().unwrap();
    assert_eq!(taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn who_must_be_sure_waits_until_it_is_written_and_no_longer() {
    let (audit, verdict, _) = told();
    audit.record(&asker(0), &refusal());
    verdict.send(true).unwrap();
    assert!(audit.is_written().await);
    audit.record(&asker(1), &refusal());
    verdict.send(false).unwrap();
    assert!(!audit.is_written().await, "it is not, and nobody waits for better times");
    assert!(!audit.is_written().await);
    drop(verdict);
    let mut failing = audit.failing.clone();
    failing.wait_for(|failing| !*failing).await.unwrap();
    assert!(audit.is_written().await);
    audit.close();
    assert!(!audit.is_written().await, "nothing is written any more");
}
