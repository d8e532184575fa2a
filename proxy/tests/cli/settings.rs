//! A setting that is wrong or missing: one line, with the next step in it.

use std::net::TcpListener;

use bedrock_emulator::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

use crate::command::Run;

/// Every heading, and what a person looks for first.
const SERVE_HELP: [&str; 28] = [
    "Server:",
    "Conversations:",
    "Bedrock:",
    "Answers:",
    "Timers:",
    "Limits:",
    "OUTCROP_USER_MESSAGES_PER_MINUTE",
    "OUTCROP_BEDROCK_TOKENS_PER_MINUTE",
    "BEDROCK_MODEL_ID",
    "127.0.0.1:3001",
    "outcrop-data",
    "OUTCROP_DYNAMODB_TABLE",
    "OUTCROP_DYNAMODB_ENDPOINT_URL",
    "OUTCROP_SESSION_TTL",
    "Money:",
    "OUTCROP_BUDGETS",
    "/admin/usage",
    "OUTCROP_ALERT_WEBHOOK",
    "OUTCROP_METRICS",
    "Tools:",
    "OUTCROP_MCP_CONFIG",
    "OUTCROP_ANALYTICS_APPROVAL",
    "[default: 10m]",
    "Observability:",
    "OUTCROP_LOG_FORMAT",
    "OUTCROP_AUDIT_LOG",
    "OUTCROP_METRICS_LISTEN",
    "OUTCROP_OTLP_ENDPOINT",
];

#[tokio::test]
async fn what_is_missing_or_taken_is_said_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().map(|addr| (addr.to_string(), taken)).expect("an address");
    let demo = ["serve", "--demo", "--listen"];
    let listen = ["serve", "--listen", "127.0.0.1:0"];
    let key = || Run::bare().env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
    let with = |more: &[&'static str]| [&listen[..], more].concat();
    Run::bare().run(&[demo[0], demo[1], demo[2], &taken.0]).await.assert_one_line(&[
        &taken.0,
        "in use by another program",
        "choose another with --listen",
    ]);
    for (run, args, parts) in [
        (Run::bare(), [&demo[..], &["0.0.0.0:0"]].concat(), ["other machines", "listen on 127.0.0.1"]),
        (Run::bare(), [&demo[..], &["[::]:0"]].concat(), ["other machines", "listen on 127.0.0.1"]),
        (Run::bare(), with(&["--demo", "--www", "nowhere"]), ["nowhere has no index.html", "build the page"]),
        (Run::bare(), with(&["--demo", "--log", "loud=very"]), ["--log (OUTCROP_LOG)", "write info"]),
        (Run::bare().env("AWS_REGION", "us-west-2"), with(&[]), ["no AWS credentials found", "set AWS_PROFILE"]),
        (Run::bare(), with(&[]), ["no AWS credentials found", "--demo to try without AWS"]),
        (Run::bare().env("AWS_PROFILE", "nobody"), with(&[]), ["no AWS credentials found", "set AWS_PROFILE"]),
        (key(), with(&[]), ["no AWS region is set", "AWS_REGION=us-west-2"]),
        (Run::bare().dotenv(""), with(&["--demo", "--data-dir", ".env"]), [".env cannot be used", "--data-dir"]),
        (
            Run::bare(),
            with(&["--demo", "--session-ttl", "30d"]),
            ["--session-ttl (OUTCROP_SESSION_TTL)", "add --store dynamodb"],
        ),
        (
            Run::bare().env("OUTCROP_ADMIN_TOKEN", "fifteen letters"),
            with(&["--demo"]),
            ["less than 16 characters", "OUTCROP_ADMIN_TOKEN"],
        ),
        (
            Run::bare().env("OUTCROP_ALERT_WEBHOOK", "hooks.example/path"),
            with(&["--demo"]),
            ["OUTCROP_ALERT_WEBHOOK", "begins with https://"],
        ),
        (Run::bare().dotenv("not a setting"), with(&["--demo"]), ["the .env file cannot be read", "not a setting"]),
    ] {
        run.run(&args).await.assert_one_line(&parts);
    }
}

#[tokio::test]
async fn a_value_that_is_wrong_is_named_with_what_would_be_right() {
    for (run, args, parts) in [
        (Run::bare(), ["--temperature", "2"], ["'2' for '--temperature", "a number from 0 to 1"]),
        (Run::bare(), ["--user-messages-per-minute", "0"], ["'0' for '--user-messages-per-minute", "zero"]),
        (Run::bare(), ["--listen", "3001"], ["'3001' for '--listen", "invalid socket address"]),
        (
            Run::bare().env("OUTCROP_EVENT_TIMEOUT", "soon"),
            ["--demo=auto", "--max-turns=1"],
            ["--event-timeout", "90s or 2m"],
        ),
        (Run::bare().dotenv("OUTCROP_MAX_TOKENS=0"), ["--demo=auto", "--max-turns=1"], ["--max-tokens", "0"]),
        (Run::bare(), ["--colour", "red"], ["--colour", "unexpected argument"]),
    ] {
        let ran = run.run(&[&["serve"], &args[..]].concat()).await;
        assert_eq!((ran.status.code(), ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        let first = ran.stderr.lines().next().expect("a line");
        assert!(parts.iter().all(|part| first.contains(part)), "{first}");
        assert!(ran.stderr.contains("--help"), "{ran:?}");
    }
}

#[tokio::test]
async fn help_can_be_read() {
    for (args, parts) in [
        (&["--help"][..], &["serve", "check", "usage", "create-table", ".env", "AWS_PROFILE"][..]),
        (&["serve", "--help"], &SERVE_HELP),
        (&["usage", "--help"], &["--group-by", "7d", "OUTCROP_DATA_DIR", "for spreadsheets"]),
        (&["check", "--help"], &["BEDROCK_ENDPOINT_URL", "IAM"]),
        (
            &["create-table", "--help"],
            &["OUTCROP_DYNAMODB_TABLE", "OUTCROP_DYNAMODB_ENDPOINT_URL", "[default: outcrop]"],
        ),
    ] {
        let ran = Run::bare().run(args).await;
        assert_eq!((ran.status.code(), ran.stderr.as_str()), (Some(0), ""));
        for part in parts {
            assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
        }
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 110), "{}", ran.stdout);
    }
}

#[tokio::test]
async fn a_flag_counts_more_than_the_environment_and_that_more_than_the_file() {
    let file = "OUTCROP_DEMO=always\nOUTCROP_LISTEN=127.0.0.1:0\nBEDROCK_MODEL_ID=of.the-file\n";
    for (run, args, model) in [
        (Run::bare(), &["serve"][..], "of.the-file"),
        (Run::bare().env("BEDROCK_MODEL_ID", "of.the-environment"), &["serve"], "of.the-environment"),
        (
            Run::bare().env("BEDROCK_MODEL_ID", "of.the-environment"),
            &["serve", "--model", "of.the-flag"],
            "of.the-flag",
        ),
    ] {
        let mut running = run.dotenv(file).spawn(args);
        assert_ne!(running.addr().await.port(), 0);
        running.signal(rustix::process::Signal::TERM);
        let ran = running.end().await;
        assert!(ran.stdout.contains(&format!("built-in emulator, model {model}\n")), "{ran:?}");
    }
}
