//! Commands at the start of a prompt, for people who try out a user interface.

use std::str::FromStr;

use serde_json::Value;

use crate::behaviour::{Behaviour, MAX_LENGTH_TOKENS, ToolUse};
use crate::error::ErrorType;
use crate::fault::{DEFAULT_AFTER_TOKENS, Fault};
use crate::guardrail::Intervention;

/// What `/help` answers; also the reference of the commands.
pub(crate) const HELP: &str = "\
# Commands of the emulator

Put one or more at the start of a message, then go on with the message itself, as in
`/pace 5 /length 300 Tell me about rivers`.

| Command | What happens |
|---|---|
| `/pace N` | N tokens a second; 0 sends all at once |
| `/first MS` | the first token after MS milliseconds |
| `/length N` | an answer of exactly N tokens |
| `/think` or `/reasoning` | reasoning before the answer |
| `/redacted` | the same as bytes that nobody can read |
| `/tool NAME [{json}]` | the answer asks for a tool, with this input or one made from its schema; several are asked for at once |
| `/loop-tools NAME [{json}]` | the same, again after every result: a loop without an end |
| `/bad-tool NAME TEXT` | the same once, with one word as its input that need not be JSON |
| `/guard [N]` | a guardrail blocks the message, or the answer after N tokens, where the request names one |
| `/throttle [N]` | `ThrottlingException`, the first N times or always |
| `/overflow` | the error of an input that is too long for the model |
| `/error-before TYPE` | an HTTP error instead of an answer |
| `/error-mid [TYPE] [N]` | an exception in mid-stream, after N tokens |
| `/error-after [TYPE]` | an exception after the text, before the usage |
| `/silence [N]` | nothing more after N tokens, connection open |
| `/cut [N]` | the connection is cut after N tokens |
| `/cut-frame [N]` | the same in the middle of a frame |
| `/broken-frame [N]` | a wrong checksum after N tokens |
| `/no-stop` | the stream ends without `messageStop` |
| `/no-metadata` | the stream ends without its usage |
| `/strike WHAT WHEN` | any of these, at any moment: see below |
| `/help` | this list |

N is 10 where a fault is given none. TYPE is a name such as `modelStreamErrorException` or `ServiceUnavailable`.
WHAT is `silence`, `cut`, `reset`, `end`, `checksum`, `length`, `garbage` or a TYPE; WHEN is `request`, `headers`, `deltas:N`, `frame:N`, \
`stop` or `end`.
";

/// Takes the commands off the start of a prompt: the behaviour they ask for and the rest. The first thing that is no command,
/// or a command whose argument is missing or wrong, begins the rest.
pub(crate) fn parse(prompt: &str) -> (Behaviour, &str) {
    let mut behaviour = Behaviour::default();
    let mut rest = prompt.trim_start();
    while let Some(after) = command(rest, &mut behaviour) {
        rest = after.trim_start();
    }
    (behaviour, rest)
}

/// The same for a call after so many rounds of tools: what was asked for has been done by then, but for pace, length, reasoning and
/// tools that loop.
pub(crate) fn in_round(prompt: &str, round: u32) -> (Behaviour, &str) {
    let (mut behaviour, rest) = parse(prompt);
    if round > 0 {
        behaviour = Behaviour {
            first_token_ms: behaviour.first_token_ms,
            tokens_per_second: behaviour.tokens_per_second,
            length_tokens: behaviour.length_tokens,
            reasoning: behaviour.reasoning,
            redacted_reasoning: behaviour.redacted_reasoning,
            tool_uses: looping(prompt),
            ..Behaviour::default()
        };
    }
    (behaviour, rest)
}

/// The tools of `/loop-tools`.
fn looping(prompt: &str) -> Vec<ToolUse> {
    let mut rest = prompt.trim_start();
    let mut tools = Vec::new();
    loop {
        let (loops, mut behaviour) = (rest.starts_with("/loop-tools"), Behaviour::default());
        let Some(after) = command(rest, &mut behaviour) else { return tools };
        tools.extend(behaviour.tool_uses.into_iter().filter(|_| loops));
        rest = after.trim_start();
    }
}

