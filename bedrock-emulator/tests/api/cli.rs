//! The program: what it prints, and one clear line for each thing that is wrong.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bedrock-emulator"))
}

fn fails(arguments: &[&str]) -> String {
    let Output { status, stderr, stdout } = program().args(arguments).output().expect("runs");
    assert!(!status.success() && stdout.is_empty());
    String::from_utf8(stderr).expect("UTF-8")
}

#[test]
fn it_prints_its_address_first_and_then_what_an_sdk_needs() {
    let mut child = program().args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let first = lines.next().expect("a line");
    let url = first.strip_prefix("Bedrock emulator listening on ").expect("the address").to_owned();
    let rest: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("Calls so far")).collect();
    child.kill().expect("kills");
    child.wait().expect("ends");
    assert!(url.starts_with("http://127.0.0.1:") && !url.ends_with(":0"), "{url}");
    assert!(rest.contains(&format!("export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={url}")));
    assert!(rest.contains(&format!("export AWS_ACCESS_KEY_ID={}", bedrock_emulator::ACCESS_KEY_ID)));
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let folder = std::env::temp_dir().join(format!("bedrock-emulator-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let script = folder.join("script.json");
    std::fs::write(&script, r#"{"steps":[{"do":{"txt":"x"}}]}"#).expect("a file");
    let script = script.to_str().expect("UTF-8");
    for (arguments, expected) in [
        (&["--listen", "0.0.0.0:0"][..], "0.0.0.0 is not a loopback address"),
        (&["--script", "no-such-file.json"], "cannot read no-such-file.json"),
        (&["--script", script], "unknown field `txt`"),
        (&["--pace", "-1"], "--pace"),
    ] {
        let said = fails(arguments);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    assert!(fails(&["--listen", &address]).contains(&format!("cannot listen on {address}")));
}
