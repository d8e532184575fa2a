//! Every fault, as a client sees it and as the ledger tells it.

use crate::common::{client, closed_entry, post, prompt, request, start, stream, whole};
use bedrock_emulator::{Behaviour, ErrorType, Fault, Outcome, Script, Step};
use http_body_util::BodyExt;

const TEXT: &str = "one two three four five six";

async fn with_fault(fault: Fault) -> bedrock_emulator::Emulator {
    start(Script::always(Behaviour::text(TEXT).with_fault(fault))).await
}

#[tokio::test]
async fn an_error_before_the_stream_has_bedrocks_status_type_and_message() {
    for (error, status) in [
        (ErrorType::Throttling, 429),
        (ErrorType::Validation, 400),
        (ErrorType::AccessDenied, 403),
        (ErrorType::ModelTimeout, 408),
        (ErrorType::ModelError, 424),
        (ErrorType::ServiceUnavailable, 503),
        (ErrorType::InternalServer, 500),
        (ErrorType::ResourceNotFound, 404),
    ] {
        let emulator =
            with_fault(Fault::ErrorBefore { error, message: Some("scripted".to_owned()), times: None }).await;
        for operation in ["converse-stream", "converse"] {
            let (got, name, body) = whole(post(&emulator, operation, &prompt("x")).await).await;
            assert_eq!((got, name.as_str(), body["message"].as_str()), (status, error.name(), Some("scripted")));
        }
        let entry = closed_entry(&emulator).await;
        assert_eq!((entry.outcome, entry.status, entry.usage), (Outcome::Rejected, status, None));
    }
}

#[tokio::test]
async fn a_prompt_can_be_throttled_so_many_times_and_is_then_answered() {
    let emulator = start(Script::new()).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(post(&emulator, "converse", &prompt("/throttle 2 hello")).await.status().as_u16());
    }
    assert_eq!(statuses, [429, 429, 200, 429]);
}

#[tokio::test]
async fn a_step_can_say_that_a_model_needs_a_profile() {
    let text = "Invocation of model ID x with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.";
    let json = format!(
        r#"{{"steps":[{{"when":{{"model":"sonnet"}},"do":{{"fault":{{"kind":"errorBefore","error":"ValidationException","message":"{text}"}}}}}}]}}"#
    );
    let emulator = start(json.parse().expect("a script")).await;
    let (status, _, body) = whole(post(&emulator, "converse", &prompt("x")).await).await;
    assert_eq!((status, body["message"].as_str()), (400, Some(text)));
}

#[tokio::test]
async fn an_exception_in_mid_stream_is_the_last_frame() {
    let emulator =
        with_fault(Fault::ErrorMid { error: ErrorType::ModelStreamError, message: None, after_tokens: 2 }).await;
    let streamed = stream(post(&emulator, "converse-stream", &prompt("x")).await).await;
    assert_eq!((streamed.text().as_str(), streamed.ended), ("one two", true));
    assert_eq!((streamed.last().kind.as_str(), streamed.last().exception), ("modelStreamErrorException", true));
    let entry = closed_entry(&emulator).await;
    assert_eq!((entry.outcome, entry.deltas_sent), (Outcome::Failed, 2));
    assert_eq!(entry.error_type.as_deref(), Some("ModelStreamErrorException"));
    let (status, name, _) = whole(post(&emulator, "converse", &prompt("x")).await).await;
    assert_eq!((status, name.as_str()), (424, "ModelStreamErrorException"));
}

#[tokio::test]
async fn an_exception_can_come_before_the_first_delta_and_after_message_stop() {
    let emulator = with_fault(Fault::ErrorMid { error: ErrorType::Throttling, message: None, after_tokens: 0 }).await;
    let early = stream(post(&emulator, "converse-stream", &prompt("x")).await).await;
    assert_eq!(early.kinds(), ["messageStart", "throttlingException"]);
    let emulator = with_fault(Fault::ErrorAfter { error: ErrorType::InternalServer, message: None }).await;
    let late = stream(post(&emulator, "converse-stream", &prompt("x")).await).await;
    assert_eq!(late.text(), TEXT);
    assert_eq!(late.kinds()[late.events.len() - 2..], ["messageStop", "internalServerException"]);
}

