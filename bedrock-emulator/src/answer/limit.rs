//! Where an answer stops.

use super::{Answer, Part, StopReason, Usage};
use crate::tokens;

/// Cuts the parts at the first stop sequence and then at `max_tokens`, and counts what is left.
pub(super) fn limited(mut parts: Vec<Part>, stops: &[String], max_tokens: u32, usage: Usage) -> Answer {
    let has_tool = |parts: &[Part]| parts.iter().any(|part| matches!(part, Part::ToolUse { .. }));
    let mut stop_reason = if has_tool(&parts) { StopReason::ToolUse } else { StopReason::EndTurn };
    let mut stop_sequence = None;
    for i in 0..parts.len() {
        let Part::Text(text) = &mut parts[i] else { continue };
        let hits =
            stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| Some((text.find(stop.as_str())?, stop)));
        if let Some((at, stop)) = hits.min_by_key(|(at, _)| *at) {
            text.truncate(at);
            stop_sequence = Some(stop.clone());
            stop_reason = StopReason::StopSequence;
            parts.truncate(i + 1);
            break;
        }
    }
    let mut left = max_tokens as usize;
    for i in 0..parts.len() {
        let content = parts[i].content_mut();
        let kept: usize = tokens::pieces(content).take(left).map(str::len).sum();
        left -= tokens::pieces(&content[..kept]).count().min(left);
        if kept < content.len() {
            content.truncate(kept);
            parts.truncate(i + usize::from(kept > 0));
            stop_reason = StopReason::MaxTokens;
            stop_sequence = None;
            break;
        }
    }
    parts.retain(|part| !part.content().is_empty() || matches!(part, Part::ToolUse { .. }));
    let output_tokens = parts.iter().map(|part| tokens::count(part.content())).sum();
    Answer { parts, stop_reason, stop_sequence, usage: Usage { output_tokens, ..usage } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::parsed_input;

    fn text(text: &str) -> Vec<Part> {
        vec![Part::Text(text.to_owned())]
    }

    #[test]
    fn max_tokens_is_exact_and_wins_over_what_would_have_come() {
        let whole = limited(text("one two three"), &[], 3, Usage::default());
        assert_eq!((whole.stop_reason, whole.usage.output_tokens), (StopReason::EndTurn, 3));
        let cut = limited(text("one two three"), &[], 2, Usage::default());
        assert_eq!((cut.stop_reason, cut.usage.output_tokens), (StopReason::MaxTokens, 2));
        assert_eq!(cut.parts, text("one two"));
    }

    #[test]
    fn the_first_stop_sequence_ends_the_text_before_it() {
        let stops = ["three".to_owned(), "two".to_owned()];
        let stopped = limited(text("one two three"), &stops, 9, Usage::default());
        assert_eq!((stopped.stop_reason, stopped.stop_sequence.as_deref()), (StopReason::StopSequence, Some("two")));
        assert_eq!(stopped.parts, text("one "));
    }

    #[test]
    fn a_cut_tool_input_ends_with_max_tokens() {
        let tool = Part::ToolUse { id: "t".into(), name: "n".into(), json: r#"{"city":"Oslo"}"#.into() };
        let cut = limited(vec![tool], &[], 3, Usage::default());
        assert_eq!(cut.stop_reason, StopReason::MaxTokens);
        assert_eq!(cut.usage.output_tokens, 3);
        assert_eq!(parsed_input(cut.parts[0].content()), serde_json::json!({}));
    }

    #[test]
    fn a_tool_without_input_stays_unless_it_lies_beyond_the_limit() {
        let tool = || Part::ToolUse { id: "t".into(), name: "n".into(), json: String::new() };
        let whole = limited(vec![tool()], &[], 3, Usage::default());
        assert_eq!((whole.parts.len(), whole.stop_reason), (1, StopReason::ToolUse));
        let input = Part::ToolUse { id: "t".into(), name: "n".into(), json: "{}".into() };
        let cut = limited(vec![Part::Text("one two three".into()), input], &[], 3, Usage::default());
        assert_eq!((cut.parts.len(), cut.stop_reason), (1, StopReason::MaxTokens));
    }
}
