//! Text that answers a prompt: deterministic markdown from nothing but the conversation.

use std::fmt::Write;

use super::tool_use::ToolCall;
use super::{earlier_prompts, files, programs, results};
use crate::chat::{Chat, Role};
use crate::tokens;

/// Words that say nothing about the subject of a question.
const FILLERS: &str = " a about an and are as at be by can could describe do does explain for from give hello help hey hi how i in is it \
    list make me my of on one or please show tell than that the their them then there these this those to us was we were what when where \
    which who why will with would write you your ";
const MAX_SUBJECT_WORDS: usize = 6;
const QUOTE_CHARS: usize = 200;

/// The answer to the last message of a conversation.
pub(super) fn text(chat: &Chat, prompt: &str) -> String {
    if let Some(text) = results::text(chat, prompt) {
        return text;
    }
    let files = files::mentioned(chat);
    if files.is_empty() || !subject_words(prompt).is_empty() { files + &words(chat, prompt) } else { files }
}

/// The answer to what a prompt says.
fn words(chat: &Chat, prompt: &str) -> String {
    let lower = prompt.to_lowercase();
    let asks = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    if asks(&["my name?", "what is my name", "what's my name", "who am i"]) {
        about_name(chat)
    } else if asks(&[
        "did i ask",
        "did i say",
        "earlier question",
        "previous question",
        "last question",
        "first question",
        "my questions",
    ]) {
        about_earlier(chat)
    } else if asks(&["system prompt", "your instructions"]) {
        about_system(chat)
    } else if let Some((sum, result)) = arithmetic(prompt) {
        format!("**{sum} = {result}**\n")
    } else if subject_words(prompt).is_empty() || stated_name(prompt).is_some() {
        greeting(chat, prompt)
    } else {
        essay(chat, prompt)
    }
}

/// One sentence before the tools that are asked for.
pub(super) fn before_tools(calls: &[ToolCall]) -> String {
    let names: Vec<String> = calls.iter().map(|call| format!("`{}`", call.name)).collect();
    format!("I will use {} to find that out.", names.join(" and "))
}

pub(super) fn reasoning(chat: &Chat, prompt: &str) -> String {
    format!(
        "The user asks: \"{}\". This is message {} of the conversation. I look for the subject of the question, \
         check whether an earlier message already says something about it, and then write the answer in short sections.",
        excerpt(prompt),
        chat.messages.len(),
    )
}

/// The text with exactly this many tokens: cut, or filled with numbered paragraphs. A paragraph begins with whitespace and
/// ends with none, so no token crosses the seams and the counts add up.
pub(super) fn of_length(text: String, length_tokens: u32) -> String {
    let wanted = length_tokens as usize;
    let mut text = text.trim_end().to_owned();
    let mut have = tokens::pieces(&text).count();
    let mut number = 1;
    while have < wanted {
        let paragraph = format!(
            "\n\n### Part {number}\n\nThis is part {number} of a long answer. It has *emphasis*, `code` and a list:\n\n\
             - the {number}. item that grows\n- a longer item, so that lines wrap on a narrow screen and scrolling can be tried 🙂"
        );
        have += tokens::pieces(&paragraph).count();
        text.push_str(&paragraph);
        number += 1;
    }
    let end = tokens::pieces(&text).take(wanted).map(str::len).sum();
    text.truncate(end);
    text
}