#[tokio::test]
async fn a_fault_beyond_the_end_of_the_answer_strikes_at_its_end() {
    let emulator =
        with_fault(Fault::ErrorMid { error: ErrorType::ModelStreamError, message: None, after_tokens: 99 }).await;
    let streamed = stream(post(&emulator, "converse-stream", &prompt("x")).await).await;
    assert_eq!(streamed.text(), TEXT);
    assert!(streamed.last().exception && !streamed.kinds().contains(&"messageStop"));
}

#[tokio::test]
async fn silence_keeps_the_connection_open_until_the_client_leaves() {
    let emulator = with_fault(Fault::Silence { after_tokens: 3 }).await;
    for http2 in [false, true] {
        emulator.clear_ledger();
        let client = client(http2);
        let mut body = client
            .request(request(&emulator.url(), crate::common::MODEL, "converse-stream", &prompt("x")))
            .await
            .expect("response")
            .into_body();
        let mut bytes = bytes::BytesMut::new();
        while crate::common::decode(bytes.clone().freeze(), false).deltas() < 3 {
            bytes.extend_from_slice(body.frame().await.expect("more").expect("data").data_ref().expect("data"));
        }
        assert_eq!(emulator.ledger()[0].outcome, Outcome::Running);
        drop(body);
        drop(client);
        let entry = closed_entry(&emulator).await;
        assert!(entry.client_gone);
        assert_eq!((entry.deltas_sent, entry.text_sent.as_str()), (3, "one two three"));
        assert_eq!(entry.usage.expect("billed in full").output_tokens, 6);
    }
}

#[tokio::test]
async fn a_cut_connection_has_no_proper_end() {
    for http2 in [false, true] {
        for mid_frame in [false, true] {
            let emulator = with_fault(Fault::Cut { after_tokens: 2, mid_frame }).await;
            let response = client(http2)
                .request(request(&emulator.url(), crate::common::MODEL, "converse-stream", &prompt("x")))
                .await;
            let streamed = stream(response.expect("a response")).await;
            assert_eq!(
                (streamed.text().as_str(), streamed.ended, streamed.left_over > 0),
                ("one two", false, mid_frame)
            );
            let entry = closed_entry(&emulator).await;
            assert_eq!((entry.outcome, entry.client_gone), (Outcome::Cut, false));
        }
    }
    let emulator = with_fault(Fault::Cut { after_tokens: 2, mid_frame: false }).await;
    assert!(
        client(false).request(request(&emulator.url(), crate::common::MODEL, "converse", &prompt("x"))).await.is_err()
    );
}

#[tokio::test]
async fn a_broken_frame_fails_its_checksum_after_so_many_tokens() {
    let emulator = with_fault(Fault::BrokenFrame { after_tokens: 2 }).await;
    let streamed = stream(post(&emulator, "converse-stream", &prompt("x")).await).await;
    assert_eq!((streamed.text().as_str(), streamed.broken), ("one two", true));
}

#[tokio::test]
async fn a_stream_can_end_properly_without_its_last_events() {
    for (fault, last) in [(Fault::NoStop, "contentBlockStop"), (Fault::NoMetadata, "messageStop")] {
        let emulator = with_fault(fault).await;
        let streamed = stream(post(&emulator, "converse-stream", &prompt("x")).await).await;
        assert_eq!((streamed.text().as_str(), streamed.ended, streamed.last().kind.as_str()), (TEXT, true, last));
        assert_eq!(closed_entry(&emulator).await.outcome, Outcome::Truncated);
    }
}

#[tokio::test]
async fn a_new_script_starts_from_its_beginning() {
    let once = || Script::new().step(Step::of(Behaviour::error(ErrorType::Throttling)).times(1));
    let emulator = start(once()).await;
    for _ in 0..2 {
        assert_eq!(post(&emulator, "converse", &prompt("x")).await.status(), 429);
        assert_eq!(post(&emulator, "converse", &prompt("x")).await.status(), 200);
        emulator.set_script(once());
    }
}
