//! What is written of settings: `docs/configuration.md` is what this module writes, `.env.example` and the documents are checked.
//!
//! `UPDATE_CONFIGURATION=1 cargo test -p outcrop-proxy --lib settings::reference` brings the first up to date.

use std::{collections::BTreeSet, fmt::Write, fs, path::PathBuf};

use clap::{Arg, Command, CommandFactory, Parser};

use super::Cli;

const HEAD: &str = "\
<!-- Generated from proxy/src/settings by its tests. Do not edit. -->
# Configuration

Every setting of `outcrop-proxy serve`. A flag counts more than the environment, that more than a line in `.env` in the working directory,
and that more than the default. What is wrong is said at the start, with what would be right; `outcrop-proxy serve --help` shows the same
as this page.

A time is written as `90s`, `2m` or `24h`; a list is separated by commas. [limits.md](limits.md) says what happens beyond each limit.
";

const AWS: &str = "
## AWS

Credentials and region come from the AWS SDK's default chain, of which these are the usual names. What of it is missing,
`outcrop-proxy check` tells.

| Environment | Meaning |
|---|---|
| `AWS_REGION` | The region of Bedrock and of DynamoDB. |
| `AWS_PROFILE` | The profile of `~/.aws/config` and `~/.aws/credentials`, by SSO, keys, a role or a program. |
| `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | Keys. Containers and instances have roles instead, which need no setting. |
| `AWS_BEARER_TOKEN_BEDROCK` | A Bedrock API key, which counts more than credentials. |
";

/// Names that documents may use besides settings: those of tests.
const OF_TESTS: [&str; 2] = ["OUTCROP_ABUSE_ROUNDS", "OUTCROP_SIM_ONE"];

/// What `.env.example` leaves out, because its default fits nearly everybody.
const NOT_IN_EXAMPLE: &str = "
    OUTCROP_WWW_DIR OUTCROP_MAX_SOCKETS OUTCROP_MAX_SOCKETS_PER_USER OUTCROP_MAX_SOCKETS_PER_ORGANIZATION
    OUTCROP_MAX_PLAIN_CONNECTIONS OUTCROP_MAX_HEAD_BYTES OUTCROP_HEADER_TIMEOUT OUTCROP_PLAIN_TIMEOUT OUTCROP_SHUTDOWN_GRACE
    OUTCROP_TOKEN_LIFETIME OUTCROP_USER_CLAIM OUTCROP_ORGANIZATION_CLAIM OUTCROP_ROLES_CLAIM OUTCROP_ADMINISTRATOR_ROLE
    OUTCROP_OPERATOR_ROLE OUTCROP_DEFAULT_ORGANIZATION
    OUTCROP_ORGANIZATION_MESSAGES_PER_MINUTE OUTCROP_ORGANIZATION_TOKENS_PER_MINUTE OUTCROP_USER_PARALLEL_TURNS
    OUTCROP_ORGANIZATION_PARALLEL_TURNS OUTCROP_MAX_TURNS OUTCROP_MAX_TURNS_PER_SOCKET OUTCROP_BEDROCK_CALLS OUTCROP_QUEUE_LENGTH
    OUTCROP_QUEUE_LENGTH_PER_USER OUTCROP_QUEUE_TIMEOUT
    OUTCROP_DYNAMODB_ENDPOINT_URL OUTCROP_PRICES OUTCROP_ALERT_AT OUTCROP_ALERT_UNUSUAL OUTCROP_ALERT_UNUSUAL_TOKENS
    OUTCROP_GUARDRAIL_MODE OUTCROP_MAX_ATTEMPTS OUTCROP_RETRY_BASE OUTCROP_RETRY_TIMEOUT OUTCROP_DEMO_PACE
    OUTCROP_MAX_MESSAGE_CHARS OUTCROP_MAX_MESSAGE_TOKENS
    OUTCROP_STOP_DRAIN_TIMEOUT OUTCROP_UNWATCHED_TIMEOUT OUTCROP_FIRST_EVENT_TIMEOUT OUTCROP_EVENT_TIMEOUT
    OUTCROP_REASONING_TIMEOUT OUTCROP_ANSWER_TIMEOUT
    OUTCROP_MCP_PINS OUTCROP_ANALYTICS_APPROVAL OUTCROP_MAX_TOOL_ROUNDS OUTCROP_MAX_TOOL_CALLS OUTCROP_TOOL_LOOP_TIMEOUT
    OUTCROP_TOOL_LOOP_TOKENS OUTCROP_TOOL_LOOP_COST OUTCROP_APPROVAL_TIMEOUT OUTCROP_TOOL_RESULT_BYTES
    OUTCROP_LOG OUTCROP_AUDIT_LOG_BYTES OUTCROP_AUDIT_LOG_FILES OUTCROP_AUDIT_TEXT OUTCROP_AUDIT_ON_FAILURE
";

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The settings of a command, without `--help`.
fn settings(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| arg.get_long().is_some_and(|long| long != "help"))
}

fn env(arg: &Arg) -> Option<&str> {
    arg.get_env()?.to_str()
}

fn serve() -> Command {
    Cli::command().find_subcommand("serve").unwrap().clone()
}

/// Every environment variable that is a setting.
fn names() -> BTreeSet<String> {
    settings(&serve()).map(|arg| env(arg).unwrap().to_owned()).collect()
}

fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*")
}

fn flag(arg: &Arg) -> String {
    let value: String = arg.get_value_names().unwrap_or_default().iter().map(|name| format!(" {name}")).collect();
    format!("`--{}{value}`", arg.get_long().unwrap())
}

fn default(arg: &Arg) -> String {
    let values: Vec<_> = arg.get_default_values().iter().filter_map(|value| value.to_str()).collect();
    if values.is_empty() { String::new() } else { format!("`{}`", values.join(",")) }
}

fn meaning(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut text = cell(&help);
    if !text.ends_with(['.', ':']) {
        text.push('.');
    }
    let values: Vec<String> = arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if !values.is_empty() {
        write!(text, " One of {}.", values.join(", ")).unwrap();
    }
    text
}

fn table(out: &mut String, arguments: &[&Arg]) {
    let has_env = arguments.iter().any(|arg| env(arg).is_some());
    *out += if has_env {
        "| Environment | Flag | Default | Meaning |\n|---|---|---|---|\n"
    } else {
        "| Flag | Default | Meaning |\n|---|---|---|\n"
    };
    for arg in arguments {
        let name = env(arg).map(|name| format!("| `{name}` ")).unwrap_or_default();
        writeln!(out, "{name}| {} | {} | {} |", flag(arg), default(arg), meaning(arg)).unwrap();
    }
}

fn generate() -> String {
    let serve = serve();
    let mut out = HEAD.to_owned();
    let mut headings = Vec::new();
    for arg in settings(&serve) {
        let heading = arg.get_help_heading().expect("every setting of serve has a heading");
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        write!(out, "\n## {heading}\n\n").unwrap();
        let of_heading: Vec<&Arg> = settings(&serve).filter(|arg| arg.get_help_heading() == Some(heading)).collect();
        table(&mut out, &of_heading);
    }
    out += AWS;
    out += "\n## Other commands\n\nThey take those of the settings above that are about what they do, and these.\n";
    for command in Cli::command().get_subcommands().filter(|command| command.get_name() != "serve") {
        let own: Vec<&Arg> = settings(command).filter(|arg| env(arg).is_none()).collect();
        let shared: Vec<String> = settings(command).filter_map(env).map(|name| format!("`{name}`")).collect();
        let about = cell(&command.get_about().map(ToString::to_string).unwrap_or_default());
        write!(out, "\n### outcrop-proxy {}\n\n{about}.\n", command.get_name()).unwrap();
        if !own.is_empty() {
            out.push('\n');
            table(&mut out, &own);
        }
        write!(out, "\nTakes {}.\n", shared.join(", ")).unwrap();
    }
    out
}

/// All words that could be the name of a setting.
fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    let is_name = |word: &&str| word.starts_with("OUTCROP_") && word.len() > "OUTCROP_".len();
    words
        .filter(|word| is_name(word) || matches!(*word, "BEDROCK_MODEL_ID" | "BEDROCK_ENDPOINT_URL"))
        .map(str::to_owned)
        .collect()
}

/// The lines of `.env.example` that set something, as they are without their comment sign.
fn example() -> Vec<(String, String)> {
    let text = fs::read_to_string(root(".env.example")).unwrap();
    let set = |line: &str| {
        let (name, value) = line.trim_start_matches("# ").split_once('=')?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        is_name.then(|| (name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(set).collect()
}

#[test]
fn the_document_of_settings_is_what_the_code_says() {
    let path = root("docs/configuration.md");
    let generated = generate();
    if std::env::var_os("UPDATE_CONFIGURATION").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let on_disk = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        on_disk == generated,
        "docs/configuration.md has drifted; UPDATE_CONFIGURATION=1 cargo test -p outcrop-proxy --lib settings::reference writes it anew"
    );
}

#[test]
fn every_setting_is_in_the_example_or_left_out_on_purpose() {
    let left_out: BTreeSet<String> = NOT_IN_EXAMPLE.split_whitespace().map(str::to_owned).collect();
    let shown: BTreeSet<String> =
        example().into_iter().map(|(name, _)| name).filter(|name| !name.starts_with("AWS_")).collect();
    let both: Vec<_> = shown.intersection(&left_out).collect();
    assert!(both.is_empty(), "in .env.example, and in NOT_IN_EXAMPLE: {both:?}");
    let all = shown.union(&left_out).cloned().collect();
    let missing: Vec<_> = names().difference(&all).cloned().collect();
    assert!(missing.is_empty(), "neither in .env.example nor in NOT_IN_EXAMPLE: {missing:?}");
    let unknown: Vec<_> = all.difference(&names()).cloned().collect();
    assert!(unknown.is_empty(), "no settings: {unknown:?}");
}

#[test]
fn the_example_is_taken_as_it_is() {
    let serve = serve();
    let flag_of = |name: &str| settings(&serve).find(|arg| env(arg) == Some(name)).and_then(Arg::get_long);
    let flags = example().into_iter().filter(|(_, value)| !value.is_empty()).filter_map(|(name, value)| {
        let flag = flag_of(&name)?;
        Some(format!("--{flag}={value}"))
    });
    let args: Vec<String> = ["outcrop-proxy", "serve"].map(str::to_owned).into_iter().chain(flags).collect();
    assert!(args.len() > 20, "{args:?}");
    if let Err(error) = Cli::try_parse_from(args) {
        panic!("{error}");
    }
}

#[test]
fn documents_name_no_setting_that_does_not_exist() {
    let documents =
        fs::read_dir(root("docs")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let others = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "compose.yaml",
        "Dockerfile",
        "infra/ecs.yaml",
        "infra/outcrop.service",
    ];
    for path in documents.chain(others.map(root)) {
        let text = fs::read_to_string(&path).unwrap();
        let unknown: Vec<String> = names_in(&text)
            .into_iter()
            .filter(|name| !names().contains(name) && !OF_TESTS.contains(&&name[..]))
            .collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", path.display());
    }
}