fn essay(chat: &Chat, prompt: &str) -> String {
    let words = subject_words(prompt);
    let subject = words.join(" ");
    let title = capitalised(&subject);
    let mut text = String::new();
    let you = known_name(chat).map_or_else(|| "You".to_owned(), |name| format!("{name}, you"));
    let _ = writeln!(text, "## {title}\n");
    let _ = writeln!(text, "{you} asked: *{}*\n", excerpt(prompt));
    let _ = writeln!(
        text,
        "No model ran for this answer: the emulator wrote it from your words, so it knows no more about them.\n"
    );
    let _ = writeln!(text, "### In short\n");
    let _ =
        writeln!(text, "- **The subject** is {subject}: {} of your {} words.", words.len(), all_words(prompt).len());
    let _ = writeln!(text, "- **This is message** {} of the conversation that I was sent.", chat.messages.len());
    let _ = writeln!(text, "- **Next**, ask for one part of it, or start a message with `/help`.\n");
    let _ = writeln!(text, "### The words of your question\n");
    let _ = writeln!(text, "| Word | Letters | Tokens |\n|---|---:|---:|");
    for word in &words {
        let _ = writeln!(text, "| {word} | {} | {} |", word.chars().count(), tokens::count(word));
    }
    let (fence, program) = programs::for_question(&all_words(prompt));
    let _ = writeln!(text, "\n### A small program\n\n```{fence}\n{program}```\n");
    let _ = writeln!(text, "1. Copy it.\n2. Run it.\n3. Change one line and see what happens. 🚀");
    if let Some(earlier) = earlier_prompts(chat).last() {
        let _ = writeln!(text, "\n> Before this you wrote: {}", excerpt(earlier));
    }
    text
}

fn greeting(chat: &Chat, prompt: &str) -> String {
    let name = stated_name(prompt).or_else(|| known_name(chat)).map_or(String::new(), |name| format!(", {name}"));
    format!(
        "Hello{name}! 👋 I am the Bedrock emulator, so no model runs here, but I answer from what you write. You could ask:\n\n\
         - Explain rivers with a table\n- Write a small Rust program\n- What did I ask before?\n- `/help` for commands such as `/length 2000`\n"
    )
}

fn about_name(chat: &Chat) -> String {
    match known_name(chat) {
        Some(name) => format!("Your name is **{name}**: you told me earlier in this conversation.\n"),
        None => "You have not told me your name in this conversation.\n".to_owned(),
    }
}

fn about_earlier(chat: &Chat) -> String {
    let earlier = earlier_prompts(chat);
    if earlier.is_empty() {
        return "This is your first question in the conversation that I was sent.\n".to_owned();
    }
    let mut text = "You asked, in this order:\n\n".to_owned();
    for (i, prompt) in earlier.iter().enumerate() {
        let _ = writeln!(text, "{}. {}", i + 1, excerpt(prompt));
    }
    text
}

fn about_system(chat: &Chat) -> String {
    match chat.system_text() {
        system if system.is_empty() => "I was sent no system prompt.\n".to_owned(),
        system => format!("My system prompt is:\n\n> {}\n", system.replace('\n', "\n> ")),
    }
}

fn known_name(chat: &Chat) -> Option<String> {
    chat.messages
        .iter()
        .rev()
        .filter(|message| message.role == Role::User)
        .find_map(|message| stated_name(&message.text()))
}

/// The name in "my name is X", "I am called X", "call me X".
fn stated_name(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    ["my name is ", "my name's ", "i am called ", "call me "].iter().find_map(|phrase| {
        let rest = &text[lower.find(phrase)? + phrase.len()..];
        let name: String =
            rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '\'')).take(40).collect();
        (!name.is_empty()).then_some(name)
    })
}

/// `a + b` (or -, *, /) in whole numbers, if the prompt asks for nothing else.
fn arithmetic(prompt: &str) -> Option<(String, String)> {
    let is_operator = |c: &char| matches!(c, '+' | '*' | '/' | '×' | '-');
    let asks_more = subject_words(prompt).iter().any(|word| {
        word.contains(char::is_alphabetic) && !matches!(word.as_str(), "calculate" | "compute" | "much" | "what's")
    });
    let compact: Vec<char> = prompt.chars().filter(|c| !c.is_whitespace()).collect();
    let at = compact.iter().position(is_operator)?;
    if asks_more || compact[at + 1..].iter().any(is_operator) {
        return None;
    }
    let digits = |chars: &mut dyn Iterator<Item = &char>| chars.take_while(|c| c.is_ascii_digit()).collect::<String>();
    let left: String = digits(&mut compact[..at].iter().rev()).chars().rev().collect();
    let right = digits(&mut compact[at + 1..].iter());
    let (a, b): (i64, i64) = (left.parse().ok()?, right.parse().ok()?);
    let result = match compact[at] {
        '+' => a.checked_add(b)?.to_string(),
        '-' => a.checked_sub(b)?.to_string(),
        '/' if b == 0 => "undefined".to_owned(),
        '/' if a % b == 0 => (a / b).to_string(),
        '/' => format!("{:.4}", a as f64 / b as f64),
        _ => a.checked_mul(b)?.to_string(),
    };
    Some((format!("{a} {} {b}", compact[at]), result))
}

