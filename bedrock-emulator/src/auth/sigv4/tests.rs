//! Signatures were made by botocore 1.44 (`SigV4Auth` with its clock set), not by this code.

use hyper::Request;

use super::*;

const DATE: &str = "20261123T120000Z";
const NOW_UNIX_S: u64 = 1_795_435_200;
const PATH: &str = "/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse-stream";
const SIGNATURE: &str = "ba161b040826766ed04fa432afe821ab406408fecd3e374789cba82103c685de";
const HEADERS: &str = "content-type;host;x-amz-date";

struct Case {
    path: &'static str,
    body: &'static str,
    headers: &'static str,
    signature: &'static str,
    extra: Vec<(&'static str, &'static str)>,
}

fn usual() -> Case {
    Case { path: PATH, body: r#"{"messages":[]}"#, headers: HEADERS, signature: SIGNATURE, extra: Vec::new() }
}

fn authorization(key: &str, scope: &str, headers: &str, signature: &str) -> String {
    format!("Credential={key}/{scope}/aws4_request, SignedHeaders={headers}, Signature={signature}")
}

fn check(
    case: &Case,
    authorization: &str,
    credentials: &Credentials,
    region: &str,
    now_unix_s: u64,
) -> Result<String, ErrorType> {
    let mut request =
        Request::post(case.path).header("host", "127.0.0.1:4566").header("content-type", "application/json");
    for (name, value) in &case.extra {
        request = request.header(*name, *value);
    }
    if !case.extra.iter().any(|(name, _)| *name == "x-amz-date") {
        request = request.header("x-amz-date", DATE);
    }
    let (parts, ()) = request.body(()).expect("request").into_parts();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now_unix_s);
    verify(&parts, authorization, case.body.as_bytes(), credentials, region, now).map_err(|error| error.kind)
}

fn check_case(case: &Case, credentials: &Credentials) -> Result<String, ErrorType> {
    let authorization =
        authorization("AKIDEMULATOREXAMPLE", "20261123/us-east-1/bedrock", case.headers, case.signature);
    check(case, &authorization, credentials, "us-east-1", NOW_UNIX_S)
}

#[test]
fn signatures_of_botocore_are_right() {
    let plain = Credentials::default();
    let temporary = Credentials { session_token: Some("session-token-example".to_owned()), ..Credentials::default() };
    let arn = Case {
        path: "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Fanthropic.claude-3-5-sonnet-20241022-v2%3A0/converse",
        signature: "50992ae8803f6fa50151df24e32bff66948bdf6dd3e5ef52ec5944f1b89b3b4a",
        ..usual()
    };
    let token = Case {
        path: "/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/invoke",
        body: "{}",
        headers: "content-type;host;x-amz-date;x-amz-security-token",
        signature: "39d234bf930289f41e06a53361658f1f526940871e544d0dbe5b636861551233",
        extra: vec![("x-amz-security-token", "session-token-example")],
    };
    let query = Case {
        path: "/model/m/converse?b=2&a=%20x&a=1",
        body: "{}",
        headers: "content-type;host;x-amz-date;x-note",
        signature: "da9f146e127189adfba0d396fa4bfc060bae01bce2400a88f3b9e81a0d50fb12",
        extra: vec![("x-note", "  two   spaces  ")],
    };
    for (case, credentials) in [(usual(), &plain), (arn, &plain), (token, &temporary), (query, &plain)] {
        assert_eq!(check_case(&case, credentials).as_deref(), Ok("AKIDEMULATOREXAMPLE"), "{}", case.path);
    }
}

#[test]
fn whatever_is_changed_after_signing_is_found() {
    let changed = [
        Case { path: "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream", ..usual() },
        Case { body: r#"{"messages":[1]}"#, ..usual() },
        Case { headers: "host;x-amz-date", ..usual() },
        Case { headers: "content-type;x-amz-date", ..usual() },
        Case { signature: "00", ..usual() },
        Case { extra: vec![("x-amz-content-sha256", "0000")], ..usual() },
        Case { extra: vec![("x-amz-date", "20261123T120001Z")], ..usual() },
    ];
    for (i, case) in changed.iter().enumerate() {
        assert_eq!(check_case(case, &Credentials::default()), Err(ErrorType::InvalidSignature), "case {i}");
    }
    let other_secret = Credentials { secret_access_key: "another".to_owned(), ..Credentials::default() };
    assert_eq!(check_case(&usual(), &other_secret), Err(ErrorType::InvalidSignature));
}

#[test]
fn a_signature_is_good_for_five_minutes_either_way() {
    let at = |now_unix_s| {
        let authorization = authorization("AKIDEMULATOREXAMPLE", "20261123/us-east-1/bedrock", HEADERS, SIGNATURE);
        check(&usual(), &authorization, &Credentials::default(), "*", now_unix_s).is_ok()
    };
    assert_eq!(
        [-301, -300, 0, 300, 301].map(|skew| at(NOW_UNIX_S.saturating_add_signed(skew))),
        [false, true, true, true, false]
    );
}

#[test]
fn keys_scopes_and_forms_that_are_wrong_have_their_own_errors() {
    let (key, scope) = ("AKIDEMULATOREXAMPLE", "20261123/us-east-1/bedrock");
    let full = |key, scope| authorization(key, scope, HEADERS, SIGNATURE);
    for (authorization, expected) in [
        (full("AKIDSOMEONEELSE", scope), ErrorType::UnrecognizedClient),
        (full(key, "20261123/us-east-1/s3"), ErrorType::InvalidSignature),
        (full(key, "20261123/eu-west-1/bedrock"), ErrorType::InvalidSignature),
        (full(key, "20261122/us-east-1/bedrock"), ErrorType::InvalidSignature),
        (full(key, "us-east-1/bedrock"), ErrorType::IncompleteSignature),
        (format!("Credential={key}/{scope}/aws4_request, SignedHeaders={HEADERS}"), ErrorType::IncompleteSignature),
        (String::new(), ErrorType::IncompleteSignature),
    ] {
        assert_eq!(
            check(&usual(), &authorization, &Credentials::default(), "us-east-1", NOW_UNIX_S),
            Err(expected),
            "{authorization}"
        );
    }
    let unexpected_token = Case { extra: vec![("x-amz-security-token", "surplus")], ..usual() };
    assert_eq!(check_case(&unexpected_token, &Credentials::default()), Err(ErrorType::UnrecognizedClient));
}
