//! `outcrop-proxy check`.

use bedrock_emulator::{
    ACCESS_KEY_ID, API_KEY, Behaviour, Config, Emulator, ErrorType, Fault, Operation, Script, Step,
};

use crate::command::{Run, WRONG_SECRET};

async fn emulator(script: Script) -> Emulator {
    Emulator::start(Config { script, ..Config::unpaced() }).await.expect("an emulator")
}

/// Runs the check: the exit code and its lines.
async fn check(run: Run) -> (Option<i32>, Vec<String>) {
    let ran = run.run(&["check"]).await;
    assert_eq!(ran.stderr, "");
    assert!(!ran.stdout.contains(ACCESS_KEY_ID), "the whole key id was printed");
    (ran.status.code(), ran.stdout.lines().map(str::to_owned).collect())
}

#[tokio::test]
async fn all_is_well() {
    let emulator = emulator(Script::new()).await;
    let (code, lines) = check(Run::against(&emulator)).await;
    let tail = &ACCESS_KEY_ID[ACCESS_KEY_ID.len() - 4..];
    assert_eq!(
        lines,
        [
            format!("ok   credentials: access key …{tail}"),
            "ok   region: us-west-2".to_owned(),
            "ok   model: anthropic.claude-3-5-sonnet-20241022-v2:0, price known".to_owned(),
            "ok   bedrock:InvokeModel: answered in us-west-2".to_owned(),
            "ok   bedrock:InvokeModelWithResponseStream: answered in us-west-2".to_owned(),
        ]
    );
    assert_eq!(code, Some(0));
    let operations: Vec<_> = emulator.ledger().iter().map(|call| call.operation).collect();
    assert_eq!(operations, [Operation::Converse, Operation::ConverseStream]);
}

#[tokio::test]
async fn an_api_key_will_do() {
    let emulator = emulator(Script::new()).await;
    let run = Run::against(&emulator)
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .env("AWS_BEARER_TOKEN_BEDROCK", API_KEY);
    let (code, lines) = check(run).await;
    assert_eq!(
        (code, lines[0].as_str()),
        (Some(0), "ok   credentials: the Bedrock API key in AWS_BEARER_TOKEN_BEDROCK")
    );
}

#[tokio::test]
async fn what_is_wrong_is_named_with_what_to_do() {
    let denied = "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModelWithResponseStream";
    let fault = |message: Option<&str>| {
        let message = message.map(str::to_owned);
        Behaviour::fault(Fault::ErrorBefore { error: ErrorType::AccessDenied, message, times: None })
    };
    let no_access = emulator(Script::always(fault(None))).await;
    let no_stream =
        emulator(Script::new().step(Step::of(fault(Some(denied))).when_operation(Operation::ConverseStream))).await;
    let fine = emulator(Script::new()).await;
    let credentials = "AWS does not accept the proxy's credentials";
    for (run, failed, says) in [
        (Run::against(&no_access), 2, "an administrator of the AWS account enables it in the Bedrock console"),
        (Run::against(&no_stream), 1, "allow bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream"),
        (Run::against(&fine).env("AWS_SECRET_ACCESS_KEY", WRONG_SECRET), 2, credentials),
        (Run::against(&fine).env("AWS_ACCESS_KEY_ID", "AKIDNOBODY"), 2, credentials),
        (Run::against(&fine).env("BEDROCK_MODEL_ID", "anthropic.claude-9"), 2, "check BEDROCK_MODEL_ID and AWS_REGION"),
        (Run::against(&fine).without("AWS_REGION"), 1, "set AWS_REGION, for example AWS_REGION=us-west-2"),
        (Run::against(&fine).without("AWS_SECRET_ACCESS_KEY"), 1, "no AWS credentials found"),
    ] {
        let (code, lines) = check(run).await;
        let fails: Vec<_> = lines.iter().filter(|line| line.starts_with("FAIL ")).collect();
        assert_eq!((code, fails.len()), (Some(1), failed), "{lines:?}");
        assert!(fails.iter().all(|line| line.contains(says)), "{says}: {lines:?}");
    }
}
