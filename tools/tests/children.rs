//! Servers that are processes: what they get to see, and how they end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{collections::BTreeSet, process::Command};

use outcrop_tools::{Content, Hub, Outcome, Pins};
use serde_json::json;
use support::{LIMIT, ann, arguments, config, reason, tool, up};
use tokio::{io::AsyncReadExt, net::unix::pipe};

/// A server in a few lines of shell: its only tool tells the names in its environment. What it starts besides holds a pipe open.
const SERVER: &str = r#"
if [ -n "$HELD" ]; then sleep 100000 >"$HELD" & fi
while read -r line; do
    id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
    case $line in
    *'"initialize"'*) result='{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"sh","version":"1"}}' ;;
    *'"tools/list"'*) result='{"tools":[{"name":"names","inputSchema":{"type":"object"}},{"name":"end","inputSchema":{"type":"object"}}]}' ;;
    *'"end"'*) exit 3 ;;
    *'"tools/call"'*) result='{"content":[{"type":"text","text":"'$(env | cut -d= -f1 | tr '\n' ' ')'"}]}' ;;
    *) result='{}' ;;
    esac
    if [ -n "$id" ]; then printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$result"; fi
done
"#;

#[tokio::test]
async fn a_child_sees_what_it_is_meant_to_see() {
    let servers = json!({"sh": {"command": "sh", "args": ["-c", SERVER], "env": {"KEY": "k"}, "outcrop": {"inheritEnv": ["EXTRA"]}}});
    let env = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("HOME", "/tmp"),
        ("EXTRA", "e"),
        ("OUTCROP_JWT_SECRET", "s"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
    ];
    let hub = up(servers, &env).await;
    let outcome = hub.call(&tool(&hub, "sh__names"), &ann(), arguments(json!({}))).await;
    let Outcome::Returned { content, is_error: false, .. } = outcome else { panic!("{outcome:?}") };
    let [Content::Text(names)] = &content[..] else { panic!("{content:?}") };
    // The shell sets some of its own.
    let names: BTreeSet<_> =
        names.split_whitespace().filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name)).collect();
    let expected =
        ["AWS_CONFIG_FILE", "AWS_EC2_METADATA_DISABLED", "AWS_SHARED_CREDENTIALS_FILE", "EXTRA", "HOME", "KEY", "PATH"];
    assert_eq!(names, BTreeSet::from(expected));
    hub.shutdown().await;
}

#[tokio::test]
async fn what_a_child_started_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let held = folder.path().join("held");
    assert!(Command::new("mkfifo").arg(&held).status().unwrap().success());
    let mut reader = pipe::OpenOptions::new().open_receiver(&held).unwrap();
    let path = held.to_str().unwrap();
    let servers = json!({"sh": {"command": "sh", "args": ["-c", SERVER], "env": {"HELD": path}}});
    let hub = up(servers, &[("PATH", "/usr/local/bin:/usr/bin:/bin")]).await;
    hub.shutdown().await;
    // The pipe ends when nobody holds it any more.
    let read = tokio::time::timeout(LIMIT, reader.read_to_end(&mut Vec::new())).await;
    assert_eq!(read.expect("somebody still holds it").unwrap(), 0);
}

#[tokio::test]
async fn a_child_that_dies_in_a_call_is_an_unknown_outcome_and_told_of() {
    let servers = json!({"sh": {"command": "sh", "args": ["-c", SERVER]}});
    let hub = up(servers, &[("PATH", "/usr/local/bin:/usr/bin:/bin")]).await;
    let outcome = hub.call(&tool(&hub, "sh__end"), &ann(), arguments(json!({}))).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    hub.shutdown().await;
}

#[tokio::test]
async fn a_child_that_does_not_start_says_why() {
    let servers = json!({
        "ends": {"command": "sh", "args": ["-c", "exit 7"]},
        "missing": {"command": "/no/such/program", "args": ["s3cret"]},
    });
    let hub = Hub::start(config(servers, &[("PATH", "/usr/local/bin:/usr/bin:/bin")]), Vec::new(), Pins::in_memory());
    assert!(hub.ready(LIMIT).await);
    let states = hub.servers();
    assert!(reason(&states[0]).contains("it ended (exit status: 7) before it answered"), "{states:?}");
    assert!(reason(&states[1]).contains("\"/no/such/program\" does not start"), "{states:?}");
    assert!(!format!("{states:?}").contains("s3cret"));
}