fn command<'a>(text: &'a str, behaviour: &mut Behaviour) -> Option<&'a str> {
    let (name, rest) = word(text.strip_prefix('/')?);
    match name {
        "pace" => {
            let (rate, rest) = argument::<f64>(rest)?;
            behaviour.tokens_per_second = Some(rate).filter(|rate| rate.is_finite() && *rate >= 0.0);
            behaviour.tokens_per_second.map(|_| rest)
        }
        "first" => {
            let (wait_ms, rest) = argument(rest)?;
            behaviour.first_token_ms = Some(wait_ms);
            Some(rest)
        }
        "length" => {
            let (tokens, rest) = argument::<u32>(rest)?;
            behaviour.length_tokens = Some(tokens.clamp(1, MAX_LENGTH_TOKENS));
            Some(rest)
        }
        "think" | "reasoning" => {
            behaviour.reasoning = Some(String::new());
            Some(rest)
        }
        "redacted" => {
            behaviour.redacted_reasoning = true;
            Some(rest)
        }
        "tool" | "loop-tools" => tool(rest, behaviour),
        "bad-tool" => {
            let (name, rest) = argument(rest)?;
            let (raw_input, rest) = argument(rest)?;
            behaviour.tool_uses.push(ToolUse { name, input: Value::Null, raw_input: Some(raw_input) });
            Some(rest)
        }
        "guard" => {
            let (after, rest) = optional(rest);
            let output = |after_tokens| Intervention::Output { after_tokens };
            behaviour.guardrail = Some(after.map_or(Intervention::Input {}, output));
            Some(rest)
        }
        "help" => {
            behaviour.text = Some(HELP.to_owned());
            Some(rest)
        }
        _ => {
            let (fault, rest) = fault(name, rest)?;
            behaviour.fault = Some(fault);
            Some(rest)
        }
    }
}

fn fault<'a>(name: &str, rest: &'a str) -> Option<(Fault, &'a str)> {
    let after = optional::<u32>(rest);
    let after_tokens = after.0.unwrap_or(DEFAULT_AFTER_TOKENS);
    Some(match name {
        "throttle" => (Fault::ErrorBefore { error: ErrorType::Throttling, message: None, times: after.0 }, after.1),
        "overflow" => {
            let message = Some(crate::validate::TOO_LONG.to_owned());
            (Fault::ErrorBefore { error: ErrorType::Validation, message, times: None }, rest)
        }
        "error-before" => {
            let (error, rest) = argument(rest)?;
            (Fault::ErrorBefore { error, message: None, times: None }, rest)
        }
        "error-mid" => {
            let (error, rest) = optional(rest);
            let (after, rest) = optional(rest);
            let error = error.unwrap_or(ErrorType::ModelStreamError);
            (Fault::ErrorMid { error, message: None, after_tokens: after.unwrap_or(DEFAULT_AFTER_TOKENS) }, rest)
        }
        "error-after" => {
            let (error, rest) = optional(rest);
            (Fault::ErrorAfter { error: error.unwrap_or(ErrorType::ModelStreamError), message: None }, rest)
        }
        "silence" => (Fault::Silence { after_tokens }, after.1),
        "cut" => (Fault::Cut { after_tokens, mid_frame: false }, after.1),
        "cut-frame" => (Fault::Cut { after_tokens, mid_frame: true }, after.1),
        "broken-frame" => (Fault::BrokenFrame { after_tokens }, after.1),
        "no-stop" => (Fault::NoStop, rest),
        "no-metadata" => (Fault::NoMetadata, rest),
        "strike" => {
            let (what, rest) = argument(rest)?;
            let (at, rest) = argument(rest)?;
            (Fault::Strike { what, at }, rest)
        }
        _ => return None,
    })
}

fn tool<'a>(rest: &'a str, behaviour: &mut Behaviour) -> Option<&'a str> {
    let (name, rest) = word(rest.trim_start());
    if name.is_empty() {
        return None;
    }
    let mut input = Value::Null;
    let mut end = 0;
    if rest.trim_start().starts_with('{') {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        input = values.next()?.ok()?;
        end = values.byte_offset();
    }
    behaviour.tool_uses.push(ToolUse { name: name.to_owned(), input, raw_input: None });
    Some(&rest[end..])
}

