use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{Approval, Caller, Role};

fn env(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some("s3cret".into()),
        "PATH" => Some("/bin".into()),
        "EXTRA" => Some("more".into()),
        "AWS_SECRET_ACCESS_KEY" => Some("aws".into()),
        _ => None,
    }
}

fn one(fields: Value) -> Result<ServerConfig, String> {
    let file = json!({"mcpServers": {"one": fields}}).to_string();
    Config::parse(&file, &env).map(|config| config.servers[0].clone()).map_err(|error| error.to_string())
}

fn caller(organization: &str, role: Role) -> Caller {
    Caller { organization: organization.into(), user: "ann".into(), role, session: "s".into(), message: "m".into() }
}

#[test]
fn the_usual_form_is_read_and_what_is_unknown_in_it_ignored() {
    let file = json!({"$schema": 1, "mcpServers": {
        "remote": {"type": "streamable-http", "url": "https://example.com/mcp?key=${TOKEN}#x", "headers": {"Authorization": "Bearer ${TOKEN}"}},
        "local": {"command": "npx", "args": ["-y", "server", "${TOKEN}"], "env": {"KEY": "${TOKEN}"}, "cwd": "/srv", "alwaysAllow": ["x"],
            "outcrop": {"inheritEnv": ["EXTRA"]}},
        "off": {"disabled": true},
    }});
    let config = Config::parse(&file.to_string(), &env).unwrap();
    let names: Vec<_> = config.servers.iter().map(|server| &*server.name).collect();
    assert_eq!(names, ["local", "remote"]);
    let Launch::Child { command, args, environment, folder } = &config.servers[0].launch else { panic!() };
    assert_eq!((command.as_str(), args.as_slice()), ("npx", ["-y", "server", "s3cret"].map(String::from).as_slice()));
    assert_eq!(folder.as_deref(), Some("/srv".as_ref()));
    let set = |name: &str| environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(
        [set("PATH"), set("KEY"), set("EXTRA"), set("TOKEN")],
        [Some("/bin"), Some("s3cret"), Some("more"), None]
    );
    assert!(set("AWS_SECRET_ACCESS_KEY").is_none());
    let Launch::Http { url, headers } = &config.servers[1].launch else { panic!() };
    assert_eq!(url.as_str(), "https://example.com/mcp?key=s3cret");
    assert_eq!(headers, &[("Authorization".to_owned(), "Bearer s3cret".to_owned())]);
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn a_tool_has_its_own_options_within_those_of_its_server() {
    let server = one(json!({"command": "x", "outcrop": {
        "organizations": ["acme", "beta"], "roles": ["administrator", "operator"], "approval": "session", "timeoutSeconds": 5,
        "tools": {"read": {"approval": "never", "idempotent": true, "organizations": ["acme", "other"]}, "drop": {"disabled": true}},
    }}))
    .unwrap();
    let plain = server.options.of("plain").unwrap();
    assert_eq!((plain.approval, plain.idempotent, plain.timeout), (Approval::Session, false, Duration::from_secs(5)));
    assert!(plain.access.includes(&caller("beta", Role::Administrator)));
    assert!(!plain.access.includes(&caller("beta", Role::User)));
    let read = server.options.of("read").unwrap();
    assert_eq!((read.approval, read.idempotent), (Approval::Never, true));
    assert!(read.access.includes(&caller("acme", Role::Operator)));
    assert!(!read.access.includes(&caller("beta", Role::Operator)), "its own list");
    assert!(!read.access.includes(&caller("other", Role::Operator)), "its server's list");
    assert!(server.options.of("drop").is_none());
}

#[test]
fn what_is_left_out_is_the_safe_default() {
    let server = one(json!({"command": "x"})).unwrap();
    let tool = server.options.of("any").unwrap();
    assert_eq!((tool.approval, tool.idempotent, tool.timeout), (Approval::Always, false, Duration::from_secs(30)));
    assert!(tool.access.includes(&caller("any", Role::User)));
    assert!(!server.options.pass_caller && !server.options.allow_private);
}

#[test]
fn mistakes_are_errors_that_name_the_server_and_say_what_to_do() {
    for (fields, expected) in [
        (json!({}), "neither \"command\" nor \"url\"; give one"),
        (json!({"command": "x", "url": "https://a"}), "leave one out"),
        (json!({"command": ""}), "\"command\" is empty"),
        (json!({"command": "x", "args": "y"}), "list of texts"),
        (json!({"command": "x", "args": [1]}), "list of texts"),
        (json!({"command": "x", "env": {"A": 1}}), "object of texts"),
        (json!({"command": "x", "env": {"A B": "1"}}), "no variable can have"),
        (json!({"command": "x", "env": {"AWS_PROFILE": "p"}}), "nothing that begins with AWS_"),
        (json!({"command": "x", "env": {"aws_profile": "p"}}), "nothing that begins with AWS_"),
        (json!({"command": "x", "env": {"KEY": "${AWS_SECRET_ACCESS_KEY}"}}), "not handed on"),
        (json!({"command": "x", "outcrop": {"inheritEnv": ["AWS_REGION"]}}), "nothing that begins with AWS_"),
        (json!({"command": "x", "env": {"KEY": "${MISSING}"}}), "\"env\", KEY: ${MISSING} is not set; set MISSING"),
        (json!({"command": "x", "outcrop": {"approvel": "never"}}), "approvel"),
        (json!({"command": "x", "outcrop": {"approval": "sometimes"}}), "\"outcrop\", approval: unknown variant"),
        (
            json!({"command": "x", "outcrop": {"tools": {"t": {"passCaller": true}}}}),
            "\"outcrop\", tools.t.passCaller: unknown field",
        ),
        (json!({"command": "x", "outcrop": {"timeoutSeconds": 0}}), "1 to 900"),
        (json!({"command": "x", "outcrop": {"roles": ["admin"]}}), "administrator"),
        (json!({"command": "x", "disabled": "no"}), "true or false"),
        (json!({"type": "sse", "url": "https://a/sse"}), "\"sse\" is of the past"),
        (json!({"type": "ws", "url": "https://a"}), "it is \"stdio\" or \"http\""),
        (json!({"url": "http://example.com"}), "without TLS"),
        (json!({"url": "ftp://example.com"}), "begin with https://"),
        (json!({"url": "example.com"}), "begins with https://"),
        (json!({"url": "https://u:s3cret@example.com"}), "put it into \"headers\""),
        (json!({"url": "https://a", "headers": {"Host": "b"}}), "host belongs to the transport"),
        (
            json!({"url": "https://a", "headers": {"X-Key": "s3cret\nX: y"}}),
            "the header x-key has a value that no header can have",
        ),
        (json!({"url": "https://a", "headers": {"X Key": "s3cret"}}), "no header can have"),
    ] {
        let error = one(fields.clone()).expect_err(&fields.to_string());
        assert!(error.contains(expected), "{fields}: {error}");
        assert!(error.contains("\"one\"") && !error.contains("s3cret"), "{error}");
    }
}

#[test]
fn addresses_are_refused_in_every_spelling() {
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "10.1.2.3",
        "１２７.0.0.1",
    ] {
        let error = one(json!({"url": format!("https://{host}/mcp")})).expect_err(host);
        assert!(error.contains("is not public"), "{host}: {error}");
        one(json!({"url": format!("http://{host}/mcp"), "outcrop": {"allowPrivate": true}})).unwrap();
    }
    let error = one(json!({"url": "http://169.254.169.254/", "outcrop": {"allowPrivate": true}})).unwrap_err();
    assert!(error.contains("never connected to"), "{error}");
}

#[test]
fn names_and_the_form_of_the_file_are_checked() {
    let long = "n".repeat(65);
    for name in ["", "a b", "a/b", "é", long.as_str()] {
        let file = json!({"mcpServers": {name: {"command": "x"}}}).to_string();
        assert!(Config::parse(&file, &env).unwrap_err().to_string().contains("1 to 64 of"), "{name}");
    }
    for file in ["", "[]", "{}", r#"{"mcpServers": []}"#, "{\"mcpServers\": {\"a\": "] {
        let error = Config::parse(file, &env).unwrap_err();
        assert!(matches!(error, ConfigError::Form(_)), "{file}: {error}");
    }
    assert!(Config::parse(r#"{"mcpServers": {}}"#, &env).unwrap().servers.is_empty());
}