fn all_words(prompt: &str) -> Vec<String> {
    let words = prompt.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '\'' | '_')));
    words.filter(|word| word.chars().any(char::is_alphanumeric)).map(str::to_lowercase).collect()
}

fn subject_words(prompt: &str) -> Vec<String> {
    let mut words = all_words(prompt);
    words.retain(|word| !FILLERS.contains(&format!(" {word} ")));
    let mut seen = Vec::new();
    for word in words {
        if !seen.contains(&word) && seen.len() < MAX_SUBJECT_WORDS {
            seen.push(word);
        }
    }
    seen
}

pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The text in one line and at most [`QUOTE_CHARS`] characters.
fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTE_CHARS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Block, Message};

    fn chat(texts: &[&str]) -> Chat {
        let role = |i: usize| if i.is_multiple_of(2) { Role::User } else { Role::Assistant };
        let message =
            |(i, text): (usize, &&str)| Message { role: role(i), blocks: vec![Block::Text((*text).to_owned())] };
        Chat { messages: texts.iter().enumerate().map(message).collect(), ..Chat::default() }
    }

    fn reply(texts: &[&str]) -> String {
        text(&chat(texts), texts.last().expect("prompt"))
    }

    #[test]
    fn a_question_gets_headings_a_list_a_table_and_code_about_it() {
        let answer = reply(&["Explain borrow checking in Rust"]);
        for wanted in ["## Borrow checking rust", "\n- **", "| borrow | 6 |", "```rust\n", "\n1. ", "🚀"] {
            assert!(answer.contains(wanted), "{wanted} in {answer}");
        }
    }

    #[test]
    fn the_conversation_is_remembered() {
        let told = ["My name is Ada", "Hello", "Explain rivers", "…"];
        assert!(reply(&told[..1]).starts_with("Hello, Ada!"));
        assert!(reply(&[&told[..], &["What is my name?"]].concat()).contains("**Ada**"));
        assert_eq!(
            reply(&[&told[..], &["What did I ask before?"]].concat()),
            "You asked, in this order:\n\n1. My name is Ada\n2. Explain rivers\n",
        );
        assert!(reply(&[&told[..], &["Explain lakes"]].concat()).contains("Ada, you asked: *Explain lakes*"));
        assert!(reply(&["What is my name?"]).contains("not told"));
    }

    #[test]
    fn the_system_prompt_is_mentioned_only_when_asked_for() {
        let mut chat = chat(&["Explain rivers"]);
        chat.system.push(Block::Text("Speak like a geologist".into()));
        assert!(!text(&chat, "Explain rivers").contains("geologist"));
        assert!(text(&chat, "What is your system prompt?").contains("> Speak like a geologist"));
    }

    #[test]
    fn sums_are_right() {
        for (prompt, expected) in
            [("What is 12 * 12?", "**12 * 12 = 144**\n"), ("2+2", "**2 + 2 = 4**\n"), ("7 / 2", "**7 / 2 = 3.5000**\n")]
        {
            assert_eq!(reply(&[prompt]), expected);
        }
        for prompt in ["Plan 3-5 days in Oslo", "What happened on 2026-11-23?"] {
            assert!(reply(&[prompt]).starts_with("## "), "{prompt}");
        }
    }

    #[test]
    fn a_length_is_exact() {
        for length in [1, 7, 50, 2_000] {
            assert_eq!(tokens::count(&of_length("Some text to begin with".to_owned(), length)), length);
        }
    }
}