fn argument<T: FromStr>(text: &str) -> Option<(T, &str)> {
    let (first, rest) = word(text.trim_start());
    if first.is_empty() {
        return None;
    }
    Some((first.parse().ok()?, rest))
}

fn optional<T: FromStr>(text: &str) -> (Option<T>, &str) {
    argument(text).map_or((None, text), |(value, rest)| (Some(value), rest))
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Moment, Strike};

    #[test]
    fn commands_combine_and_leave_the_rest() {
        let (behaviour, rest) = parse("/pace 5 /first 0 /length 300 /reasoning /cut 3  tell /me more");
        assert_eq!((behaviour.tokens_per_second, behaviour.first_token_ms), (Some(5.0), Some(0)));
        assert_eq!((behaviour.length_tokens, behaviour.reasoning.as_deref()), (Some(300), Some("")));
        assert_eq!(behaviour.fault, Some(Fault::Cut { after_tokens: 3, mid_frame: false }));
        assert_eq!(rest, "tell /me more");
    }

    #[test]
    fn any_strike_can_be_asked_for_at_any_moment() {
        for (text, what, at) in [
            ("reset request", Strike::Reset, Moment::Request),
            ("end deltas:0", Strike::End, Moment::Deltas(0)),
            ("length frame:7", Strike::Length, Moment::Frame(7)),
            ("throttling stop", Strike::Exception { error: ErrorType::Throttling, message: None }, Moment::Stop),
        ] {
            assert_eq!(parse(&format!("/strike {text} hi")), (Behaviour::fault(Fault::Strike { what, at }), "hi"));
        }
    }

    #[test]
    fn tool_input_ends_where_its_json_does() {
        let (behaviour, rest) = parse("/tool get_weather {\"city\": \"Oslo {1}\"} /tool now and then");
        assert_eq!(behaviour.tool_uses[0].input, serde_json::json!({ "city": "Oslo {1}" }));
        assert_eq!((behaviour.tool_uses[1].name.as_str(), rest), ("now", "and then"));
        assert_eq!(behaviour.tool_uses[1].input, Value::Null);
        let (behaviour, rest) = parse("/bad-tool now {\"city\": hi");
        assert_eq!((behaviour.tool_uses[0].raw_input.as_deref(), rest), (Some("{\"city\":"), "hi"));
    }

    #[test]
    fn after_results_of_tools_only_a_loop_goes_on() {
        let prompt = "/pace 5 /tool once /loop-tools again {\"a\":1} /cut 3 /think hello";
        let (first, rest) = in_round(prompt, 0);
        assert_eq!((first.tool_uses.len(), first.fault.is_some(), rest), (2, true, "hello"));
        let (second, rest) = in_round(prompt, 1);
        let again = Behaviour::default().with_tool_use("again", serde_json::json!({ "a": 1 }));
        assert_eq!(rest, "hello");
        assert_eq!(second, Behaviour { tokens_per_second: Some(5.0), reasoning: Some(String::new()), ..again });
    }

    #[test]
    fn what_is_no_command_is_text() {
        for text in [
            "hello",
            "/",
            "/unknown x",
            "/pace fast",
            "/pace -1",
            "/tool",
            "/bad-tool t",
            "/loop-tools",
            "/tool t {broken",
            "/error-before teapot",
            "/strike cut",
            "/strike cut deltas",
            "/strike cut stop:1",
            "/etc/passwd",
        ] {
            assert_eq!(parse(text), (Behaviour::default(), text));
        }
    }

    #[test]
    fn the_help_names_every_command() {
        for name in
            HELP.lines().filter_map(|line| line.strip_prefix("| `/")).map(|line| word(line).0.trim_end_matches('`'))
        {
            let sample = format!(
                "/{name} {} rest",
                match name {
                    "pace" | "first" | "length" => "7",
                    "tool" | "loop-tools" => "t {}",
                    "bad-tool" => "t {",
                    "error-before" => "ThrottlingException",
                    "strike" => "cut headers",
                    _ => "",
                }
            );
            assert_eq!(parse(&sample).1, "rest", "{name}");
        }
    }
}
